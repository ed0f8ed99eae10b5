"""Random streams in which everything can happen, to few orders, so that most changes meet something to change."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

import build
from model_changes import WholeModel
from streams import LOCATIONS, RECEIVED, SKUS, Data, Input, natural_id, orders_numbered

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

_FEW = st.integers(1, 8)
_NUMBERS = st.integers(1, 99)
_INSTANTS = [f"2026-11-22T09:{minute:02}:00Z" for minute in (0, 1, 2)]
_UNITS = [
    {"line_id": line_id, "quantity": quantity} for quantity, line_id in product((1, 2, 6), ("1", "2", "3", "5"))
]
_TERMS: list[Data] = [
    {"amended_at": instant, "priority": priority, "ship_complete": complete, "need_by": need_by}
    for need_by, complete, priority, instant in product(
        (None, "2026-11-30T00:00:00Z"), (None, False, True), (None, 0, 1, 9), _INSTANTS
    )
    if (priority, complete, need_by) != (None, None, None)
]
_CORRECTIONS = [
    {"sku": sku, "location": location, "quantity_delta": delta}
    for delta, location, sku in product((-1, -2, -3, -5, -8, 1, 3, 5), LOCATIONS, (*SKUS, SKUS[0]))
]
_POLICIES = [
    {"sku": sku, "version": version, "backorder": backorder, "backorder_limit": limit, "safety_stock": safety_stock}
    for safety_stock, limit, backorder, sku, version in product(
        (0, 2, 1), (None, 9), ("allow", "allow", "deny"), SKUS, (1, 2, 3)
    )
]


def _cancelled(number: int, order: int, lines: list[Data] | None) -> Input:
    return "order-cancelled", build.cancellation(f"X-{number}", f"SO-{order}", lines=lines)


def _amended(number: int, order: int, terms: Data) -> Input:
    return "order-amended", build.amendment(f"AM-{number}", f"SO-{order}", **terms)


def _adjusted(number: int, correction: Data) -> Input:
    return "inventory-adjusted", build.adjustment(f"ADJ-{number}", **correction)


def _dispatched(number: int, pick: int, quantity: int) -> Input:
    """Only what is released can leave, so `released` turns a pick into an order, a line and a location."""
    return "shipment-dispatched", {"shipment_id": f"S-{number}", "pick": pick, "quantity": quantity}


def _set(policy: Data) -> Input:
    return "product-policy-updated", build.policy(**policy)


_LINES = st.none() | st.lists(
    st.sampled_from(_UNITS), min_size=1, max_size=2, unique_by=lambda unit: str(unit["line_id"])
)
_CHANGES = st.one_of(
    st.builds(_cancelled, _NUMBERS, _FEW, _LINES),
    st.builds(_amended, _NUMBERS, _FEW, st.sampled_from(_TERMS)),
    st.builds(_adjusted, _NUMBERS, st.sampled_from(_CORRECTIONS)),
    st.builds(_dispatched, _NUMBERS, st.integers(0, 9), st.integers(1, 3)),
    st.builds(_set, st.sampled_from(_POLICIES)),
)


def change_streams() -> SearchStrategy[list[Input]]:
    """Waves of demand, supply and changes; apart from policies, every natural id occurs once."""
    orders = orders_numbered(_FEW)
    demand, supply = st.lists(orders, max_size=6), st.lists(RECEIVED, max_size=6)
    changes = st.lists(_CHANGES | _CHANGES | orders | RECEIVED, max_size=8)
    return st.tuples(changes, demand, supply, changes, demand, changes, supply, changes).map(_made_possible)


def _made_possible(parts: tuple[list[Input], ...]) -> list[Input]:
    """Drop what repeats a natural id, and let what is released at that moment be what leaves."""
    stream: list[Input] = []
    known: set[Any] = set()
    model = WholeModel()
    for topic, data in (one for part in parts for one in part):
        # Two policies of one version may differ: a conflict.
        name = (*natural_id((topic, data)), repr(data) if topic == "product-policy-updated" else "")
        possible = released(model, data) if "pick" in data else data
        if possible and name not in known:
            known.add(name)
            stream.append((topic, possible))
            model.tell(topic, possible)
    return stream


def released(model: WholeModel, wish: Data) -> Data | None:
    """A shipment of some of what is released; None where nothing is. Now and then it is of more than that."""
    places = [
        (line, claim.location)
        for line in model.lines
        for claim in line.claims
        if claim.is_released and claim.quantity
    ]
    if not places:
        return None
    line, location = places[wish["pick"] % len(places)]
    leaving = build.shipment_line(line.asked["line_id"], location, wish["quantity"])
    return build.shipment(wish["shipment_id"], order_id=line.order["order_id"], lines=[leaving])
