"""The acts of the demonstration: opening stock, two days of trading with a crash in the middle, and the audit."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING

from bo_worker.demo.checks import check
from bo_worker.demo.evidence import Evidence
from bo_worker.demo.observation import Observation
from bo_worker.demo.retail import changed_orders, take
from bo_worker.demo.scenario import build_scenario
from bo_worker.demo.screen import show
from bo_worker.demo.sender import Sender
from bo_worker.demo.stage import Stage
from bo_worker.demo.story import Journal
from bo_worker.kafka.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from rich.console import Console

    from bo_worker.config import Settings
    from bo_worker.demo.checks import Finding
    from bo_worker.demo.figures import Promises
    from bo_worker.demo.scenario import Scenario
    from bo_worker.demo.seen import Seen
    from bo_worker.demo.worker_process import WorkerProcess

TRADING_S, ORDERS_PER_S_MIN = 22.0, 12.0
ORDERS_PER_S_GOING_ON, ORDERS_AT_ONCE_GOING_ON = 4.0, 120
CRASH_AFTER = 0.45
POLL_S = 0.1
SETTLE_TIMEOUT_S = 90.0


class DemoError(Exception):
    """The demonstration can't go on; the text says why."""


class Performance:
    """Everything that takes part."""

    def __init__(self, settings: Settings, worker: WorkerProcess, console: Console) -> None:
        self.stage = Stage(worker.pid)
        self.worker = worker
        self.seconds = 0.0
        self.findings: list[Finding] | None = None
        self._console = console
        self._evidence = Evidence()
        self._journal = Journal()
        self._observation = Observation(
            settings, self.stage, [self.stage.happenings.note, self._evidence.note, self._journal.note]
        )
        self._orders = changed_orders()
        self._first_day = datetime.now(UTC).date()  # suppliers promise days that are still to come
        self._publisher = Publisher(settings)
        self._sender = Sender(self._publisher, self._note_sent)
        self._sent = 0

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Watch the worker as long as the context lasts."""
        try:
            async with asyncio.TaskGroup() as group:
                watching = [group.create_task(self._observation.run()), group.create_task(self._guard_worker())]
                yield
                for task in watching:
                    task.cancel()
        finally:
            await self._publisher.stop()

    async def play(self, order_count: int) -> None:
        """Play so many orders from the first to the last event.

        Raises:
            DemoError: The worker did not do its part.
        """
        scenario = build_scenario(take(self._orders, order_count), 1, self._first_day)
        began = time.monotonic()
        async with self._on_screen():
            await self._open(scenario)
            await self._trade(scenario)
            self.stage.act = "last events"
            await self._settle()
        self.seconds = time.monotonic() - began

    def story(self) -> list[Seen]:
        """The messages of the backorder that is best to tell; empty if there is none."""
        return self._journal.best_story()

    async def audit(self) -> list[Finding]:
        """Compare the account, the messages and the rules."""
        self.findings = await check(self._observation.account, self._evidence, self.stage.tally)
        return self.findings

    async def promises(self) -> Promises:
        """What became of the days that customers and buyers were told."""
        return await self._observation.account.promises()

    async def go_on(self) -> None:
        """Play more orders at a steady pace, for ever."""
        self._observation.listeners = [self.stage.happenings.note]
        number = 1
        async with self._on_screen():
            while True:
                number += 1
                scenario = build_scenario(take(self._orders, ORDERS_AT_ONCE_GOING_ON), number, self._first_day)
                before = list(chain.from_iterable(scenario.opening))
                self.stage.begin("going on", len(before) + len(scenario.trading))
                await self._sender.send(before)
                speed = scenario.seconds * ORDERS_PER_S_GOING_ON / len(scenario.orders)
                await self._sender.play(scenario.trading, scenario.pauses, speed)

    async def _open(self, scenario: Scenario) -> None:
        self.stage.begin("opening stock", sum(map(len, scenario.opening)))
        for steps in scenario.opening:
            await self._sender.send(steps)
            await self._settle()

    async def _trade(self, scenario: Scenario) -> None:
        steps, pauses = scenario.trading, scenario.pauses
        self.stage.begin("trading", len(steps))
        cut = int(len(steps) * CRASH_AFTER)
        speed = scenario.seconds / min(TRADING_S, len(scenario.orders) / ORDERS_PER_S_MIN)
        await self._sender.play(steps[:cut], pauses[:cut], speed)
        await self._crash()
        await self._sender.play(steps[cut:], pauses[cut:], speed)

    async def _crash(self) -> None:
        """Kill the worker where it stands, and start another."""
        self.stage.lose_worker()
        await asyncio.to_thread(self.worker.kill)
        await asyncio.to_thread(self.worker.start)
        self.stage.gain_worker(self.worker.pid)

    async def _settle(self) -> None:
        """Wait until everything that was sent is applied, and its events were read back."""
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while not await self._observation.is_settled(self._sent):  # noqa: ASYNC110 - nobody tells when it is
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            raise self._failure(f"was not done in {SETTLE_TIMEOUT_S:.0f} s") from error

    async def _guard_worker(self) -> None:
        while self.stage.worker_pid in {None, self.worker.pid}:  # noqa: ASYNC110 - a process tells nobody of its end
            await asyncio.sleep(POLL_S)
        raise self._failure("ended by itself")

    def _failure(self, what: str) -> DemoError:
        return DemoError(f"the worker {what}. The end of its log:\n{self.worker.log_tail}")

    @asynccontextmanager
    async def _on_screen(self) -> AsyncIterator[None]:
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(show(self.stage, self._console, ending))
            try:
                yield
            finally:
                ending.set()

    def _note_sent(self, number: int) -> None:
        self._sent += number
        self.stage.sent += number
