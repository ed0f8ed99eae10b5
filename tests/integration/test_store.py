"""The schema and the SQL on a real Postgres: every query fits, none scans a table, and the constraints refuse."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import date
from typing import TYPE_CHECKING, Any

import asyncpg
import orjson
import pytest
import pytest_asyncio

from bo_worker.config import load_settings
from bo_worker.store.database import connect
from bo_worker.store.migrations import MigrationError, migrate, migration_files, pending_migrations
from bo_worker.store.queries import QUERIES, ranked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NAMES = [name for name, _ in migration_files()]

# Small by nature, asked for seldom and about everything, or ended by a limit (read_outbox).
MAY_SCAN = {
    "explain_rank_by",
    "find_lapsed",
    "find_own_supply_due",
    "find_promises_due",
    "find_waitlist_due",
    "find_suppliers_due",
    "find_reviews",
    "list_unfinished",
    "measure_outbox",
    "newest_outbox",
    "read_outbox",
    "state_rank_by",
}
# Asked by a person, about everything; they lift the ban on plans with scans.
REPORTS = ("audit_", "report_")
INDEX_SCANS = {"Index Scan", "Index Only Scan", "Bitmap Index Scan"}
LANES = (["SKU-7"], [""], [50], 100, 1_000)
DAY = date(2026, 12, 1)
COMPARED: dict[str, tuple[Any, ...]] = {
    "find_moved": (["SKU-7"], [""], [50], [None], [None], [DAY], [None], [1], [20], [DAY], [DAY], 100, 1_000, 1, DAY),
    "load_carried": (["SKU-7"], [""], [50], [1], [10], [20], 100, 1_000),
}


@pytest_asyncio.fixture
async def connection(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection as the worker opens it, with its limits on plans."""
    async with connected(database_url) as found:
        yield found


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    found = await connect(load_settings(database_url=url), "test")
    try:
        yield found
    finally:
        await found.close()


async def test_every_query_fits_the_schema(connection: asyncpg.Connection) -> None:
    refused = {}
    for name, query in QUERIES.items():
        try:
            await connection.prepare(query)
        except asyncpg.PostgresError as error:
            refused[name] = str(error)
    assert refused == {}


async def test_no_query_of_the_worker_scans_a_table_from_end_to_end(connection: asyncpg.Connection) -> None:
    """Asked for a plan that holds for any arguments, with tables still empty: the worst case."""
    await connection.execute("set plan_cache_mode = force_generic_plan")
    scanning = {}
    for name, query in QUERIES.items():
        if name in MAY_SCAN or name.startswith(REPORTS):
            continue
        parameters = (await connection.prepare(query)).get_parameters()
        nulls = f"({', '.join(['null'] * len(parameters))})" if parameters else ""
        await connection.execute(f"prepare planned as {query}")
        plan = await explain(connection, f"execute planned{nulls}")
        await connection.execute("deallocate planned")
        scanned = [node.get("Relation Name") or node["Index Name"] for node in nodes(plan) if reads_all(node)]
        if scanned:
            scanning[name] = scanned
    assert scanning == {}


def reads_all(node: dict[str, Any]) -> bool:
    """Whether a node of a plan reads a table, or all of an index, from end to end."""
    return node["Node Type"] == "Seq Scan" or (node["Node Type"] in INDEX_SCANS and "Index Cond" not in node)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("load_lane_heads", "order_line_queue_by_placed_at"),
        ("load_lane_heads_by_need_by", "order_line_queue_by_need_by"),
    ],
)
@pytest.mark.parametrize("is_analyzed", [False, True], ids=["without statistics", "with statistics"])
async def test_the_head_of_a_queue_is_read_from_its_index(
    connection: asyncpg.Connection, query: str, index: str, *, is_analyzed: bool
) -> None:
    """No sort of the whole queue either: the cost must not depend on how many wait."""
    await fill_queue(connection, lines=10_000, skus=10)
    if is_analyzed:
        await connection.execute("analyze bo_worker.order_line")
    plan = await explain(connection, QUERIES[query], *LANES)
    assert [(node["Node Type"], node["Index Name"]) for node in nodes(plan) if "Index Name" in node] == [
        ("Index Scan", index)
    ]
    assert {"Sort", "Seq Scan", "Incremental Sort"}.isdisjoint(node["Node Type"] for node in nodes(plan))


@pytest.mark.parametrize("rank_by", ["placed_at", "need_by"])
@pytest.mark.parametrize("name", COMPARED)
async def test_a_lane_is_compared_in_the_order_of_its_index_and_not_sorted(
    connection: asyncpg.Connection, name: str, rank_by: str
) -> None:
    await fill_queue(connection, lines=10_000, skus=10)
    await connection.execute("analyze bo_worker.order_line")
    plan = await explain(connection, QUERIES[ranked(name, rank_by)], *COMPARED[name])
    [window] = [node for node in nodes(plan) if node["Node Type"] == "WindowAgg"]
    below = [(node["Node Type"], node.get("Index Name")) for node in nodes(window)]
    assert below[-1] == ("Index Scan", f"order_line_queue_by_{rank_by}")
    assert {kind for kind, _ in below} <= {"WindowAgg", "Limit", "Index Scan", "Subquery Scan", "Result"}


async def test_the_head_of_a_queue_is_the_first_in_rank_up_to_the_units_wanted(
    connection: asyncpg.Connection,
) -> None:
    await fill_queue(connection, lines=100, skus=10)
    rows = await connection.fetch(QUERIES["load_lane_heads"], ["SKU-7", "SKU-3"], ["", ""], [5, 2], 100, 1_000)
    # Two units wait on each line, so three lines are needed for five units.
    assert [tuple(row) for row in rows] == [
        ("SKU-7", "", "SO-00007", 1, 2),
        ("SKU-7", "", "SO-00017", 1, 2),
        ("SKU-7", "", "SO-00027", 1, 2),
        ("SKU-3", "", "SO-00003", 1, 2),
    ]


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        ("insert into bo_worker.stock values ('SKU-1', 'WH1', 1, 2)", "never_oversold"),
        ("insert into bo_worker.stock values ('SKU-1', 'WH1', 1, -1)", "never_oversold"),
        ("update bo_worker.stock set on_hand = 2 where sku = 'SKU-9'", "never_oversold"),
        ("update bo_worker.order_line set backordered = 1", "buckets_sum_to_quantity"),
        ("update bo_worker.order_line set released = released + 1", "buckets_sum_to_quantity"),
        ("update bo_worker.order_line set held = -1, released = 1", "order_line_held_check"),
        ("insert into bo_worker.product (sku, waiting) values ('SKU-1', -1)", "product_waiting_check"),
    ],
)
async def test_the_database_refuses_what_must_never_be(
    connection: asyncpg.Connection, statement: str, constraint: str
) -> None:
    await connection.execute("insert into bo_worker.stock values ('SKU-9', 'WH1', 4, 3)")
    await fill_queue(connection, lines=1, skus=1)
    with pytest.raises(asyncpg.CheckViolationError) as raised:
        await connection.execute(statement)
    assert raised.value.constraint_name == constraint


async def test_migrating_twice_does_nothing_the_second_time(bare_database_url: str) -> None:
    async with connected(bare_database_url) as connection:
        assert await pending_migrations(connection) == NAMES
        assert await migrate(bare_database_url) == NAMES
        assert await migrate(bare_database_url) == []
        assert await pending_migrations(connection) == []


async def test_several_migrators_at_once_apply_every_migration_once(bare_database_url: str) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(migrate(bare_database_url)) for _ in range(5)]
    assert sorted(task.result() for task in tasks) == [[], [], [], [], NAMES]


async def test_a_migration_that_was_changed_after_it_was_applied_is_refused(database_url: str) -> None:
    async with connected(database_url) as connection:
        await connection.execute("update bo_worker.migration set checksum = 'other' where name = $1", NAMES[-1])
        expected = f"migration {NAMES[-1]} was changed after it was applied to this database"
        with pytest.raises(MigrationError, match=expected):
            await migrate(database_url)
        with pytest.raises(MigrationError, match=expected):
            await pending_migrations(connection)


async def test_a_migration_that_fails_leaves_no_trace_and_goes_through_once_its_obstacle_is_gone(
    bare_database_url: str,
) -> None:
    async with connected(bare_database_url) as connection:
        await connection.execute("create schema bo_worker; create view bo_worker.backorder_queue as select 1 as one")
        with pytest.raises(asyncpg.DuplicateTableError):
            await migrate(bare_database_url)
        assert await pending_migrations(connection) == NAMES[1:]
        assert await connection.fetchval("select to_regclass('bo_worker.stock_status')") is None
        await connection.execute("drop view bo_worker.backorder_queue")
        assert await migrate(bare_database_url) == NAMES[1:]


async def explain(connection: asyncpg.Connection, query: str, *arguments: Any) -> dict[str, Any]:
    text = await connection.fetchval(f"explain (format json) {query}", *arguments)
    plan: dict[str, Any] = orjson.loads(text)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


async def fill_queue(connection: asyncpg.Connection, *, lines: int, skus: int) -> None:
    """Let lines of two units wait, spread evenly over products, the oldest first."""
    await connection.execute(
        """
        insert into bo_worker.order_line (
            order_id, position, line_id, sku, pin, quantity, backordered,
            held, released, shipped, cancelled, rejected, claim_count, priority, placed_at
        )
        select
            'SO-' || lpad(number::text, 5, '0'), 1, '1', 'SKU-' || number % $2, '', 2, 2,
            0, 0, 0, 0, 0, 0, 0, '2026-11-21T09:30:00Z'::timestamptz + number * interval '1 second'
        from generate_series(0, $1 - 1) as number
        """,
        lines,
        skus,
    )
