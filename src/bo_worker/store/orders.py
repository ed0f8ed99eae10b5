"""Orders, their lines and claims, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.domain.commands import Price
from bo_worker.domain.demand import Claim, Order, OrderLine
from bo_worker.store.payments import load_payments, save_payments
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    import asyncpg

_ORDER_COLUMNS = (
    "order_id", "digest", "placed_at", "priority", "ship_complete", "need_by", "ship_to_country",
    "customer", "authorization_id", "capture_before", "received_at", "amended", "hold_until",
)  # fmt: skip
_LINE_COLUMNS = (
    "order_id", "position", "line_id", "sku", "pin", "quantity", "backordered", "held", "released", "shipped",
    "cancelled", "rejected", "claim_count", "priority", "placed_at", "need_by", "backorder",
    "price_amount", "price_currency", "expected_from", "expected_to", "told_to", "is_promised",
)  # fmt: skip
_CLAIM_COLUMNS = (
    "order_id", "position", "number", "sku", "location", "held", "released", "shipped",
    "fulfillment_id", "lot", "receipt_id", "receipt_line", "pending_cause",
)  # fmt: skip


async def find_order_digests(connection: asyncpg.Connection, order_ids: Collection[str]) -> dict[str, bytes]:
    """Return the digests of those orders that exist."""
    if not order_ids:
        return {}
    rows = await connection.fetch(QUERIES["find_order_digests"], list(order_ids))
    return {row["order_id"]: row["digest"] for row in rows}


async def load_orders(connection: asyncpg.Connection, order_ids: Collection[str], *, whole: bool) -> dict[str, Order]:
    """Return those orders that exist, `whole` or with just the lines on which something waits or is held.

    Lines come with their open claims. Orders whose payment is followed are always whole.
    """
    if not order_ids:
        return {}
    wanted = list(order_ids)
    heads = await connection.fetch(QUERIES["load_orders"], wanted)
    orders = {row["order_id"]: _order(row) for row in heads}
    followed = {row["order_id"] for row in heads if row["has_payment"]}
    rows = await connection.fetch(QUERIES["load_lines" if whole else "load_open_lines"], wanted)
    if followed and not whole:
        rows = [row for row in rows if row["order_id"] not in followed]
        rows += await connection.fetch(QUERIES["load_lines"], list(followed))
    lines = {(row["order_id"], row["position"]): _line(orders[row["order_id"]], row) for row in rows}
    claimed = [place for place, line in lines.items() if line.held or line.released]
    if claimed:
        places = [[order_id for order_id, _ in claimed], [position for _, position in claimed]]
        for row in await connection.fetch(QUERIES["load_claims"], *places):
            lines[row["order_id"], row["position"]].claims.append(_claim(row))
    await load_payments(connection, orders, followed)
    return orders


def _order(row: asyncpg.Record) -> Order:
    return Order(
        row["order_id"],
        row["placed_at"],
        orjson.loads(row["customer"]),
        row["priority"],
        row["ship_complete"],
        row["need_by"],
        amended={name: tuple(version) for name, version in orjson.loads(row["amended"]).items()},
        hold_until=row["hold_until"],
        is_new=False,
    )


def _line(order: Order, row: asyncpg.Record) -> OrderLine:
    _, position, line_id, sku, pin, quantity, *buckets, claim_count, backorder, amount, currency = row[:16]
    price = Price(amount, currency) if amount is not None else None
    line = OrderLine(order, position, line_id, sku, quantity, pin or None, backorder, price, *buckets)
    line.claim_count = claim_count
    line.stands_for, line.expected_to, line.is_promised, line.is_drop_shipped = row[16:]
    order.lines.append(line)
    return line


def _claim(row: asyncpg.Record) -> Claim:
    claim = Claim(*row[2:])
    claim.is_new = False
    return claim


async def save_orders(connection: asyncpg.Connection, orders: Iterable[Order], received_at: datetime) -> None:
    """Write new orders whole, and of others the lines and claims that are new or changed."""
    every = sorted(orders, key=lambda order: order.order_id)
    new = [order for order in every if order.is_new]
    new_lines = [line for order in new for line in order.lines]
    touched = [line for order in every for line in order.lines if line.is_changed and not order.is_new]
    added = [line for order in every for line in order.lines if line.is_new]
    changed = [line for line in touched if not line.is_new]
    await _copy(connection, "sales_order", _ORDER_COLUMNS, [_order_row(order, received_at) for order in new])
    await _copy(connection, "order_line", _LINE_COLUMNS, [_line_row(line) for line in new_lines if not line.is_new])
    added_rows = [(*_line_row(line), line.stands_for) for line in added]
    await _copy(connection, "order_line", (*_LINE_COLUMNS, "stands_for"), added_rows)
    await _copy(
        connection,
        "claim",
        _CLAIM_COLUMNS,
        [_claim_row(line, claim) for line in (*new_lines, *touched) for claim in line.claims if claim.is_new],
    )
    await execute_rows(
        connection, "update_orders", [_terms(order) for order in every if order.is_changed and not order.is_new]
    )
    await execute_rows(connection, "update_lines", [_buckets(line) for line in changed])
    await save_payments(connection, every)
    await execute_rows(
        connection,
        "update_claims",
        [
            _claim_state(line, claim)
            for line in changed
            for claim in line.claims
            if claim.is_changed and not claim.is_new
        ],
    )


async def _copy(
    connection: asyncpg.Connection, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]]
) -> None:
    if rows:
        await connection.copy_records_to_table(table, schema_name="bo_worker", columns=columns, records=rows)


def _order_row(order: Order, received_at: datetime) -> tuple[Any, ...]:
    payment = order.payment
    return (
        order.order_id,
        order.digest,
        order.placed_at,
        order.priority,
        order.ship_complete,
        order.need_by,
        order.ship_to_country,
        orjson.dumps(order.customer).decode(),
        payment.authorization_id if payment else None,
        payment.capture_before if payment else None,
        received_at,
        _dump_amended(order),
        order.hold_until,
    )


def _dump_amended(order: Order) -> str:
    return orjson.dumps(order.amended).decode() if order.amended else "{}"


def _terms(order: Order) -> tuple[Any, ...]:
    return (
        order.order_id,
        order.priority,
        order.ship_complete,
        order.need_by,
        _dump_amended(order),
        order.hold_until,
    )


def _line_row(line: OrderLine) -> tuple[Any, ...]:
    order, price = line.order, line.unit_price
    return (
        order.order_id,
        line.position,
        line.line_id,
        line.sku,
        line.location or "",
        line.quantity,
        line.backordered,
        line.held,
        line.released,
        line.shipped,
        line.cancelled,
        line.rejected,
        line.claim_count,
        order.priority,
        order.placed_at,
        order.need_by,
        line.backorder,
        price.amount if price else None,
        price.currency if price else None,
        line.expected_from,
        line.expected_to,
        line.expected_to,
        line.is_promised,
    )


def _claim_row(line: OrderLine, claim: Claim) -> tuple[Any, ...]:
    return (
        line.order.order_id,
        line.position,
        claim.number,
        line.sku,
        claim.location,
        claim.held,
        claim.released,
        claim.shipped,
        claim.fulfillment_id,
        claim.lot,
        claim.receipt_id,
        claim.receipt_line,
        claim.pending_cause,
    )


def _buckets(line: OrderLine) -> tuple[Any, ...]:
    return (
        line.order.order_id,
        line.position,
        line.backordered,
        line.held,
        line.released,
        line.shipped,
        line.cancelled,
        line.rejected,
        line.claim_count,
        line.order.priority,
        line.order.need_by,
    )


def _claim_state(line: OrderLine, claim: Claim) -> tuple[Any, ...]:
    return (
        line.order.order_id,
        line.position,
        claim.number,
        claim.held,
        claim.released,
        claim.shipped,
        claim.fulfillment_id,
        claim.lot,
        claim.pending_cause,
    )
