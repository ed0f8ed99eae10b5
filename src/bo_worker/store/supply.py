"""Purchase orders and what they bring, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.lateness import History
from bo_worker.domain.supply import PurchaseOrder, SupplyLine
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date

    import asyncpg

    from bo_worker.domain.stock import Product
    from bo_worker.domain.supply import Delivery

# The newest deliveries of a supplier tell how it is now.
_DELIVERIES_MAX = 200


async def lock_purchase_orders(
    connection: asyncpg.Connection, purchase_order_ids: Collection[str]
) -> dict[str, PurchaseOrder]:
    """Lock purchase orders in order and load their lines. Those that are new are left out."""
    if not purchase_order_ids:
        return {}
    rows = await connection.fetch(QUERIES["lock_purchase_orders"], list(purchase_order_ids))
    orders = {row[0]: _order(row) for row in rows}
    for row in await connection.fetch(QUERIES["load_purchase_order_lines"], list(orders)) if orders else ():
        line = _line(row)
        orders[line.purchase_order_id].lines[line.line_id, line.sku] = line
    return orders


async def load_supply(
    connection: asyncpg.Connection, products: Iterable[Product], orders: Iterable[PurchaseOrder]
) -> None:
    """Let products know what is on its way to them. They are locked; lines of `orders` are the ones to change."""
    known = {line.key: line for order in orders for line in order.lines.values()}
    wanted = {product.sku: product for product in products if product.incoming_before}
    for row in await connection.fetch(QUERIES["load_supply"], list(wanted)) if wanted else ():
        line = _line(row)
        wanted[line.sku].supply[line.key] = known.get(line.key, line)


def _order(row: asyncpg.Record) -> PurchaseOrder:
    order = PurchaseOrder(*row)
    order.is_new = False
    return order


def _line(row: asyncpg.Record) -> SupplyLine:
    line = SupplyLine(*row)
    line.is_new = False
    return line


async def load_histories(
    connection: asyncpg.Connection, suppliers: Collection[tuple[str, str]]
) -> dict[tuple[str, str], History]:
    """Return how late suppliers were, by (supplier id, SKU): with that SKU, and with all of them."""
    if not suppliers:
        return {}
    own: dict[tuple[str, str], list[int]] = {}
    every: dict[str, list[int]] = {}
    rows = await connection.fetch(
        QUERIES["load_histories"],
        [supplier_id for supplier_id, _ in suppliers],
        [sku for _, sku in suppliers],
        _DELIVERIES_MAX,
    )
    for supplier_id, sku, is_own, late_days in rows:
        days = own.setdefault((supplier_id, sku), []) if is_own else every.setdefault(supplier_id, [])
        days.append(late_days)
    return {key: History(own.get(key, ()), every.get(key[0], ())) for key in suppliers}


async def save_purchase_orders(connection: asyncpg.Connection, orders: Iterable[PurchaseOrder]) -> None:
    """Write purchase orders that changed, with the lines that did.

    A new one that somebody else stored meanwhile makes this fail with UniqueViolationError: try the batch again.
    """
    changed = sorted((order for order in orders if order.is_changed), key=lambda order: order.purchase_order_id)
    new = [_order_row(order) for order in changed if order.is_new]
    await execute_rows(connection, "insert_purchase_orders", new)
    old = [_order_row(order) for order in changed if not order.is_new]
    await execute_rows(connection, "update_purchase_orders", old)
    lines = sorted((line for order in changed for line in order.lines.values()), key=lambda line: line.key)
    await execute_rows(connection, "save_supply", [_line_row(line) for line in lines if line.is_changed])


def _order_row(order: PurchaseOrder) -> tuple[object, ...]:
    return (
        order.purchase_order_id,
        order.version,
        order.digest,
        order.supplier_id,
        order.location,
        order.status,
    )


def _line_row(line: SupplyLine) -> tuple[object, ...]:
    return (
        line.purchase_order_id,
        line.line_id,
        line.sku,
        line.supplier_id,
        line.location,
        line.status,
        line.quantity,
        line.received,
        line.expected_from,
        line.expected_to,
        line.due_on,
        line.promised_on,
        line.last_received_on,
        line.is_overdue,
    )


async def save_deliveries(
    connection: asyncpg.Connection, deliveries: Collection[Delivery], doubted: Collection[str]
) -> None:
    """Remember when the last units of purchase order lines came.

    Their suppliers and those in `doubted` are due to be estimated anew, and locked, the last locks of all.
    """
    if deliveries:
        rows = [
            (one.purchase_order_id, one.line_id, one.sku, one.supplier_id, one.due_on, one.received_on)
            for one in deliveries
        ]
        await execute_rows(connection, "save_deliveries", rows)
    if deliveries or doubted:
        due = {one.supplier_id for one in deliveries}.union(doubted)
        await connection.execute(QUERIES["mark_suppliers"], sorted(due))


async def find_supplier_due(connection: asyncpg.Connection, today: date) -> tuple[str, str] | None:
    """Return a supplier whose open supply is to be estimated anew, and the purchase order after which to go on."""
    row = await connection.fetchrow(QUERIES["find_suppliers_due"], today)
    return (row["supplier_id"], row["estimated_to"]) if row else None


async def find_open_supply(
    connection: asyncpg.Connection, supplier_id: str, after: str, orders_max: int
) -> list[str]:
    """Return the next purchase orders of a supplier with supply that counts."""
    return [row[0] for row in await connection.fetch(QUERIES["find_open_supply"], supplier_id, after, orders_max)]


async def update_supplier(
    connection: asyncpg.Connection, supplier_id: str, estimated_to: str | None, today: date
) -> None:
    """Store how far the open supply of a supplier was estimated anew, None for all of it; locks the supplier."""
    await connection.execute(QUERIES["update_supplier"], supplier_id, estimated_to, today)


async def find_lapsed(connection: asyncpg.Connection, today: date, orders_max: int) -> list[str]:
    """Return purchase orders with lines whose day passed and of which nothing came."""
    return [row[0] for row in await connection.fetch(QUERIES["find_lapsed"], today, orders_max)]
