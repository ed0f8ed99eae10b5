"""The tasks of a worker, side by side: ended one after the other, each in the time it has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from bo_worker.kafka.client import cancel_all

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from bo_worker.store.session import Session

log = structlog.get_logger()


class Parts:
    """Named tasks, some with the database session they work on.

    A task group would wait for ever for a task that hangs in its clean-up, on a server that says nothing.
    """

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._sessions: dict[str, Session] = {}

    def start(self, name: str, work: Coroutine[Any, Any, None], session: Session | None = None) -> None:
        """Start a part."""
        self._tasks[name] = asyncio.create_task(work, name=name)
        if session is not None:
            self._sessions[name] = session

    async def run_until(self, stopping: asyncio.Event) -> None:
        """Wait for `stopping`; raise what a part raises before."""
        told = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((told, *self._tasks.values()), return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel_all([told])
        self._raise_failure()

    async def finish(self, name: str, timeout_s: float) -> None:
        """Wait until a part has ended, and raise what it raised; one that takes longer is cut off."""
        task = self._tasks[name]
        await asyncio.wait([task], timeout=timeout_s)
        self._raise_failure()
        if not task.done():
            log.warning("shutdown_deadline_passed", part=name)
            await self.cut_off(name)

    async def cut_off_all(self) -> None:
        """End everything now."""
        await asyncio.gather(*(self.cut_off(name) for name in list(self._tasks)))

    async def cut_off(self, name: str) -> None:
        """End a part: its session first, since a query that is cancelled waits for an answer of the server."""
        task = self._tasks.pop(name)
        if not task.done() and name in self._sessions:
            self._sessions[name].abandon()
        await cancel_all([task])

    def _raise_failure(self) -> None:
        for task in self._tasks.values():
            if task.done() and not task.cancelled():
                task.result()
