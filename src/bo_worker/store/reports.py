"""What an operator asks: where an order stands, and how a product is. Keys of the answers are stable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from datetime import date

    import asyncpg

QUEUE_LINES_MAX = 20
HISTORY_ENTRIES_MAX = 50

Report = dict[str, Any]


async def report_order(connection: asyncpg.Connection, order_id: str) -> Report | None:
    """Return an order with its lines and claims, where they wait, notices of delays, answers, payment and history.

    None if there is none.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        head = await connection.fetchrow(QUERIES["report_order"], order_id)
        if head is None:
            return None
        await connection.execute(QUERIES["allow_any_plan"])
        lines = await _fetch(connection, "report_order_lines", order_id)
        allocations = await _fetch(connection, "report_allocations", order_id)
        waiting = sorted({line["sku"] for line in lines if line["backordered"]})
        ranks = await _fetch(connection, "report_ranks", order_id, waiting)
        notices = await _fetch(connection, "report_notices", order_id)
        refused_answers = await _fetch(connection, "report_refused_answers", order_id)
        await connection.execute(QUERIES["shun_whole_tables"])
        history = await _fetch(connection, "report_order_history", order_id)
        payments = await _fetch(connection, "report_payment", order_id)
    for line in lines:
        line["queue"] = next((_without_line(rank) for rank in ranks if rank["line_id"] == line["line_id"]), None)
        line["allocations"] = [_without_line(row) for row in allocations if row["line_id"] == line["line_id"]]
    payment = payments[0] if payments else None
    told = {"notices": notices, "refused_answers": refused_answers}
    return {**head, "lines": lines, **told, "history": history, "payment": payment}


async def report_product(connection: asyncpg.Connection, sku: str) -> Report | None:
    """Return a product with its stock, what is on its way, its policy, the head of its queue and its latest history.

    None if it was never heard of.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(QUERIES["allow_any_plan"])
        product = await connection.fetchrow(QUERIES["report_product"], sku)
        if product is None:
            return None
        stock = await _fetch(connection, "report_stock", sku)
        supply = await _fetch(connection, "report_supply", sku)
        queue = await _fetch(connection, "report_queue", sku, QUEUE_LINES_MAX)
        history = await _fetch(connection, "report_product_history", sku, HISTORY_ENTRIES_MAX)
    policy = product["policy"] and orjson.loads(product["policy"])
    return {**product, "policy": policy, "stock": stock, "supply": supply, "queue": queue, "history": history}


async def report_promises(connection: asyncpg.Connection, today: date) -> list[Report]:
    """Return what came of promises until today, by the level at which they were made; lateness in days."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(QUERIES["allow_any_plan"])
        return await _fetch(connection, "report_promises", today)


async def _fetch(connection: asyncpg.Connection, query: str, *arguments: Any) -> list[Report]:
    return [dict(row) for row in await connection.fetch(QUERIES[query], *arguments)]


def _without_line(row: Report) -> Report:
    return {name: value for name, value in row.items() if name != "line_id"}
