"""What the per-message worker does in the transaction of one message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.baseline_messages import event, message_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from asyncpg.pool import PoolConnectionProxy
    from benchmarks.baseline_messages import InventoryReceived, Line, Message, OrderCreated


class Given(NamedTuple):
    """Units of one order line, and where they are."""

    line_id: str
    sku: str
    location: str
    quantity: int


# Where a product is kept that nobody has received yet.
DEFAULT_LOCATION = "WH1"
ADD_ORDER = """
insert into baseline.customer_order (order_id, placed_at, customer, notifications, fulfillments)
values ($1, $2, $3, 1, $4) on conflict do nothing returning order_id
"""
ADD_RECEIPT = """
insert into baseline.receipt (receipt_id, location, received_at) values ($1, $2, $3)
on conflict do nothing returning receipt_id
"""
# A product that nobody keeps yet gets a row to lock.
ADD_STOCK = """
insert into baseline.stock (sku, location, on_hand, allocated)
select distinct sku, $2::text, 0, 0 from unnest($1::text[]) as each (sku) order by sku
on conflict do nothing
"""
LOCK_STOCK = """
select sku, location, on_hand - allocated as available from baseline.stock
where sku = any($1::text[])
order by sku, location
for update
"""
ADD_LINES = """
insert into baseline.order_line (order_id, line_id, sku, quantity, backordered)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
"""
ADD_CLAIMS = """
insert into baseline.claim (order_id, line_id, location, quantity, fulfillment_id)
select * from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[])
"""
ALLOCATE = """
update baseline.stock set allocated = allocated + given.quantity
from (
    select sku, location, sum(quantity) as quantity
    from unnest($1::text[], $2::text[], $3::bigint[]) as each (sku, location, quantity)
    group by sku, location
) as given
where stock.sku = given.sku and stock.location = given.location
"""
RECEIVE = """
insert into baseline.stock as mine (sku, location, on_hand, allocated)
select sku, $2::text, sum(quantity), 0
from unnest($1::text[], $3::bigint[]) as each (sku, quantity) group by sku
on conflict (sku, location) do update set on_hand = mine.on_hand + excluded.on_hand
"""
WAITING = """
select line.order_id, line.line_id, line.backordered
from baseline.order_line as line join baseline.customer_order as placed using (order_id)
where line.sku = $1 and line.backordered > 0
order by placed.placed_at, line.order_id, line.line_id
limit $2
for update
"""
FILL = "update baseline.order_line set backordered = backordered - $3 where order_id = $1 and line_id = $2"
COUNT_EVENTS = """
update baseline.customer_order
set notifications = notifications + 1, fulfillments = fulfillments + 1
where order_id = $1
returning notifications, fulfillments, customer
"""
ADD_MESSAGES = """
insert into baseline.outbox (topic, key, headers, value)
select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
"""


async def place_order(connection: PoolConnectionProxy, order: OrderCreated) -> None:
    """Give the order what is free; the rest of it waits. A second delivery has no effect."""
    available = await _lock_stock(connection, [line.sku for line in order.lines], DEFAULT_LOCATION)
    given = [part for line in order.lines for part in _take(available[line.sku], line)]
    locations = list(dict.fromkeys(part.location for part in given))
    customer = order.customer.model_dump_json(exclude_none=True)
    if not await connection.fetchval(ADD_ORDER, order.order_id, order.placed_at, customer, len(locations)):
        return
    served = {line.line_id: 0 for line in order.lines}
    for part in given:
        served[part.line_id] += part.quantity
    lines = [
        (order.order_id, line.line_id, line.sku, line.quantity, line.quantity - served[line.line_id])
        for line in order.lines
    ]
    await _run(connection, ADD_LINES, lines)
    messages = []
    for sequence, location in enumerate(locations, 1):
        parts = [part for part in given if part.location == location]
        messages.append(await _instruct(connection, order.order_id, order.order_id, "ship", sequence, parts))
    short = [line for line in lines if line[4]]
    told = [(line_id, sku, waiting or quantity) for _, line_id, sku, quantity, waiting in short or lines]
    kind = "order_backordered" if short else "order_confirmed"
    messages.append(_notification(order.order_id, order.order_id, kind, 1, customer, told))
    await _run(connection, ADD_MESSAGES, messages)


async def receive_inventory(connection: PoolConnectionProxy, receipt: InventoryReceived) -> None:
    """Put units on hand and give them to who waits longest. A second delivery has no effect."""
    if not await connection.fetchval(ADD_RECEIPT, receipt.receipt_id, receipt.location, receipt.received_at):
        return
    skus = [line.sku for line in receipt.lines]
    await _lock_stock(connection, skus, receipt.location)
    await connection.execute(RECEIVE, skus, receipt.location, [line.quantity for line in receipt.lines])
    messages: list[Message] = []
    rest = []
    for line in receipt.lines:
        left = await _serve_queue(connection, receipt, line, messages)
        if left:
            rest.append({"sku": line.sku, "quantity": left, "lot": None})
    if rest:
        instruction_id = message_id(receipt.receipt_id, "put_away")
        data = {"kind": "put_away", "receipt_id": receipt.receipt_id, "location": receipt.location, "lines": rest}
        messages.append(event("fulfillment", receipt.receipt_id, 1, instruction_id, data))
    await _run(connection, ADD_MESSAGES, messages)


async def _lock_stock(connection: PoolConnectionProxy, skus: list[str], location: str) -> dict[str, dict[str, int]]:
    """Lock stock; return what is free of each product, by location, most first."""
    rows = await connection.fetch(LOCK_STOCK, skus)
    if len({row["sku"] for row in rows}) < len(set(skus)):
        await connection.execute(ADD_STOCK, skus, location)
        rows = await connection.fetch(LOCK_STOCK, skus)
    available: dict[str, dict[str, int]] = {sku: {} for sku in skus}
    for sku, place, free in sorted(rows, key=lambda row: (-row["available"], row["location"])):
        available[sku][place] = free
    return available


def _take(available: dict[str, int], line: Line) -> Iterator[Given]:
    """Take from what is free, and say from where."""
    wanted = line.quantity
    for location, free in available.items():
        quantity = min(free, wanted)
        if quantity:
            available[location] -= quantity
            wanted -= quantity
            yield Given(line.line_id, line.sku, location, quantity)


async def _serve_queue(
    connection: PoolConnectionProxy, receipt: InventoryReceived, line: Line, messages: list[Message]
) -> int:
    """Give the units of a receipt line to who waits; return how many are left."""
    left = line.quantity
    for order_id, line_id, backordered in await connection.fetch(WAITING, line.sku, left):
        part = Given(line_id, line.sku, receipt.location, min(left, backordered))
        if not part.quantity:
            break
        left -= part.quantity
        await connection.execute(FILL, order_id, line_id, part.quantity)
        (counted,) = await connection.fetch(COUNT_EVENTS, order_id)
        notifications, fulfillments, customer = counted
        messages.append(await _instruct(connection, order_id, receipt.receipt_id, "cross_dock", fulfillments, [part]))
        told = [(line_id, line.sku, part.quantity)]
        messages.append(
            _notification(order_id, receipt.receipt_id, "backorder_filled", notifications, customer, told)
        )
    return left


async def _instruct(
    connection: PoolConnectionProxy, order_id: str, cause: str, kind: str, sequence: int, parts: Sequence[Given]
) -> Message:
    """Book what was given at one location, and tell the warehouse."""
    location = parts[0].location
    instruction_id = message_id(cause, order_id, location, kind)
    await _run(
        connection,
        ADD_CLAIMS,
        [(order_id, part.line_id, location, part.quantity, instruction_id) for part in parts],
    )
    await _run(connection, ALLOCATE, [(part.sku, location, part.quantity) for part in parts])
    lines = [{"line_id": part.line_id, "sku": part.sku, "quantity": part.quantity, "lot": None} for part in parts]
    data = {
        "fulfillment_id": instruction_id,
        "kind": kind,
        "order_id": order_id,
        "location": location,
        "lines": lines,
    }
    return event("fulfillment", order_id, sequence, instruction_id, data)


def _notification(
    order_id: str, cause: str, kind: str, sequence: int, customer: str, told: Iterable[tuple[str, str, int]]
) -> Message:
    notification_id = message_id(cause, order_id, kind)
    data = {
        "notification_id": notification_id,
        "kind": kind,
        "order_id": order_id,
        "customer": json.loads(customer),
        "lines": [{"line_id": line_id, "sku": sku, "quantity": quantity} for line_id, sku, quantity in told],
    }
    return event("customer-notification", order_id, sequence, notification_id, data)


async def _run(connection: PoolConnectionProxy, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
    """Run a statement once for all rows."""
    if rows:
        await connection.execute(statement, *(list(column) for column in zip(*rows, strict=True)))
