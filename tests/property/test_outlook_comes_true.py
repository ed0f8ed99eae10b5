"""Where everything comes as expected, the receipts cover each line when and from what the outlook said."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.outlook import Outlook, Peg, Supply, Waiting
from story import Story, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.demand import OrderLine

LOCATIONS = ("A", "B", "C")
FIRST_DAY = date(2026, 12, 1)

QUANTITIES = st.integers(1, 7)
ORDERS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(0, 9),
        st.lists(st.tuples(QUANTITIES, st.sampled_from((None, *LOCATIONS))), min_size=1, max_size=3),
    ),
    max_size=6,
)
ARRIVALS = st.lists(st.tuples(st.sampled_from(LOCATIONS), QUANTITIES), max_size=8)
THERE = st.dictionaries(st.sampled_from(LOCATIONS), st.integers(1, 4))

OrderWish = tuple[int, int, list[tuple[int, str | None]]]


def lines_of(story: Story) -> list[OrderLine]:
    return [line for order in story.account.orders.values() for line in order.lines]


def waiting(story: Story) -> list[Waiting]:
    """The lines of which a part waits."""
    return [
        Waiting(
            story.account.rank(line),
            line.location or ANY_LOCATION,
            line.backordered,
            line.order.order_id,
            line.position,
        )
        for line in lines_of(story)
        if line.backordered
    ]


def begin(there: dict[str, int], safety_stock: int, orders: list[OrderWish]) -> Story:
    """A safety stock that may lack units, and orders that wait for what is not free."""
    story = Story()
    story.policy(safety_stock=safety_stock)
    for location, quantity in there.items():
        story.receipt(f"first-{location}", brings(quantity), location=location)
    for number, (priority, minute, wishes) in enumerate(orders):
        lines = [wants(quantity, str(n), at=pin) for n, (quantity, pin) in enumerate(wishes)]
        story.order(f"SO-{number}", *lines, minute=minute, priority=priority)
    return story


def missing(story: Story) -> dict[str, int]:
    product = story.account.product("SKU-1")
    free = {stock.location: stock.on_hand - stock.allocated for stock in product.stock.values()}
    return {location: product.safety_stock - free.get(location, 0) for location in LOCATIONS}


def claims_of(line: OrderLine) -> Counter[str]:
    """The units of a line by the receipt on whose dock they were claimed."""
    found = Counter[str]()
    for claim in line.claims:
        found[claim.receipt_id or ""] += claim.held + claim.released
    return found


@given(THERE, st.integers(0, 4), ORDERS, ARRIVALS)
def test_lines_are_covered_by_the_receipts_that_they_were_pegged_to(
    there: dict[str, int], safety_stock: int, orders: list[OrderWish], arrivals: list[tuple[str, int]]
) -> None:
    story = begin(there, safety_stock, orders)
    supplies = [
        Supply(location, quantity, FIRST_DAY, FIRST_DAY + timedelta(days=n), f"PO-{n}", "1")
        for n, (location, quantity) in enumerate(arrivals)
    ]
    before = {(line.order.order_id, line.position): claims_of(line) for line in lines_of(story)}
    pegs = Outlook(supplies, missing(story)).peg_all(waiting(story))
    for one in supplies:
        story.receipt(one.purchase_order_id, brings(one.quantity), location=one.location)
    for line in lines_of(story):
        key = (line.order.order_id, line.position)
        got = claims_of(line) - before[key]
        if key in pegs:
            assert (pegs[key] is None) == bool(line.backordered)
            check_parts(pegs[key], got)
        else:
            assert not got


def check_parts(peg: Peg | None, got: Counter[str]) -> None:
    if peg is not None:
        assert Counter({part.supply.purchase_order_id: part.quantity for part in peg.parts}) == got
        assert peg.parts[-1].supply.expected_to == peg.expected_to
