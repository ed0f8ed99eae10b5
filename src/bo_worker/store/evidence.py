"""All that is known of one order, to be kept or handed over: what was promised, told, answered and done, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bo_worker.store.queries import QUERIES
from bo_worker.store.reports import report_order

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.store.reports import Report


async def report_evidence(connection: asyncpg.Connection, order_id: str) -> Report | None:
    """Return what `report_order` does, the customer and amendments as they came, and the first promises.

    None if there is no such order.
    """
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        order = await report_order(connection, order_id)
        if order is None:
            return None
        ((customer, amendments),) = await connection.fetch(QUERIES["report_customer"], order_id)
        promises = [dict(row) for row in await connection.fetch(QUERIES["report_promised"], order_id)]
    amended = {name: {"at": at, "by": by} for name, (at, by) in orjson.loads(amendments).items()}
    return {**order, "customer": orjson.loads(customer), "amended": amended, "promises": promises}
