"""What inputs about orders look like on the wire, and the commands they become."""

from typing import Annotated, Literal, NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import (
    AmendOrder,
    CancelLine,
    CancelOrder,
    LineRequest,
    Payment,
    PlaceOrder,
    Price,
)
from bo_worker.messages import fields
from bo_worker.messages.fields import Identifier, Instant
from bo_worker.messages.refusal import require_unique_line_ids


class Customer(TypedDict):
    """A customer, and how to reach them."""

    customer_id: Identifier
    email: NotRequired[fields.Email | None]
    phone: NotRequired[fields.Phone | None]
    locale: NotRequired[fields.Locale | None]
    segment: NotRequired[fields.Segment | None]


class Authorization(TypedDict):
    """An authorization of the customer's money."""

    authorization_id: Identifier
    capture_before: NotRequired[Instant | None]


class UnitPrice(TypedDict):
    """The price of one unit."""

    amount: fields.Amount
    currency: fields.Currency


class OrderLine(TypedDict):
    """One line of a new order."""

    line_id: Identifier
    sku: Identifier
    quantity: fields.Quantity
    location: NotRequired[Identifier | None]
    backorder: NotRequired[Literal["allow", "deny"] | None]
    unit_price: NotRequired[UnitPrice | None]


class OrderCreated(TypedDict):
    """A customer's order."""

    order_id: Identifier
    placed_at: Instant
    customer: Customer
    lines: Annotated[list[OrderLine], fields.list_field()]
    priority: NotRequired[fields.Priority | None]
    ship_complete: NotRequired[fields.Flag | None]
    need_by: NotRequired[Instant | None]
    ship_to_country: NotRequired[fields.Country | None]
    payment: NotRequired[Authorization | None]


class CancelledLine(TypedDict):
    """Units of one line that the customer gives up."""

    line_id: Identifier
    quantity: fields.Quantity


class OrderCancelled(TypedDict):
    """A cancellation; without lines, whatever of the order is not shipped."""

    cancellation_id: Identifier
    order_id: Identifier
    cancelled_at: Instant
    reason: NotRequired[fields.Reason | None]
    lines: NotRequired[Annotated[list[CancelledLine], fields.list_field()] | None]


class OrderAmended(TypedDict):
    """A change of how an order is served; only the fields given change."""

    amendment_id: Identifier
    order_id: Identifier
    amended_at: Instant
    priority: NotRequired[fields.Priority | None]
    need_by: NotRequired[Instant | None]
    ship_complete: NotRequired[fields.Flag | None]


def place_order(order: OrderCreated) -> PlaceOrder:
    """Refuses a line id that occurs twice."""
    lines = [_line_request(line) for line in order["lines"]]
    require_unique_line_ids(lines)
    return PlaceOrder(
        order_id=order["order_id"],
        placed_at=order["placed_at"],
        customer=customer_fields(order["customer"]),
        lines=lines,
        priority=order.get("priority") or 0,
        ship_complete=order.get("ship_complete") or False,
        need_by=order.get("need_by"),
        ship_to_country=order.get("ship_to_country"),
        payment=_payment(order.get("payment")),
    )


def _line_request(line: OrderLine) -> LineRequest:
    price = line.get("unit_price")
    return LineRequest(
        line["line_id"],
        line["sku"],
        line["quantity"],
        line.get("location"),
        line.get("backorder"),
        Price(price["amount"], price["currency"]) if price else None,
    )


def _payment(payment: Authorization | None) -> Payment | None:
    if payment is None:
        return None
    return Payment(payment["authorization_id"], payment.get("capture_before"))


def customer_fields(customer: Customer) -> dict[str, str]:
    """The customer's fields that were given, as given."""
    return {name: value for name, value in customer.items() if isinstance(value, str)}


def cancel_order(cancellation: OrderCancelled) -> CancelOrder:
    """Refuses a line id that occurs twice."""
    lines = _cancel_lines(cancellation.get("lines"))
    return CancelOrder(
        cancellation["cancellation_id"],
        cancellation["order_id"],
        cancellation["cancelled_at"],
        cancellation.get("reason"),
        lines,
    )


def _cancel_lines(given: list[CancelledLine] | None) -> list[CancelLine] | None:
    if given is None:
        return None
    lines = [CancelLine(line["line_id"], line["quantity"]) for line in given]
    require_unique_line_ids(lines)
    return lines


def amend_order(amendment: OrderAmended) -> AmendOrder:
    """The command of an amendment."""
    return AmendOrder(
        amendment["amendment_id"],
        amendment["order_id"],
        amendment["amended_at"],
        amendment.get("priority"),
        amendment.get("need_by"),
        amendment.get("ship_complete"),
    )
