"""The acts of the demonstration: opening stock, two days of trading with a crash in the middle, and the audit."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from bo_worker.demo.checks import check
from bo_worker.demo.evidence import Evidence
from bo_worker.demo.figures import Account
from bo_worker.demo.retail import changed_orders, take
from bo_worker.demo.scenario import build_scenario
from bo_worker.demo.screen import show
from bo_worker.demo.sender import Sender
from bo_worker.demo.stage import Stage
from bo_worker.demo.story import Journal
from bo_worker.demo.watcher import Watcher
from bo_worker.kafka.publisher import Publisher

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rich.console import Console

    from bo_worker.config import Settings
    from bo_worker.demo.checks import Finding
    from bo_worker.demo.figures import Figures
    from bo_worker.demo.scenario import Scenario
    from bo_worker.demo.seen import Seen
    from bo_worker.demo.worker_process import WorkerProcess

TRADING_S, ORDERS_PER_S_MIN = 22.0, 12.0
ORDERS_PER_S_GOING_ON, ORDERS_AT_ONCE_GOING_ON = 4.0, 120
CRASH_AFTER = 0.45
POLL_S = 0.2
SETTLE_TIMEOUT_S = 90.0
ANNOUNCED = """
select
    coalesce(sum(notifications), 0)::bigint as notifications, coalesce(sum(fulfillments), 0)::bigint as fulfillments,
    (select count(*) from bo_worker.outbox) as unpublished
from bo_worker.message_key
"""


class DemoError(Exception):
    """The demonstration can't go on; the text says why."""


class Crash(NamedTuple):
    """When the worker was killed (monotonic seconds), and how many messages it had applied."""

    at: float
    applied_messages: int


class Performance:
    """Everything that takes part."""

    def __init__(self, settings: Settings, worker: WorkerProcess, console: Console) -> None:
        self.stage = Stage()
        self.worker = worker
        self.seconds = 0.0
        self.findings: list[Finding] | None = None
        self._evidence = Evidence()
        self._journal = Journal()
        self._account = Account(settings)
        self._console = console
        self._orders = changed_orders()
        self._publisher = Publisher(settings)
        self._sender = Sender(self._publisher, self._note_sent)
        self._watcher = Watcher(settings, self._note)
        self._listeners: list[Callable[[Seen], None]] = [
            self.stage.happenings.note,
            self._evidence.note,
            self._journal.note,
        ]
        self._sent = 0
        self._crash: Crash | None = None
        self._is_crashing = False

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Read the topics and the account as long as the context lasts."""
        self._show_worker()
        try:
            async with asyncio.TaskGroup() as group:
                following = [group.create_task(self._watcher.run()), group.create_task(self._follow_account())]
                yield
                for task in following:
                    task.cancel()
        finally:
            await self._publisher.stop()
            await self._account.close()

    async def play(self, order_count: int) -> None:
        """Play so many orders from the first to the last event.

        Raises:
            DemoError: The worker did not do its part.
        """
        scenario = build_scenario(take(self._orders, order_count), 1)
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
        self.findings = await check(self._account, self._evidence, self.stage.tally)
        return self.findings

    async def go_on(self) -> None:
        """Play more orders at a steady pace, for ever."""
        self._listeners = [self.stage.happenings.note]
        number = 1
        async with self._on_screen():
            while True:
                number += 1
                scenario = build_scenario(take(self._orders, ORDERS_AT_ONCE_GOING_ON), number)
                self.stage.begin("going on", len(scenario.opening) + len(scenario.trading))
                await self._sender.send(scenario.opening)
                speed = scenario.seconds * ORDERS_PER_S_GOING_ON / len(scenario.orders)
                await self._sender.play(scenario.trading, scenario.pauses, speed)

    async def _open(self, scenario: Scenario) -> None:
        self.stage.begin("opening stock", len(scenario.opening))
        await self._sender.send(scenario.opening)
        await self._settle()

    async def _trade(self, scenario: Scenario) -> None:
        steps, pauses = scenario.trading, scenario.pauses
        self.stage.begin("trading", len(steps))
        cut = int(len(steps) * CRASH_AFTER)
        speed = scenario.seconds / min(TRADING_S, len(scenario.orders) / ORDERS_PER_S_MIN)
        await self._sender.play(steps[:cut], pauses[:cut], speed)
        await self._kill_worker()
        await self._sender.play(steps[cut:], pauses[cut:], speed)

    async def _kill_worker(self) -> None:
        """Kill the worker where it stands, and start another."""
        self.stage.worker, self.stage.worker_is_well = "worker killed", False
        self._tell(f"kill -9 {self.worker.pid}: the worker is gone, orders keep coming")
        self._is_crashing = True
        await asyncio.to_thread(self.worker.kill)
        self._crash = Crash(time.monotonic(), (await self._account.figures()).applied_messages)
        await asyncio.to_thread(self.worker.start)
        self._is_crashing = False
        self._tell(f"worker {self.worker.pid} starts, and waits for the partitions of the dead one")

    async def _settle(self) -> None:
        """Wait until everything that was sent is applied, and its events were read back."""
        try:
            async with asyncio.timeout(SETTLE_TIMEOUT_S):
                while not await self._is_settled():  # noqa: ASYNC110 - database and topics tell only when asked
                    await asyncio.sleep(POLL_S)
        except TimeoutError as error:
            message = f"the worker was not done in {SETTLE_TIMEOUT_S:.0f} s.\n{self.worker.log_tail}"
            raise DemoError(message) from error

    async def _is_settled(self) -> bool:
        messages = self.stage.tally.messages
        figures, ends = await self._account.figures(), await self._watcher.ends()
        if messages["order-created"] + messages["inventory-received"] < self._sent or figures.lag(ends):
            return False
        (announced,) = await self._account.fetch(ANNOUNCED)
        read = messages["customer-notification"], messages["fulfillment"], 0
        return tuple(announced) == read

    async def _follow_account(self) -> None:
        while True:
            if not self._is_crashing and self.worker.pid is None:
                raise DemoError(f"the worker ended by itself.\n{self.worker.log_tail}")
            figures = await self._account.figures()
            self.stage.update(figures, figures.lag(await self._watcher.ends()))
            self._note_recovery(figures)
            await asyncio.sleep(POLL_S)

    def _note_recovery(self, figures: Figures) -> None:
        crash = self._crash
        if crash is None or figures.applied_messages == crash.applied_messages or self.stage.lag:
            return
        self._tell(f"caught up {time.monotonic() - crash.at:.1f} s after the crash")
        self._crash = None
        self._show_worker()

    @asynccontextmanager
    async def _on_screen(self) -> AsyncIterator[None]:
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(show(self.stage, self._console, ending))
            try:
                yield
            finally:
                ending.set()

    def _note(self, seen: Seen) -> None:
        if self.stage.tally.note(seen):
            for listener in self._listeners:
                listener(seen)

    def _note_sent(self, number: int) -> None:
        self._sent += number
        self.stage.sent += number

    def _show_worker(self) -> None:
        self.stage.worker, self.stage.worker_is_well = f"worker {self.worker.pid}", True

    def _tell(self, sentence: str) -> None:
        self.stage.happenings.tell(datetime.now(UTC).astimezone(), Text(sentence, "bold magenta"))
