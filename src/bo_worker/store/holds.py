"""Orders of which some units are there and wait for the rest, as the database finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    import asyncpg


async def find_passed_holds(connection: asyncpg.Connection, before: date, orders_max: int) -> list[str]:
    """Return orders whose units have waited for the rest of them until before a day, those of longest ago first."""
    return [row[0] for row in await connection.fetch(QUERIES["find_passed_holds"], before, orders_max)]


async def find_held_orders(connection: asyncpg.Connection, order_ids: Collection[str]) -> list[str]:
    """Return those orders of which units wait for the rest, in order."""
    return sorted(row[0] for row in await connection.fetch(QUERIES["find_held_orders"], list(order_ids)))
