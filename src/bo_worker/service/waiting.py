"""Waiting that ends in time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from bo_worker.kafka.client import cancel_all

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Deadline:
    """An instant by which something must have ended."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._ends_at = time.monotonic() + seconds

    def left_s(self, share: float = 1.0) -> float:
        """Return the seconds until a share of the whole time is over; never negative."""
        return max(0.0, self._ends_at - self._seconds * (1 - share) - time.monotonic())


async def happens_within(wait_s: float, event: asyncio.Event) -> bool:
    """Wait for an event, or until the time is up; return whether it happened."""
    try:
        async with asyncio.timeout(wait_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def done_before(event: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Do work unless an event happens first, which cuts it off; return whether it was done."""
    happening = asyncio.create_task(event.wait())
    working = asyncio.create_task(work)
    try:
        await asyncio.wait((happening, working), return_when=asyncio.FIRST_COMPLETED)
        done = working.done()
        if done:
            working.result()
    finally:
        await cancel_all([happening, working])
    return done
