"""The money for an order comes while its time runs out: one of the two is first, and the account knows which."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg

import build
from bo_worker.service.apply import apply_batch
from bo_worker.service.payments import give_up_unpaid, renew_authorizations
from bo_worker.service.work import OrdersBusyError, Rules
from bo_worker.store.audit import audit
from ledger import NOW, Ledger, ledger
from world import PATIENCE_S, POLL_S

if TYPE_CHECKING:
    from streams import Input

RULES = Rules("placed_at", 5_000)
DEADLINE = NOW + timedelta(hours=72)
TABLES = ("order_line", "claim", "stock", "product", "message_key", "order_payment")
ROUNDS = 20


def order(order_id: str, quantity: int = 3, **fields: Any) -> Input:
    priced = build.order_line(quantity=quantity, unit_price={"amount": "10.00", "currency": "USD"})
    return "order-created", build.order(order_id, lines=[priced], **fields)


def news(number: int, status: str, **fields: Any) -> Input:
    at = f"2026-11-21T10:00:0{number}Z"
    return "payment-updated", build.payment(f"P-{number}", status, order_id="SO-1", occurred_at=at, **fields)


async def begin(books: Ledger) -> None:
    """SO-1 holds two units that it did not pay for, and SO-2 waits behind it."""
    await books.forget()
    books.now = NOW
    brought = build.receipt("R-1", lines=[build.receipt_line(quantity=2)])
    await books.apply(
        order("SO-1", payment={"authorization_id": "A-1"}),
        order("SO-2", placed_at="2026-11-21T11:00:00Z"),
        news(1, "failed"),
        ("inventory-received", brought),
    )
    books.now = DEADLINE


async def pay(books: Ledger) -> None:
    await books.apply(news(2, "authorized", authorization_id="A-2"))


async def sweep(connection: asyncpg.Connection) -> None:
    for job in (renew_authorizations, give_up_unpaid):
        more = True
        while more:
            try:
                more = (await job(connection, RULES, DEADLINE)).more
            except OrdersBusyError:
                more = False


async def outcome(books: Ledger, watch: asyncpg.Connection) -> Any:
    await sweep(watch)
    assert await audit(watch) == []
    told = {name: [one.value for one in messages] for name, messages in (await books.published()).items()}
    return await books.rows(*TABLES), told


async def serials(books: Ledger, watch: asyncpg.Connection) -> list[Any]:
    """Paid first, or given up first."""
    await begin(books)
    await pay(books)
    first = await outcome(books, watch)
    await begin(books)
    await sweep(watch)
    await pay(books)
    return [first, await outcome(books, watch)]


async def until_one_waits(watch: asyncpg.Connection) -> None:
    query = (
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')"
    )
    async with asyncio.timeout(PATIENCE_S):
        while not await watch.fetchval(query):  # noqa: ASYNC110 - Postgres tells nobody
            await asyncio.sleep(POLL_S)


async def test_who_pays_first_keeps_the_units_though_the_deadline_is_met_meanwhile(database_url: str) -> None:
    aside, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    async with ledger(database_url) as books:
        paid_first, given_up_first = await serials(books, watch)
        assert paid_first != given_up_first
        await begin(books)
        connection, batch = await books.connection(), books.batch(news(2, "authorized", authorization_id="A-2"))
        async with connection.transaction():
            await apply_batch(connection, batch, RULES, DEADLINE, lambda _: None)
            following = asyncio.create_task(sweep(aside))
            await until_one_waits(watch)
        await following
        assert await outcome(books, watch) == paid_first
        await aside.close()
        await watch.close()


async def test_who_pays_while_units_are_given_up_gets_the_next_ones_at_the_old_rank(database_url: str) -> None:
    aside, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    async with ledger(database_url) as books:
        _, given_up_first = await serials(books, watch)
        await begin(books)
        async with aside.transaction():
            await sweep(aside)
            following = asyncio.create_task(pay(books))
            await until_one_waits(watch)
        await following
        assert await outcome(books, watch) == given_up_first
        await aside.close()
        await watch.close()


async def test_paying_and_giving_up_at_once_end_as_one_after_the_other_would(database_url: str) -> None:
    aside, watch = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
    async with ledger(database_url) as books:
        possible = await serials(books, watch)
        for number in range(ROUNDS):
            await begin(books)
            await asyncio.gather(later(aside, number % 5), pay(books))
            assert await outcome(books, watch) in possible, number
        await aside.close()
        await watch.close()


async def later(connection: asyncpg.Connection, trips: int) -> None:
    """Sweep some round trips later, so that each time it meets the batch elsewhere."""
    for _ in range(trips):
        await connection.execute("select")
    await sweep(connection)
