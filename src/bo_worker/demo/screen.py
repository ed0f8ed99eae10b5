"""Shows the stage while it changes: drawn over and over on a terminal, as lines anywhere else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from rich.live import Live

from bo_worker.demo.board import board, status_line

if TYPE_CHECKING:
    from rich.console import Console

    from bo_worker.demo.stage import Stage

FRAME_S = 0.125
PLAIN_LINE_S = 3.0


async def show(stage: Stage, console: Console, ending: asyncio.Event) -> None:
    """Show it until the end, the last picture included."""
    if console.is_terminal:
        await _draw(stage, console, ending)
    else:
        await _print(stage, console, ending)


async def _draw(stage: Stage, console: Console, ending: asyncio.Event) -> None:
    with Live(console=console, auto_refresh=False) as live:
        while True:
            live.update(board(stage, console.height), refresh=True)
            if await _set_within(ending, FRAME_S):
                break
        live.update(board(stage, console.height), refresh=True)


async def _print(stage: Stage, console: Console, ending: asyncio.Event) -> None:
    while not await _set_within(ending, PLAIN_LINE_S):
        console.print(f"  {stage.act}: {status_line(stage)}", soft_wrap=True)
    console.print(f"  {stage.act}: {status_line(stage)}", soft_wrap=True)


async def _set_within(event: asyncio.Event, timeout_s: float) -> bool:
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
