"""A job of the sweep and a batch at once on the same rows: no deadlock, and the same as one after the other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

import build
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.service.apply import apply_batch
from bo_worker.service.promises import repeg_products
from bo_worker.service.seasons import turn_of_season
from bo_worker.service.waitlist import tell_waitlist
from bo_worker.service.work import OrdersBusyError, Rules
from bo_worker.store.audit import audit
from bo_worker.store.products import UnfinishedCauseError
from ledger import NOW, ledger
from world import PATIENCE_S, POLL_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from bo_worker.service.sweep import Job
    from ledger import Ledger
    from streams import Input

ROUNDS = 40
RULES = Rules("placed_at", 5_000)
TURNED = datetime(2026, 12, 1, 12, tzinfo=UTC)
TABLES = (
    "order_line",
    "claim",
    "stock",
    "product",
    "supply",
    "message_key",
    "cross_dock_plan",
    "waitlist_entry",
    "promise",
    "backorder_day",
)


def order(order_id: str, quantity: int = 3, **fields: Any) -> Input:
    return "order-created", build.order(order_id, lines=[build.order_line(quantity=quantity)], **fields)


def receipt(receipt_id: str, quantity: int, **fields: Any) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)], **fields)


def given_up(order_id: str) -> Input:
    return "order-cancelled", build.cancellation(order_id=order_id)


def joined(number: int) -> Input:
    return "waitlist-joined", build.waitlist_entry(f"W-{number}", joined_at=f"2026-11-21T09:{number:02}:00Z")


TRUCK = build.purchase_order("PO-1", status="in_transit", lines=[build.purchase_order_line(quantity=8)])
SEASON = build.policy(kind="seasonal", release_on="2026-12-01", season_ends_on="2026-12-24")


@dataclass(frozen=True)
class Race:
    """What makes a job due at an instant, and the batch that meets it. The job loads `loads` under its locks."""

    job: Job
    loads: str
    before: Sequence[Input]
    batch: Sequence[Input]
    now: datetime = NOW
    rules: Rules = RULES


RACES = {
    "plan_docks": Race(
        repeg_products,
        "bo_worker.service.promises.load_covers",
        [order("SO-1"), order("SO-2", 4), order("SO-3", 2), ("purchase-order-updated", TRUCK)],
        [receipt("R-1", 5, purchase_order_id="PO-1"), given_up("SO-2")],
    ),
    "tell_waitlist": Race(
        tell_waitlist,
        "bo_worker.service.waitlist.load_waitlist",
        [*(joined(number) for number in range(6)), receipt("R-1", 2)],
        [order("SO-1", 4), receipt("R-2", 3)],
    ),
    "turn_of_season": Race(
        turn_of_season,
        "bo_worker.service.seasons.load_lanes",
        [("product-policy-updated", SEASON), receipt("R-1", 4), order("SO-1"), order("SO-2"), order("SO-3")],
        [receipt("R-2", 3), given_up("SO-1")],
        TURNED,
    ),
}
STEPS = {
    "turn_of_season_in_steps": replace(
        RACES["turn_of_season"],
        before=[
            ("product-policy-updated", SEASON),
            receipt("R-1", 11),
            *(order(f"SO-{number}", 2, ship_complete=number % 2 == 0) for number in range(9)),
        ],
        batch=[receipt("R-2", 3)],
        rules=Rules("placed_at", 2),
    )
}
every_race = pytest.mark.parametrize("name", RACES)


class Ring:
    """A ledger for the batch, a connection for the job, and one that watches."""

    def __init__(self, race: Race, books: Ledger, aside: asyncpg.Connection, watch: asyncpg.Connection) -> None:
        self.race = race
        self.books = books
        self.aside = aside
        self.watch = watch

    async def begin(self) -> None:
        """Make the job due, and nothing else."""
        await self.books.forget()
        self.books.applier._clock = lambda: NOW
        await self.books.apply(*self.race.before)
        self.books.applier._clock = lambda: self.race.now

    async def batch(self) -> None:
        await self.books.apply(*self.race.batch)

    async def job(self) -> None:
        await self.race.job(self.aside, self.race.rules, self.race.now)

    async def sweep(self) -> None:
        """Call every job until nothing is due, as the sweep does."""
        for job in (self.race.job, repeg_products, tell_waitlist):
            more = True
            while more:
                try:
                    more = (await job(self.aside, self.race.rules, self.race.now)).more
                except (OrdersBusyError, UnfinishedCauseError):
                    more = False

    async def outcome(self) -> Any:
        """Sweep what is left; everything that is stored and told then."""
        await self.sweep()
        assert await audit(self.watch) == []
        told = {
            name: [(message.value, message.headers) for message in messages]
            for name, messages in (await self.books.published()).items()
        }
        return await self.books.rows(*TABLES), told

    async def serial(self, *steps: Callable[[], Awaitable[None]]) -> Any:
        """What comes of steps one after the other."""
        await self.begin()
        for step in steps:
            await step()
        return await self.outcome()

    async def serials(self) -> list[Any]:
        """The batch first, or after the job, or after all that is due."""
        return [await self.serial(*steps, self.batch) for steps in ((), (self.job,), (self.sweep,))]

    async def until_one_waits(self) -> None:
        """Wait until a transaction of this database waits for a lock."""
        waiting = "datname = current_database() and wait_event_type = 'Lock'"
        query = f"select exists (select from pg_stat_activity where {waiting})"  # noqa: S608 - ours
        async with asyncio.timeout(PATIENCE_S):
            while not await self.watch.fetchval(query):  # noqa: ASYNC110 - Postgres tells nobody
                await asyncio.sleep(POLL_S)

    async def deadlocks(self) -> int:
        await self.watch.execute("select pg_stat_force_next_flush()")
        query = "select deadlocks from pg_stat_database where datname = current_database()"
        return int(await self.watch.fetchval(query))


@asynccontextmanager
async def ring(database_url: str, name: str) -> AsyncIterator[Ring]:
    aside, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    race = (RACES | STEPS)[name]
    async with ledger(database_url, fill_lines_max=race.rules.fill_lines_max) as books:
        yield Ring(race, books, aside, watch)
        await aside.close()
        await watch.close()


@every_race
async def test_a_batch_that_meets_a_job_at_work_comes_after_it(database_url: str, name: str) -> None:
    async with ring(database_url, name) as found:
        _, second, _ = await found.serials()
        await found.begin()
        async with found.aside.transaction():
            await found.job()
            following = asyncio.create_task(found.batch())
            await found.until_one_waits()
        await following
        assert await found.outcome() == second
        assert await found.deadlocks() == 0


@every_race
async def test_a_job_that_meets_a_batch_at_work_sees_what_it_did(database_url: str, name: str) -> None:
    async with ring(database_url, name) as found:
        first, second, _ = await found.serials()
        assert first != second
        await found.begin()
        connection, batch = await found.books.connection(), found.books.batch(*found.race.batch)
        batch.lessons.lanes |= {("SKU-1", ANY_LOCATION): 99, ("SKU-1", "WH1"): 99}
        async with connection.transaction():
            await apply_batch(connection, batch, RULES, found.race.now, lambda _: None)
            following = asyncio.create_task(found.job())
            await found.until_one_waits()
        await following
        assert await found.outcome() == first
        assert await found.deadlocks() == 0


@every_race
async def test_a_job_and_a_batch_that_each_have_what_the_other_wants_do_not_deadlock(
    database_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The job has the product, the batch the orders; the job stands back."""
    race = RACES[name]
    module, _, function = race.loads.rpartition(".")
    load = getattr(__import__(module, fromlist=[function]), function)
    async with ring(database_url, name) as found:
        serials = await found.serials()
        await found.begin()
        following: list[asyncio.Task[None]] = []

        async def load_late(*arguments: Any) -> Any:
            monkeypatch.undo()
            following.append(asyncio.create_task(found.batch()))
            await found.until_one_waits()
            return await load(*arguments)

        monkeypatch.setattr(race.loads, load_late)
        await found.job()
        await following[0]
        assert await found.outcome() in serials
        assert await found.deadlocks() == 0


@pytest.mark.parametrize("name", RACES | STEPS)
async def test_jobs_and_batches_at_once_end_as_one_after_the_other_would(database_url: str, name: str) -> None:
    async with ring(database_url, name) as found:
        serials = await found.serials()
        for number in range(ROUNDS):
            await found.begin()
            await asyncio.gather(_later(found.aside, number % 8, found.sweep), found.batch())
            assert await found.outcome() in serials, number
        assert await found.deadlocks() == 0


async def _later(connection: asyncpg.Connection, trips: int, step: Callable[[], Awaitable[None]]) -> None:
    """Begin a step some round trips later, so that each time it meets the other one elsewhere."""
    for _ in range(trips):
        await connection.execute("select")
    await step()
