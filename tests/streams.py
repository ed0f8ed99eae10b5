"""Random streams of inputs over few products, places and ranks, so that everything gets in each other's way."""

from __future__ import annotations

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
NATURAL_IDS = {"order-created": "order_id", "inventory-received": "receipt_id"}

_INSTANTS = st.integers(0, 3).map(lambda minute: f"2026-11-21T09:{minute:02}:00Z")
_ORDER_LINE = {
    "sku": st.sampled_from(SKUS),
    "quantity": st.integers(1, 6),
    "location": st.sampled_from((None, None, *LOCATIONS[:2])),
    "backorder": st.sampled_from((None, None, None, "allow", "deny")),
}
_RECEIPT_LINE = {
    "sku": st.sampled_from(SKUS),
    "quantity": st.integers(0, 8),
    "lot": st.sampled_from((None, "L1", "L2")),
}


def _numbered(lines: list[Data]) -> list[Data]:
    return [{"line_id": str(number), **line} for number, line in enumerate(lines, 1)]


def _receipt_lines(lines: list[Data]) -> list[Data]:
    return _numbered([line if line["quantity"] else {**line, "damaged_quantity": 1} for line in lines])


# Ids are drawn, so that their order has nothing to do with the order in which the inputs come.
_ORDERS = st.fixed_dictionaries(
    {
        "order_id": st.integers(1, 99).map("SO-{}".format),
        "placed_at": _INSTANTS,
        "customer": st.just({"customer_id": "C-7"}),
        "priority": st.sampled_from((0, 0, 0, 1)),
        "ship_complete": st.sampled_from((False, False, True)),
        "need_by": st.sampled_from((None, "2026-12-01T00:00:00Z", "2026-12-02T00:00:00+02:00")),
        "lines": st.lists(st.fixed_dictionaries(_ORDER_LINE), min_size=1, max_size=4).map(_numbered),
    }
)
_RECEIPTS = st.fixed_dictionaries(
    {
        "receipt_id": st.integers(1, 99).map("R-{}".format),
        "location": st.sampled_from(LOCATIONS),
        "received_at": st.just(build.AT),
        "dock_door": st.sampled_from((None, "D4")),
        "lines": st.lists(st.fixed_dictionaries(_RECEIPT_LINE), min_size=1, max_size=3).map(_receipt_lines),
    }
)
_INPUTS = st.tuples(st.just("order-created"), _ORDERS) | st.tuples(st.just("inventory-received"), _RECEIPTS)


def natural_id(one: Input) -> tuple[str, str]:
    """What an input is known by."""
    topic, data = one
    return topic, data[NATURAL_IDS[topic]]


def streams(size_max: int = 16) -> SearchStrategy[list[Input]]:
    """Streams in which every natural id occurs once."""
    return st.lists(_INPUTS, max_size=size_max, unique_by=natural_id)


POLICIES = st.fixed_dictionaries(
    {
        sku: st.just({})
        | st.fixed_dictionaries(
            {
                "backorder": st.sampled_from(("allow", "allow", "deny")),
                "backorder_limit": st.none() | st.integers(0, 12),
                "safety_stock": st.integers(0, 3),
                "discontinued": st.sampled_from((False, False, True)),
            }
        )
        for sku in SKUS
    }
)


def decoded(one: Input, offset: int = 0) -> Decoded:
    """The input as it comes out of Kafka."""
    topic, data = one
    found = decode(build.record(topic, data, key=natural_id(one)[1].encode(), offset=offset), 1_000_000)
    assert isinstance(found, Decoded)
    assert isinstance(found.record, Record)
    return found
