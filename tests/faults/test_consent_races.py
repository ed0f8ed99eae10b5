"""Answers, silence and receipts at once on one line: one of them wins, whole, and everybody hears the same."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import orjson

import build
from bo_worker.service.consent import end_silences_due, tell_delays_due
from bo_worker.store.audit import audit
from consents import delay_rules
from direct import direct_workers
from world import message, placed, received

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.messages.record import Message
    from direct import DirectWorker

ROUNDS = 120
TOLD = datetime(2026, 12, 18, 12, tzinfo=UTC)
SILENT = TOLD + timedelta(days=7)
RULES = delay_rules()


async def wait_for_answers(connection: asyncpg.Connection, worker: DirectWorker) -> dict[str, str]:
    """Let orders wait for a product each until their customers are told; return the tokens."""
    for n in range(ROUNDS):
        lines = [build.order_line(sku=f"SKU-{n}")]
        await worker.apply(placed(build.order(f"SO-{n}", lines=lines, ship_to_country="US")))
    while (await tell_delays_due(connection, RULES, TOLD)).more:
        pass
    await worker.relay()
    found = [orjson.loads(told.value or b"") for told in worker.published.messages]
    return {data["order_id"]: data["token"] for data in found if data.get("kind") == "delay_notice"}


def answer(n: int, choice: str, token: str) -> Message:
    fields = {"order_id": f"SO-{n}", "token": token, "responded_at": TOLD.isoformat()}
    return message("customer-response", build.response(f"RS-{n}", choice, **fields))


def arrival(n: int) -> Message:
    return received(build.receipt(f"R-{n}", lines=[build.receipt_line(sku=f"SKU-{n}", quantity=3)]))


async def endings(connection: asyncpg.Connection) -> list[tuple[str, str | None, int, int, int]]:
    """Of each line the outcome of its notice, the answer, and its units waiting, released and cancelled."""
    rows = await connection.fetch(
        "select outcome, answer, backordered, released, cancelled from bo_worker.delay_notice"
        " join bo_worker.order_line using (order_id, position)"
    )
    return [tuple(row) for row in rows]


async def later(connection: asyncpg.Connection, trips: int) -> None:
    """Begin some round trips later, so that each time the two meet elsewhere."""
    for _ in range(trips):
        await connection.execute("select")


async def test_of_a_customer_who_cancels_and_a_receipt_that_fills_exactly_one_wins(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        tokens = await wait_for_answers(connection, one)

        async def receive(n: int) -> None:
            await later(connection, n % 12)
            await two.apply(arrival(n))

        for n in range(ROUNDS):
            await asyncio.gather(one.apply(answer(n, "cancel", tokens[f"SO-{n}"])), receive(n))
        found = await endings(connection)
        free = await connection.fetchval("select sum(on_hand - allocated)::bigint from bo_worker.stock")
        assert await audit(connection) == []
        await one.relay()
    won = [("filled", "cancel", 0, 3, 0), ("cancelled", "cancel", 0, 0, 3)]
    assert (len(found), set(found) - set(won)) == (ROUNDS, set())
    assert free == 3 * found.count(won[1])
    kinds = [orjson.loads(told.value or b"").get("kind") for told in one.published.messages]
    assert [kinds.count("backorder_filled"), kinds.count("order_cancelled")] == [found.count(case) for case in won]
    assert [told.topic for told in one.published.messages if told.topic.endswith(".dlq")] == []


async def test_of_silence_a_late_consent_and_a_receipt_exactly_one_decides(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        tokens = await wait_for_answers(connection, one)
        await connection.execute("update bo_worker.delay_watch set respond_by = respond_by + interval '1 year'")
        await connection.execute("update bo_worker.delay_notice set respond_by = respond_by + interval '1 year'")

        async def end(n: int) -> None:
            await later(connection, n % 7)
            while (await end_silences_due(connection, RULES, SILENT)).more:
                pass

        for n in range(ROUNDS):
            for table in ("delay_watch", "delay_notice"):
                await connection.execute(
                    f"update bo_worker.{table} set respond_by = $2 where order_id = $1",  # noqa: S608 - ours
                    f"SO-{n}",
                    SILENT - timedelta(days=1),
                )
            answers = [answer(n, "keep", tokens[f"SO-{n}"])] if n % 2 else []
            await asyncio.gather(one.apply(*answers), two.apply(arrival(n)), end(n))
        found = await endings(connection)
        assert await audit(connection) == []
        deadlocks = await connection.fetchval(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
    # A late answer is refused once it is decided; what was kept is filled by the receipt that follows.
    decided = [
        ("filled", None, 0, 3, 0),
        ("filled", "keep", 0, 3, 0),
        ("kept", "keep", 0, 3, 0),
        ("cancelled_by_silence", None, 0, 0, 3),
    ]
    assert (len(found), set(found) - set(decided), deadlocks) == (ROUNDS, set(), 0)
