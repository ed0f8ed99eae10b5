"""Workers in processes of their own, and scenarios that run side by side since most of their time they wait."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import psutil

from world import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from bo_worker.config import Settings
    from world import World

Case = TypeVar("Case")


class Child:
    """A worker in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; return its exit code, or the signal that killed it as a negative number."""
        async with asyncio.timeout(PATIENCE_S):
            return await self._process.wait()

    async def is_frozen(self) -> bool:
        """Whether SIGSTOP has stopped it."""
        return bool(psutil.Process(self._process.pid).status() == psutil.STATUS_STOPPED)


@asynccontextmanager
async def child(
    world: World, point: str = "never", nth: int = 1, number: int = signal.SIGKILL, **other: Any
) -> AsyncIterator[Child]:
    """Run a worker with the world's settings, some of them `other`, until the context ends at the latest.

    The `nth` time that it comes to `point`, or if that is 0 the first time after SIGUSR1, it sends itself the
    signal `number`.
    """
    settings = orjson.dumps(_plain(world.settings) | other).decode()
    script = Path(__file__).with_name("worker_process.py")
    arguments = (sys.executable, str(script), settings, point, str(nth), str(int(number)))
    process = await asyncio.create_subprocess_exec(*arguments)
    try:
        yield Child(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def side_by_side(cases: Iterable[Case], scenario: Callable[[Case], Awaitable[None]]) -> None:
    """Run a scenario for every case at the same time; what fails names its case."""

    async def played(case: Case) -> None:
        try:
            await scenario(case)
        except BaseException as error:
            error.add_note(f"the case is {case}")
            raise

    async with asyncio.TaskGroup() as group:
        for case in cases:
            group.create_task(played(case))


def _plain(settings: Settings) -> dict[str, Any]:
    fields = settings.model_dump(exclude_none=True, exclude_defaults=True)
    return fields | {"database_url": settings.database_url.get_secret_value()}
