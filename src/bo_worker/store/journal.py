"""The journal, appended to by every transaction that changes the account."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.journal import Entry

_COLUMNS = (
    "at",
    "cause",
    "change",
    "quantity",
    "sku",
    "location",
    "order_id",
    "position",
    "fulfillment_id",
    "via",
)


_SKU = attrgetter("sku")


async def append_journal(connection: asyncpg.Connection, entries: Iterable[Entry], at: datetime) -> None:
    """Write entries, those of one product in their order, stamped with the instant of their transaction.

    Neighbours in the index by product are written together, which is less work for the server.
    """
    rows = [
        (
            at,
            entry.cause,
            entry.change,
            entry.quantity,
            entry.sku,
            entry.location,
            entry.order_id,
            entry.position,
            entry.fulfillment_id,
            entry.via,
        )
        for entry in sorted(entries, key=_SKU)
    ]
    if rows:
        await connection.copy_records_to_table("journal", schema_name="bo_worker", columns=_COLUMNS, records=rows)
