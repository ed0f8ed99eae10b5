"""Knows when the sweep of a worker has looked at everything and found nothing to do."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo_worker.service.sweep import Done

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import asyncpg

    from bo_worker.service.sweep import Job
    from bo_worker.service.work import Rules


class Rounds:
    """The same jobs, watched, with one more that ends each round: give `jobs` to the worker."""

    def __init__(self, jobs: Mapping[str, Job]) -> None:
        self.jobs: dict[str, Job] = {name: self._watched(job) for name, job in jobs.items()}
        self.jobs["end_of_round"] = self._end
        self._is_quiet = self._was_quiet = False
        self._ended = asyncio.Condition()

    async def quiet(self, woken: asyncio.Event) -> None:
        """Wait until a round that begins from now on finds nothing to do; `woken` is what begins one."""
        async with self._ended:
            woken.set()
            await self._ended.wait()
            while True:
                woken.set()
                await self._ended.wait()
                if self._was_quiet:
                    return

    def _watched(self, job: Job) -> Job:
        async def watched(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
            try:
                done = await job(connection, rules, now)
            except Exception:
                self._is_quiet = False
                raise
            if done.more or done.messages or done.units:
                self._is_quiet = False
            return done

        return watched

    async def _end(self, _connection: asyncpg.Connection, _rules: Rules, _now: datetime) -> Done:
        async with self._ended:
            self._was_quiet, self._is_quiet = self._is_quiet, True
            self._ended.notify_all()
        return Done()
