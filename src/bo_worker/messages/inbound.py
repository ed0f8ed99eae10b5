"""From a Kafka record to a command of the domain, or to the reason why it can't be one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import TypeAdapter, ValidationError

from bo_worker.domain.commands import PlaceOrder
from bo_worker.messages.customer_models import CustomerResponse, answer_notice
from bo_worker.messages.envelope import open_envelope
from bo_worker.messages.inventory_models import (
    InventoryAdjusted,
    InventoryReceived,
    adjust_inventory,
    receive_inventory,
)
from bo_worker.messages.order_models import (
    OrderAmended,
    OrderCancelled,
    OrderCreated,
    amend_order,
    cancel_order,
    place_order,
)
from bo_worker.messages.payment_models import PaymentUpdated, update_payment
from bo_worker.messages.product_models import ProductPolicyUpdated, update_policy
from bo_worker.messages.purchase_models import PurchaseOrderUpdated, update_purchase_order
from bo_worker.messages.refusal import RefusalError, invalid
from bo_worker.messages.shipment_models import ShipmentDispatched, dispatch_shipment
from bo_worker.messages.waitlist_models import WaitlistJoined, join_waitlist

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.domain.commands import Command, UpdatePolicy, UpdatePurchaseOrder
    from bo_worker.messages.record import Record

DIGEST_BYTES: Final = 16
# Null means absent, so an optional field that a later version adds changes no digest of an older message.
# Inside a JSON string every quote is escaped: this can only match a field.
_ABSENT: Final = re.compile(rb',"[a-z_]+":null')


@dataclass(slots=True)
class Decoded:
    """An input that can be applied; `digest` tells two contents under one natural id apart."""

    record: Record
    command: Command
    natural_id: str
    digest: bytes
    traceparent: str | None


@dataclass(slots=True)
class Refused:
    """An input for the dead letters: a short code, and a sentence without customers' values."""

    record: Record
    error: str
    reason: str


class _Input:
    """How the data of one topic is validated, and what it becomes."""

    def __init__(self, data: Any, build: Callable[[Any], Command], natural_id: Callable[[Any], str]) -> None:
        adapter = TypeAdapter[Any](data)
        self.validate = adapter.validator.validate_json
        self.build = build
        self.natural_id = natural_id
        self.schema = adapter.json_schema()


def _policy_version(policy: UpdatePolicy) -> str:
    """Name a version of a policy; what it brings about must not be taken for the doing of another version."""
    return f"{policy.sku}/{policy.version}"


def _purchase_order_version(order: UpdatePurchaseOrder) -> str:
    """Name a version of a purchase order, as one of a policy."""
    return f"{order.purchase_order_id}/{order.version}"


_INPUTS: Final = {
    "order-created": _Input(OrderCreated, place_order, attrgetter("order_id")),
    "inventory-received": _Input(InventoryReceived, receive_inventory, attrgetter("receipt_id")),
    "order-cancelled": _Input(OrderCancelled, cancel_order, attrgetter("cancellation_id")),
    "order-amended": _Input(OrderAmended, amend_order, attrgetter("amendment_id")),
    "inventory-adjusted": _Input(InventoryAdjusted, adjust_inventory, attrgetter("adjustment_id")),
    "shipment-dispatched": _Input(ShipmentDispatched, dispatch_shipment, attrgetter("shipment_id")),
    "product-policy-updated": _Input(ProductPolicyUpdated, update_policy, _policy_version),
    "purchase-order-updated": _Input(PurchaseOrderUpdated, update_purchase_order, _purchase_order_version),
    "customer-response": _Input(CustomerResponse, answer_notice, attrgetter("response_id")),
    "payment-updated": _Input(PaymentUpdated, update_payment, attrgetter("payment_event_id")),
    "waitlist-joined": _Input(WaitlistJoined, join_waitlist, attrgetter("entry_id")),
}
INPUT_TOPICS: Final = tuple(_INPUTS)


def decode(record: Record, value_bytes_max: int) -> Decoded | Refused:
    """Decode a record of one of INPUT_TOPICS. Whatever its bytes are, the answer is a value.

    The key is not compared with the data: where they differ, the data holds.
    """
    try:
        return _decode(record, value_bytes_max)
    except RefusalError as refusal:
        return Refused(record, refusal.code, refusal.reason)


def json_schema(topic: str) -> dict[str, Any]:
    """What the data on an input topic must look like, as far as JSON Schema can say it."""
    return _INPUTS[topic].schema


def digest(content: Command | dict[str, Any]) -> bytes:
    """A fingerprint of the content: equal for equal commands, whatever the form they were sent in."""
    dumped = orjson.dumps(content)
    canonical = _ABSENT.sub(b"", dumped) if b":null" in dumped else dumped
    return blake2b(canonical, digest_size=DIGEST_BYTES).digest()


def _order_content(valid: OrderCreated, order: PlaceOrder) -> dict[str, Any]:
    """Return the fields of an order as those of its command; for the most frequent input this way is shorter."""
    content: dict[str, Any] = {
        "order_id": order.order_id,
        "placed_at": order.placed_at,
        "customer": order.customer,
        "lines": valid["lines"],
        "priority": order.priority,
        "ship_complete": order.ship_complete,
    }
    if order.need_by is not None:
        content["need_by"] = order.need_by
    if order.ship_to_country is not None:
        content["ship_to_country"] = order.ship_to_country
    if order.payment is not None:
        content["payment"] = order.payment
    return content


def _decode(record: Record, value_bytes_max: int) -> Decoded:
    value = _required_value(record, value_bytes_max)
    data, traceparent = open_envelope(value, record.headers)
    kind = _INPUTS[record.topic]
    _refuse_not_a_number(data)
    try:
        valid = kind.validate(data)
    except ValidationError as error:
        raise invalid(error, kind.schema) from error
    command = kind.build(valid)
    content = _order_content(valid, command) if isinstance(command, PlaceOrder) else command
    return Decoded(record, command, kind.natural_id(command), digest(content), traceparent)


def _required_value(record: Record, value_bytes_max: int) -> bytes:
    if not record.key:
        raise RefusalError("missing_key", "the message has no key, so it has no place in an order of events")
    if record.value is None:
        raise RefusalError("missing_value", "the message has no value (a tombstone)")
    if len(record.value) > value_bytes_max:
        raise RefusalError("too_large", f"expected at most {value_bytes_max:,} bytes, found {len(record.value):,}")
    return record.value


def _refuse_not_a_number(data: bytes) -> None:
    """The validating parser takes NaN and Infinity for numbers: when in doubt, ask one that doesn't."""
    has_capital = b"N" in data or b"I" in data  # To look for one byte takes no time.
    if not has_capital or (b"NaN" not in data and b"Infinity" not in data):
        return
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RefusalError("malformed_json", f"the value is not JSON: {error}") from error
