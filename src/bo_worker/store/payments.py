"""What is known of the money for orders, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.domain.commands import Price
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.money import is_priced
from bo_worker.domain.pay_back import given_up
from bo_worker.domain.payment import OrderPayment
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.payment import Units


async def load_payments(
    connection: asyncpg.Connection, orders: Mapping[str, Order], order_ids: Collection[str]
) -> None:
    """Set the payments and prices of those `orders` that have one; they were loaded whole. None, no statement."""
    if not order_ids:
        return
    await load_prices(connection, [orders[order_id] for order_id in order_ids])
    for row in await connection.fetch(QUERIES["load_payments"], list(order_ids)):
        order = orders[row["order_id"]]
        if any(map(is_priced, order.lines)):
            order.payment = _payment(order, row)


async def load_prices(connection: asyncpg.Connection, orders: Collection[Order]) -> None:
    """Set the prices of the lines of orders, and where these go to. No orders, no statement."""
    if not orders:
        return
    lines = {(order.order_id, line.position): line for order in orders for line in order.lines}
    rows = await connection.fetch(QUERIES["load_prices"], [order.order_id for order in orders])
    for order_id, position, amount, currency, country in rows:
        line = lines[order_id, position]
        line.unit_price = Price(amount, currency)
        line.order.ship_to_country = country


def _payment(order: Order, row: asyncpg.Record) -> OrderPayment:
    """Return a stored payment, a new one for an order that a worker without payments took in."""
    payment = OrderPayment(row["status"], row["authorization_id"], row["capture_before"])
    if row["paid_back"] is None:
        payment.paid_back = given_up(order)
        return payment
    payment.news = (row["news_at"], row["news_id"]) if row["news_at"] else None
    payment.replaced_id = row["replaced_id"]
    payment.asked_at = row["asked_at"]
    payment.asked_without = _load_units(row["asked_without"]) if row["asked_without"] else None
    payment.deadline = row["deadline"]
    payment.paid_back = _load_units(row["paid_back"])
    payment.refunding = _load_units(row["refunding"])
    payment.due_at = row["due_at"]
    payment.is_new = False
    return payment


async def save_payments(connection: asyncpg.Connection, orders: Iterable[Order]) -> None:
    """Write payments that changed, and where lines may be served that were suspended or may be served again."""
    followed = [(order, order.payment) for order in orders if order.payment is not None]
    if not followed:
        return
    changed = [(order, payment) for order, payment in followed if payment.is_changed]
    await execute_rows(connection, "save_payments", [_row(order, payment) for order, payment in changed])
    unmarked = [
        order.order_id
        for order, payment in changed
        if payment.is_new and not (order.is_new and payment.authorization_id)
    ]
    if unmarked:
        await connection.execute(QUERIES["mark_followed"], unmarked)
    pins = [_pin(line) for order, _ in followed for line in order.lines if line.is_pin_changed]
    await execute_rows(connection, "update_pins", pins)


def _row(order: Order, payment: OrderPayment) -> tuple[Any, ...]:
    news_at, news_id = payment.news or (None, None)
    return (
        order.order_id,
        payment.status,
        payment.authorization_id,
        payment.capture_before,
        news_at,
        news_id,
        payment.replaced_id,
        payment.asked_at,
        None if payment.asked_without is None else _dump_units(payment.asked_without),
        payment.deadline,
        _dump_units(payment.paid_back),
        _dump_units(payment.refunding),
        payment.due_at,
    )


def _pin(line: OrderLine) -> tuple[Any, ...]:
    return line.order.order_id, line.position, line.location or ANY_LOCATION


def _dump_units(units: Units) -> str:
    return orjson.dumps({str(position): count for position, count in sorted(units.items())}).decode()


def _load_units(text: str) -> Units:
    return {int(position): count for position, count in orjson.loads(text).items()}


async def find_payments_due(
    connection: asyncpg.Connection, now: datetime, orders_max: int, *, failed: bool
) -> list[str]:
    """Return the ids of orders whose payment is due: failed ones, or those whose authorization runs out."""
    rows = await connection.fetch(QUERIES["find_payments_due"], now, failed, orders_max)
    return [row["order_id"] for row in rows]
