"""Random streams of inputs over few products, places and ranks, so that everything gets in each other's way."""

from __future__ import annotations

from itertools import chain, product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import build
from bo_worker.messages.inbound import Decoded, decode
from bo_worker.messages.record import Record

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Data = dict[str, Any]
Input = tuple[str, Data]

SKUS = ("SKU-1", "SKU-2")
LOCATIONS = ("WH1", "WH2", "WH3")
NATURAL_IDS = {
    "order-created": "order_id",
    "inventory-received": "receipt_id",
    "order-cancelled": "cancellation_id",
    "order-amended": "amendment_id",
    "inventory-adjusted": "adjustment_id",
    "shipment-dispatched": "shipment_id",
    "customer-response": "response_id",
    "payment-updated": "payment_event_id",
    "waitlist-joined": "entry_id",
}

# One choice of a whole line or head is many times cheaper than one choice per field. The first are the simplest.
ORDER_LINES = [
    {"sku": sku, "quantity": quantity, "location": pin, "backorder": backorder}
    for backorder, pin, sku, quantity in product(
        (None, None, "allow", "deny"), (None, None, "WH1", "WH2"), (*SKUS, SKUS[0]), (1, 2, 3, 4, 5, 6)
    )
]
_RECEIPT_LINES = [
    {"sku": sku, "quantity": quantity, "lot": lot, "damaged_quantity": int(not quantity)}
    for lot, sku, quantity in product((None, "L1", "L2"), (*SKUS, SKUS[0]), (1, 2, 3, 4, 6, 8, 0))
]
_HEADS = [
    {"placed_at": f"2026-11-21T09:{minute:02}:00Z", "priority": priority, "ship_complete": complete, "need_by": need}
    for need, complete, priority, minute in product(
        (None, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00+02:00"), (False, False, True), (0, 0, 1), (0, 1, 2)
    )
]
_DOCKS = [{"location": location, "dock_door": door} for location, door in product(LOCATIONS, (None, "D4"))]


def _order(number: int, head: Data, lines: list[Data]) -> Input:
    return "order-created", build.order(f"SO-{number}", lines=_numbered(lines), **head)


def _receipt(number: int, dock: Data, lines: list[Data]) -> Input:
    return "inventory-received", build.receipt(f"R-{number}", lines=_numbered(lines), **dock)


def _numbered(lines: list[Data]) -> list[Data]:
    return [{"line_id": str(number), **line} for number, line in enumerate(lines, 1)]


# Ids are drawn, so that their order has nothing to do with the order in which the inputs come.
_NUMBERS = st.integers(1, 99)
RECEIVED = st.builds(
    _receipt, _NUMBERS, st.sampled_from(_DOCKS), st.lists(st.sampled_from(_RECEIPT_LINES), min_size=1, max_size=3)
)


def orders_numbered(numbers: SearchStrategy[int]) -> SearchStrategy[Input]:
    """Orders whose ids have these numbers."""
    lines = st.lists(st.sampled_from(ORDER_LINES), min_size=1, max_size=4)
    return st.builds(_order, numbers, st.sampled_from(_HEADS), lines)


def natural_id(one: Input) -> tuple[str, str]:
    """What an input is known by."""
    topic, data = one
    if topic == "product-policy-updated":
        return topic, f"{data['sku']}/{data['version']}"
    if topic == "purchase-order-updated":
        return topic, f"{data['purchase_order_id']}/{data['version']}"
    return topic, data[NATURAL_IDS[topic]]


def streams(size_max: int = 8) -> SearchStrategy[list[Input]]:
    """Streams in which every natural id occurs once: waves of demand and supply, as single lists are short."""
    placed = orders_numbered(_NUMBERS)
    mixed = st.lists(placed | RECEIVED, max_size=size_max)
    orders, receipts = st.lists(placed, max_size=size_max), st.lists(RECEIVED, max_size=size_max)
    return st.tuples(mixed, orders, mixed, orders, receipts).map(_without_repetitions)


def _without_repetitions(parts: tuple[list[Input], ...]) -> list[Input]:
    return list({natural_id(one): one for one in chain(*parts)}.values())


_POLICIES = [
    {"backorder": backorder, "backorder_limit": limit, "safety_stock": safety_stock, "discontinued": discontinued}
    for discontinued, backorder, limit, safety_stock in product(
        (False, False, True), ("allow", "allow", "deny"), (None, 0, 3, 9), (0, 1, 3)
    )
]
POLICIES = st.fixed_dictionaries({sku: st.sampled_from(_POLICIES) for sku in SKUS})


def decoded(one: Input, offset: int = 0) -> Decoded:
    """The input as it comes out of Kafka."""
    topic, data = one
    found = decode(build.record(topic, data, key=natural_id(one)[1].encode(), offset=offset), 1_000_000)
    assert isinstance(found, Decoded)
    assert isinstance(found.record, Record)
    return found


def one(topic: str, data: build.Data) -> Decoded:
    """An input from its topic and its data."""
    return decoded((topic, data))
