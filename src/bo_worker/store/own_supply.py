"""Supply that is ordered for one order alone: for which lines it was asked for, and for which products it is due."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import date

    import asyncpg


class Unordered(NamedTuple):
    """A waiting line for which no supply was asked for; `pin` is the one location that may serve it, if any."""

    order_id: str
    position: int
    pin: str
    backordered: int
    expected_to: date | None


async def save_own_supply(connection: asyncpg.Connection, lines: Sequence[tuple[str, int]]) -> None:
    """Note lines (order id, position) for which supply was asked for. Their orders' keys or products are locked."""
    await execute_rows(connection, "save_own_supply", lines)


async def find_own_supply(connection: asyncpg.Connection, lines: Sequence[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return those of some lines (order id, position) for which supply was asked for. Their products are locked."""
    rows = await connection.fetch(QUERIES["find_own_supply"], *map(list, zip(*lines, strict=True)))
    return {(row["order_id"], row["position"]) for row in rows}


async def save_own_supply_due(connection: asyncpg.Connection, skus: Collection[str]) -> None:
    """Note that supply is to be asked for, for lines that wait already. The products are locked."""
    await execute_rows(connection, "save_own_supply_due", [(sku,) for sku in sorted(skus)])


async def find_own_supply_due(connection: asyncpg.Connection) -> str | None:
    """Return a SKU for which supply is to be asked for, and that waits for no unfinished cause."""
    found: str | None = await connection.fetchval(QUERIES["find_own_supply_due"])
    return found


async def find_unordered(connection: asyncpg.Connection, sku: str, lines_max: int) -> list[Unordered]:
    """Return lines that wait for a product, and for which no supply was asked for. The product is locked."""
    rows = await connection.fetch(QUERIES["find_unordered"], sku, lines_max)
    return [Unordered(*row) for row in rows]


async def drop_own_supply_due(connection: asyncpg.Connection, sku: str) -> None:
    """Note that for a product all was asked for. It is locked."""
    await connection.execute(QUERIES["drop_own_supply_due"], sku)
