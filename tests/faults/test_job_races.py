"""A job of the sweep and a batch at once on the same rows: no deadlock, and the same as one after the other."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

import build
from bo_worker.domain.account import Terms
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.token import make_token
from bo_worker.service.apply import apply_batch
from bo_worker.service.consent import tell_delays_due
from bo_worker.service.consolidation import release_consolidated
from bo_worker.service.own_supply import order_supply_due
from bo_worker.service.promises import repeg_products
from bo_worker.service.seasons import turn_of_season
from bo_worker.service.waitlist import tell_waitlist
from bo_worker.service.work import OrdersBusyError, Rules
from bo_worker.store.audit import audit
from bo_worker.store.products import UnfinishedCauseError
from consents import SECRET, delay_rules
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
    "sales_order",
    "delay_notice",
    "delay_watch",
    "own_supply",
)


def order(order_id: str, quantity: int = 3, **fields: Any) -> Input:
    return "order-created", build.order(order_id, lines=[build.order_line(quantity=quantity)], **fields)


def receipt(receipt_id: str, quantity: int, **fields: Any) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)], **fields)


def given_up(order_id: str) -> Input:
    return "order-cancelled", build.cancellation(order_id=order_id)


def joined(number: int) -> Input:
    return "waitlist-joined", build.waitlist_entry(f"W-{number}", joined_at=f"2026-11-21T09:{number:02}:00Z")


def coming(version: int, day: str) -> Input:
    line = build.purchase_order_line(quantity=3, expected_from=day, expected_to=day)
    return "purchase-order-updated", build.purchase_order("PO-2", version, lines=[line])


def pair(order_id: str) -> Input:
    """An order of which a part is there, which waits for the rest, as that comes soon."""
    lines = [build.order_line("1", "SKU-2", 1), build.order_line("2", "SKU-1", 1)]
    return "order-created", build.order(order_id, lines=lines)


def answer(choice: str) -> Input:
    """The answer to the first notice of SO-1."""
    respond_by = datetime(2026, 11, 27, 23, 59, 59, tzinfo=UTC)
    token = make_token(SECRET, "SO-1", 1, respond_by)
    return "customer-response", build.response("RS-1", choice, order_id="SO-1", token=token)


TRUCK = build.purchase_order("PO-1", status="in_transit", lines=[build.purchase_order_line(quantity=8)])
SEASON = build.policy(kind="seasonal", release_on="2026-12-01", season_ends_on="2026-12-24")


@dataclass(frozen=True)
class Race:
    """What makes a job due at an instant, and the batch that meets it. The job loads `loads` under its locks.

    Before all that come `parts`: inputs, and the jobs that do what these make due.
    """

    job: Job
    loads: str
    before: Sequence[Input]
    batch: Sequence[Input]
    now: datetime = NOW
    rules: Rules = RULES
    parts: Sequence[tuple[Sequence[Input], Sequence[Job]]] = ()


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
    "order_supply": Race(
        order_supply_due,
        "bo_worker.service.own_supply.find_unordered",
        [order("SO-1"), order("SO-2", 2), ("product-policy-updated", build.policy(kind="drop_ship"))],
        [order("SO-3"), given_up("SO-2")],
    ),
    "turn_of_season": Race(
        turn_of_season,
        "bo_worker.service.freed.load_lanes",
        [("product-policy-updated", SEASON), receipt("R-1", 4), order("SO-1"), order("SO-2"), order("SO-3")],
        [receipt("R-2", 3), given_up("SO-1")],
        TURNED,
    ),
    "release_consolidated": Race(
        release_consolidated,
        "bo_worker.service.consolidation.load_orders",
        [],
        [receipt("R-3", 2), given_up("SO-2")],
        NOW + timedelta(days=6),
        Rules("placed_at", 5_000, terms=Terms(choices=ChoiceTerms(consolidate_days=5))),
        [
            (
                [
                    coming(1, "2026-11-24"),
                    ("inventory-received", build.receipt("R-2", lines=[build.receipt_line(sku="SKU-2")])),
                ],
                [repeg_products],
            ),
            ([pair("SO-1"), pair("SO-2"), pair("SO-3")], [repeg_products]),
        ],
    ),
    "tell_delays": Race(
        tell_delays_due,
        "bo_worker.service.consent.load_consents",
        [],
        [answer("keep"), receipt("R-3", 1)],
        rules=delay_rules(),
        parts=[
            ([coming(1, "2026-12-05"), order("SO-1")], [repeg_products]),
            ([coming(2, "2027-01-20")], [repeg_products, tell_delays_due]),
            ([coming(3, "2027-03-20")], [repeg_products]),
        ],
    ),
}
RACES["tell_delays_cancelled"] = replace(RACES["tell_delays"], batch=[answer("cancel")])
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
        for inputs, jobs in self.race.parts:
            await self.books.apply(*inputs)
            for job in jobs:
                while (await job(self.aside, self.race.rules, NOW)).more:
                    pass
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
    async with ledger(database_url, fill_lines_max=race.rules.fill_lines_max, terms=race.rules.terms) as books:
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

        async def load_late(*arguments: Any, **named: Any) -> Any:
            monkeypatch.undo()
            following.append(asyncio.create_task(found.batch()))
            await found.until_one_waits()
            return await load(*arguments, **named)

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
