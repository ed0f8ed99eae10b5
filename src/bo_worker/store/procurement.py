"""What purchasing was told, who waits, and what closes backorders: in and out of the database."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bo_worker.domain.closing import WINDOW_DAYS, Churn, Queue
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    import asyncpg

    from bo_worker.domain.stock import Product


async def save_procurement(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write what purchasing was told of those products of which it heard something."""
    rows = [
        (
            product.sku,
            product.procurement_sequence,
            product.reorder_told,
            product.expedite_told,
            product.closed_reason,
            product.review_on,
        )
        for product in products
        if product.is_procurement_changed
    ]
    await execute_rows(connection, "update_procurement", rows)


async def describe_queues(connection: asyncpg.Connection, skus: Collection[str]) -> dict[str, Queue]:
    """Return who waits for products, those left out for whom nobody does. The products are locked."""
    if not skus:
        return {}
    rows = await connection.fetch(QUERIES["describe_queues"], list(skus))
    return {
        row["sku"]: Queue(
            row["orders"],
            row["need_by"] and row["need_by"].date(),
            row["promised_to"],
            row["is_unpromised"],
            row["placed_at"].date(),
        )
        for row in rows
    }


async def sum_waiting(connection: asyncpg.Connection, skus: Collection[str]) -> dict[str, dict[str, int]]:
    """Return the units that wait for products, by SKU and pin; a pin is that of a line that waits to be paid too."""
    found: dict[str, dict[str, int]] = {}
    if skus:
        for row in await connection.fetch(QUERIES["sum_waiting"], list(skus)):
            found.setdefault(row["sku"], {})[row["pin"]] = row["units"]
    return found


async def count_churn(connection: asyncpg.Connection, products: Collection[Product], today: date) -> None:
    """Add to today's counts what began to wait and what was cancelled. The products are locked."""
    rows = sorted((product.sku, product.joined, product.dropped) for product in products)
    await execute_rows(connection, "add_backorder_day", rows, today)


async def load_churn(connection: asyncpg.Connection, skus: Collection[str], today: date) -> dict[str, Churn]:
    """Return what was counted in the window that ends today. The products are locked."""
    if not skus:
        return {}
    rows = await connection.fetch(QUERIES["sum_backorder_days"], list(skus), _before_window(today))
    return {row[0]: Churn(row[1], row[2]) for row in rows}


async def drop_churn(connection: asyncpg.Connection, skus: Collection[str], today: date) -> None:
    """Forget what was counted before the window that ends today."""
    await connection.execute(QUERIES["drop_backorder_days"], list(skus), _before_window(today))


async def find_reviews(connection: asyncpg.Connection, today: date, products_max: int) -> list[str]:
    """Return SKUs of which it is due to ask whether lines may wait."""
    return [row[0] for row in await connection.fetch(QUERIES["find_reviews"], today, products_max)]


def _before_window(today: date) -> date:
    return today - timedelta(days=WINDOW_DAYS)
