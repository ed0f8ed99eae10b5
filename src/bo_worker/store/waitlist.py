"""Customers who want to hear of a product, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from bo_worker.domain.commands import JoinWaitlist
from bo_worker.domain.stock import Waitlist
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.stock import Product


def waitlist_of(row: asyncpg.Record) -> Waitlist | None:
    """Return what a product's row says of its waitlist; None where nobody ever joined."""
    if not row["has_waitlist"]:
        return None
    return Waitlist(row["stock_round"], row["waitlist_told"], row["waitlist_in_stock"], row["waitlist_due"])


async def save_waitlists(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write how far the waitlists of products are. The products are locked and stored."""
    rows = [
        (product.sku, waitlist.round, waitlist.told, waitlist.is_in_stock, waitlist.is_due)
        for product in products
        if (waitlist := product.waitlist) is not None
    ]
    await execute_rows(connection, "save_waitlists", rows)


async def save_joined(connection: asyncpg.Connection, joined: Collection[JoinWaitlist]) -> None:
    """Write new entries; their products are locked."""
    if joined:
        await connection.copy_records_to_table(
            "waitlist_entry",
            schema_name="bo_worker",
            columns=("entry_id", "sku", "quantity", "customer", "joined_at"),
            records=sorted(
                (entry.entry_id, entry.sku, entry.quantity, orjson.dumps(entry.customer).decode(), entry.joined_at)
                for entry in joined
            ),
        )


async def find_waitlist_due(connection: asyncpg.Connection) -> str | None:
    """Return the SKU of a product of whose waitlist somebody may have to be told."""
    rows = await connection.fetch(QUERIES["find_waitlist_due"])
    return str(rows[0]["sku"]) if rows else None


async def load_waitlist(
    connection: asyncpg.Connection, sku: str, stock_round: int, entries_max: int
) -> list[JoinWaitlist]:
    """Return who was not told in a round yet, in order of joining. The product is locked."""
    rows = await connection.fetch(QUERIES["load_waitlist"], sku, stock_round, entries_max)
    return [
        JoinWaitlist(row["entry_id"], sku, orjson.loads(row["customer"]), row["joined_at"], row["quantity"])
        for row in rows
    ]


async def save_told(
    connection: asyncpg.Connection, told: Collection[tuple[JoinWaitlist, int]], stock_round: int, now: datetime
) -> None:
    """Remember who was told in a round, and of how many units. The product is locked."""
    if told:
        units = {entry.entry_id: part for entry, part in told}
        await connection.execute(QUERIES["save_told"], list(units), list(units.values()), stock_round, now)
