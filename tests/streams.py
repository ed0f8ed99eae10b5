"""Random streams of inputs over few products, places and ranks, so that everything gets in each other's way."""

from __future__ import annotations

from itertools import chain
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

_SKUS = st.sampled_from((*SKUS, SKUS[0]))
_INSTANTS = st.integers(0, 3).map(lambda minute: f"2026-11-21T09:{minute:02}:00Z")
_ORDER_LINE = {
    "sku": _SKUS,
    "quantity": st.integers(1, 6),
    "location": st.sampled_from((None, None, *LOCATIONS[:2])),
    "backorder": st.sampled_from((None, None, None, "allow", "deny")),
}
_RECEIPT_LINE = {
    "sku": _SKUS,
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
_PLACED = st.tuples(st.just("order-created"), _ORDERS)
_RECEIVED = st.tuples(st.just("inventory-received"), _RECEIPTS)


def natural_id(one: Input) -> tuple[str, str]:
    """What an input is known by."""
    topic, data = one
    return topic, data[NATURAL_IDS[topic]]


def streams(size_max: int = 8) -> SearchStrategy[list[Input]]:
    """Streams in which every natural id occurs once: waves of demand and supply, as single lists are short."""
    mixed = st.lists(_PLACED | _RECEIVED, max_size=size_max)
    orders, receipts = st.lists(_PLACED, max_size=size_max), st.lists(_RECEIVED, max_size=size_max)
    return st.tuples(mixed, orders, mixed, orders, receipts).map(_without_repetitions)


def _without_repetitions(parts: tuple[list[Input], ...]) -> list[Input]:
    return list({natural_id(one): one for one in chain(*parts)}.values())


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
