"""Two workers at once on one database: neither oversells, deadlocks, inverts, nor writes what is not its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest

import build
from bo_worker.messages.packing import pack
from bo_worker.messages.record import Message
from bo_worker.service.apply import apply_batch
from bo_worker.store.keys import Key, lock_keys, save_keys
from bo_worker.store.outbox import append_outbox
from bo_worker.store.positions import StalePositionError
from direct import direct_workers
from world import PATIENCE_S, POLL_S, placed, received

ROUNDS = 200


async def test_of_two_orders_for_the_last_unit_exactly_one_gets_it(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        await one.apply(received(build.receipt(lines=[_arrival(n) for n in range(ROUNDS)])))
        for n in range(ROUNDS):
            await asyncio.gather(
                one.apply(placed(build.order(f"A-{n}", lines=[_wish(n)]))),
                two.apply(placed(build.order(f"B-{n}", lines=[_wish(n)]))),
            )
        await one.relay()
        rows = await connection.fetch(
            "select sku, sum(released) as released, sum(backordered) as backordered, count(*) as lines"
            " from bo_worker.order_line group by sku"
        )
        stock = await connection.fetch("select on_hand, allocated from bo_worker.stock")
    assert {tuple(row) for row in rows} == {(f"SKU-{n}", 1, 1, 2) for n in range(ROUNDS)}
    assert [tuple(row) for row in stock] == [(1, 1)] * ROUNDS
    kinds = Counter(dict(message.headers)["ce_type"].split(b".")[2] for message in one.published.messages)
    assert (kinds[b"order_confirmed"], kinds[b"order_backordered"], kinds[b"ship"]) == (ROUNDS, ROUNDS, ROUNDS)


async def test_orders_that_share_products_the_other_way_round_never_deadlock(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        lines = [build.order_line(str(number), f"SKU-{number}", 3) for number in range(8)]
        arrivals = [build.receipt_line(str(number), f"SKU-{number}", 3) for number in range(8)]
        for n in range(50):
            await asyncio.gather(
                one.apply(
                    placed(build.order(f"A-{n}", lines=lines)),
                    received(build.receipt(f"RA-{n}", lines=arrivals[::-1])),
                ),
                two.apply(
                    received(build.receipt(f"RB-{n}", lines=arrivals)),
                    placed(build.order(f"B-{n}", lines=lines[::-1])),
                ),
            )
        deadlocks = await connection.fetchval(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
        waiting = await connection.fetchval("select sum(waiting)::bigint from bo_worker.product")
    assert (deadlocks, waiting) == (0, 0)


async def test_an_order_and_the_receipt_that_fills_it_are_published_in_the_order_of_their_commits(
    database_url: str,
) -> None:
    async with direct_workers(database_url, 2) as (_, (one, two)):
        for n in range(40):
            await asyncio.gather(
                one.apply(placed(build.order(f"SO-{n}", lines=[_wish(n)]))),
                two.apply(received(build.receipt(f"R-{n}", lines=[_arrival(n)]))),
                one.relay(),
            )
        await one.relay()
    for place, numbers in one.published.sequences().items():
        assert numbers == list(range(1, len(numbers) + 1)), place


async def test_the_same_order_on_two_partitions_is_placed_once(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        for n in range(20):
            order = placed(build.order(f"SO-{n}", lines=[_wish(n)]))
            receipt = received(build.receipt(f"R-{n}", lines=[_arrival(n)]))
            await asyncio.gather(one.apply(order, receipt), two.apply(receipt, order))
        await one.relay()
        stock = await connection.fetch("select on_hand, allocated from bo_worker.stock")
    assert [tuple(row) for row in stock] == [(1, 1)] * 20
    assert len({dict(message.headers)["ce_id"] for message in one.published.messages}) == len(one.published.messages)


async def test_an_owner_of_before_that_wakes_up_writes_nothing(database_url: str) -> None:
    async with direct_workers(database_url, 1) as (connection, (worker,)):
        await worker.apply(placed(build.order("SO-1")))
        late = worker.batch(placed(build.order("SO-2")), received(build.receipt()))
        await worker.claim(connection, "order-created")
        before = await _everything(connection)
        with pytest.raises(StalePositionError):
            await worker.worker.applier.apply(late)
        assert await _everything(connection) == before


async def test_a_batch_that_does_not_begin_where_its_partition_stands_writes_nothing(database_url: str) -> None:
    async with direct_workers(database_url, 1) as (connection, (worker,)):
        first, second = worker.batch(placed(build.order("SO-1"))), worker.batch(placed(build.order("SO-2")))
        await worker.worker.applier.apply(first)
        before = await _everything(connection)
        rules, clock = worker.worker.applier._rules, worker.worker.applier._clock
        with pytest.raises(StalePositionError):
            await apply_batch(connection, second, rules, clock(), lambda _: None)
        assert await _everything(connection) == before


async def test_of_two_changes_of_one_order_the_slower_earlier_one_is_published_first(database_url: str) -> None:
    async with direct_workers(database_url, 1) as (connection, (worker,)):
        await _know_keys(connection, "SO-1")
        early, late = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
        async with early.transaction():
            await _change(early, "SO-1", 1)
            following = asyncio.create_task(_changed(late, "SO-1", 2))
            await _until_somebody_waits_for_a_lock(connection)
            await worker.relay()
            assert worker.published.messages == []
        await following
        await worker.relay()
        assert worker.published.sequences() == {("fulfillment", b"SO-1"): [1, 2]}
        await early.close()
        await late.close()


async def test_a_row_that_becomes_visible_after_a_later_one_was_published_is_not_passed_over(
    database_url: str,
) -> None:
    async with direct_workers(database_url, 1) as (connection, (worker,)):
        await _know_keys(connection, "SO-1", "SO-2")
        slow, quick = await asyncpg.connect(database_url), await asyncpg.connect(database_url)
        async with slow.transaction():
            await _change(slow, "SO-1", 1)
            await _changed(quick, "SO-2", 1)
            await worker.relay()
            assert worker.published.sequences() == {("fulfillment", b"SO-2"): [1]}
            assert await connection.fetchval("select count(*) from bo_worker.outbox") == 0
        await _changed(quick, "SO-1", 2)
        await worker.relay()
        assert worker.published.sequences() == {("fulfillment", b"SO-2"): [1], ("fulfillment", b"SO-1"): [1, 2]}
        await slow.close()
        await quick.close()


def _wish(n: int) -> build.Data:
    return build.order_line("1", f"SKU-{n}", 1)


def _arrival(n: int) -> build.Data:
    return build.receipt_line(str(n), f"SKU-{n}", 1)


async def _everything(connection: asyncpg.Connection) -> dict[str, list[Any]]:
    """Every row of every table."""
    tables = await connection.fetch("select tablename from pg_tables where schemaname = 'bo_worker'")
    every = "select * from bo_worker.{} as row order by row::text"
    return {table: await connection.fetch(every.format(table)) for (table,) in tables}


async def _know_keys(connection: asyncpg.Connection, *keys: str) -> None:
    await save_keys(connection, [Key(key, is_changed=True) for key in keys])


async def _change(connection: asyncpg.Connection, key: str, sequence: int) -> None:
    """Do to an order what a transaction of a worker does: lock it, then append a message of it to the outbox."""
    await lock_keys(connection, [key])
    change = Message("fulfillment", key.encode(), b"{}", [("ce_sequence", b"%d" % sequence)])
    await append_outbox(connection, 1, pack([change]))


async def _changed(connection: asyncpg.Connection, key: str, sequence: int) -> None:
    async with connection.transaction():
        await _change(connection, key, sequence)


async def _until_somebody_waits_for_a_lock(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await connection.fetchval("select exists (select from pg_locks where not granted)"):  # noqa: ASYNC110 - Postgres tells nobody
            await asyncio.sleep(POLL_S)
