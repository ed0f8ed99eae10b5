"""A worker in a process of its own, which may signal itself: `worker_process.py SETTINGS POINT NTH SIGNAL`.

SETTINGS is a JSON object. POINT is a checkpoint of the worker, or `assigned` or `revoked` for the two halves of a
rebalance, or `in_job` where a job of the sweep has written everything and not committed it. `in_` and `after_` with
the name of a job mean that one, before and after it has committed something. The NTH time there, the process sends
itself the SIGNAL. The count begins at the start or, where NTH is 0, with SIGUSR1. SIGTERM ends the process in order.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

from bo_worker.app import Worker
from bo_worker.config import load_settings
from bo_worker.service import apply, unfinished
from bo_worker.service import work as definition
from bo_worker.service.due import JOBS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from bo_worker.kafka.consumer import Partition
    from bo_worker.service.sweep import Done, Job

_NOT_OF_JOBS = (apply, definition, unfinished)
"""The modules with `save_work` that are not, or not only, at work for a job of the sweep."""


class Fate:
    """Signals the process at the `nth` passage of `point`, or the first after `arm`."""

    def __init__(self, point: str, nth: int, number: int) -> None:
        self.point = point
        self.nth = nth
        self.number = number
        self.passages = itertools.count(1)
        self.job = ""

    def __call__(self, point: str) -> None:
        if point == self.point and next(self.passages) == self.nth:
            os.kill(os.getpid(), self.number)

    def arm(self) -> None:
        self.nth = 1
        self.passages = itertools.count(1)


class FatefulWorker(Worker):
    """A worker that also passes the two points of a rebalance, and the one in the middle of a job."""

    def __init__(self, settings: dict[str, Any], fate: Fate) -> None:
        jobs = {name: _named(name, job, fate) for name, job in JOBS.items()}
        super().__init__(load_settings(**settings), checkpoint=fate, jobs=jobs)
        for name, module in sys.modules.items():
            names = vars(module)
            if name.startswith("bo_worker.service.") and "save_work" in names and module not in _NOT_OF_JOBS:
                names["save_work"] = _passing(names["save_work"], fate)
        assigned, revoked = self.intake.on_assigned, self.intake.on_revoked

        async def on_assigned(partitions: list[Partition]) -> Mapping[Partition, int | None]:
            positions = await assigned(partitions)
            fate("assigned")
            return positions

        async def on_revoked(partitions: list[Partition]) -> None:
            await revoked(partitions)
            fate("revoked")

        self.intake.on_assigned = on_assigned  # type: ignore[method-assign]  # the consumer asks for it when it is made
        self.intake.on_revoked = on_revoked  # type: ignore[method-assign]  # the same


def _passing(save: Callable[..., Awaitable[int]], fate: Fate) -> Callable[..., Awaitable[int]]:
    async def save_and_pass(*arguments: Any) -> int:
        count = await save(*arguments)
        fate("in_job")
        fate(f"in_{fate.job}")
        return count

    return save_and_pass


def _named(name: str, job: Job, fate: Fate) -> Job:
    async def call(*arguments: Any) -> Done:
        fate.job = name
        done = await job(*arguments)
        if done.messages:
            fate(f"after_{name}")
        return done

    return call


async def work(settings: dict[str, Any], fate: Fate) -> None:
    worker = FatefulWorker(settings, fate)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.stopping.set)
    loop.add_signal_handler(signal.SIGUSR1, fate.arm)
    await worker.run()


if __name__ == "__main__":
    _, given, point, nth, number = sys.argv
    asyncio.run(work(json.loads(given), Fate(point, int(nth), int(number))))
