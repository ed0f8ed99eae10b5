"""What a shop may tell of a product: its state, its stock by location, and whether anything of it has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.availability import snapshot
from bo_worker.domain.facts import Availability, LocationAvailability
from changes import Changes, amends, cancels, corrects, dispatches, sets, shop_view
from story import brings, wants

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def story() -> Changes:
    return Changes()


@pytest.mark.parametrize(
    ("stock", "waiting", "policy", "state"),
    [
        (1, 0, None, "in_stock"),
        (0, 0, None, "backorderable"),
        (0, 9, None, "backorderable"),
        (1, 0, {"backorder": "deny"}, "in_stock"),
        (1, 0, {"discontinued": True}, "in_stock"),
        (0, 0, {"backorder": "allow"}, "backorderable"),
        (0, 0, {"backorder": "deny"}, "out_of_stock"),
        (0, 0, {"backorder": "if_promised"}, "out_of_stock"),
        (0, 9, {"backorder": "deny"}, "out_of_stock"),
        (0, 0, {"backorder_limit": 0}, "out_of_stock"),
        (0, 2, {"backorder_limit": 3}, "backorderable"),
        (0, 3, {"backorder_limit": 3}, "out_of_stock"),
        (0, 4, {"backorder_limit": 3}, "out_of_stock"),
        (0, 0, {"discontinued": True}, "discontinued"),
        (0, 4, {"discontinued": True, "backorder": "deny", "backorder_limit": 3}, "discontinued"),
        (2, 0, {"safety_stock": 1}, "in_stock"),
        (2, 0, {"safety_stock": 2}, "backorderable"),
        (2, 0, {"safety_stock": 3, "backorder": "deny"}, "out_of_stock"),
    ],
    ids=str,
)
def test_the_state_says_whether_the_next_unit_can_be_sold_and_how(
    story: Changes, stock: int, waiting: int, policy: dict[str, Any] | None, state: str
) -> None:
    if waiting:
        story.order("SO-1", wants(waiting))
    if policy is not None:
        story.hears(sets(**policy))
    if stock:
        story.receipt("R-1", brings(stock))
    assert shop_view(story.account.product("SKU-1")).state == state


def test_stock_is_told_by_location_in_the_order_of_names_and_in_sum(story: Changes) -> None:
    """A location without units is left out, and units of the safety stock are not available."""
    for location, quantity in (("b", 4), ("WH2", 1), ("WH1", 6), ("WH0", 2)):
        story.receipt(f"R-{location}", brings(quantity), location=location)
    story.order("SO-1", wants(1, at="WH2"), wants(4, "2", at="WH1"), wants(9, "3", at="WH9"))
    story.hears(corrects("ADJ-1", -2, location="WH0"))
    story.hears(sets(safety_stock=3))
    assert shop_view(story.account.product("SKU-1")) == Availability(
        "SKU-1",
        "in_stock",
        on_hand=11,
        allocated=5,
        available=1,
        backordered=9,
        incoming=0,
        available_to_promise=[],
        next_receipt_on=None,
        locations=[
            LocationAvailability("WH1", 6, 4, 0),
            LocationAvailability("WH2", 1, 1, 0),
            LocationAvailability("b", 4, 0, 1),
        ],
    )


def test_a_product_that_is_only_waited_for_has_a_state_and_no_stock(story: Changes) -> None:
    story.order("SO-1", wants(2))
    assert shop_view(story.account.product("SKU-1")) == Availability(
        "SKU-1", "backorderable", 0, 0, 0, 2, 0, [], None, []
    )


# What is a change, given 3 units of which SO-1 has 2, with a safety stock of 1, and SO-2 waits for 2.
CHANGES: dict[str, Callable[[Changes], object]] = {
    "goods that arrive": lambda story: story.receipt("R-2", brings(1)),
    "goods elsewhere": lambda story: story.receipt("R-2", brings(1), location="WH2"),
    "an order that waits": lambda story: story.order("SO-3", wants(1)),
    "waiting units dropped": lambda story: story.hears(cancels("X-1", "SO-2", ("1", 1))),
    "units given to another": lambda story: story.hears(cancels("X-1", "SO-1", ("1", 1))),
    "units lost": lambda story: story.hears(corrects("ADJ-1", -1)),
    "units shipped": lambda story: story.hears(dispatches("S-1", "SO-1", ("1", 1))),
    "no more backorders": lambda story: story.hears(sets(2, safety_stock=1, backorder="deny")),
    "the end of the product": lambda story: story.hears(sets(2, safety_stock=1, discontinued=True)),
    "a limit that is reached": lambda story: story.hears(sets(2, safety_stock=1, backorder_limit=2)),
}
NO_CHANGES: dict[str, Callable[[Changes], object]] = {
    "another rank": lambda story: story.hears(amends("AM-1", "SO-2", priority=9)),
    "a whole shipment": lambda story: story.hears(amends("AM-1", "SO-2", ship_complete=True)),
    "an order that is rejected": lambda story: story.order("SO-3", wants(1, backorder="deny")),
    "a cancellation of what is gone": lambda story: story.hears(cancels("X-1", "SO-3")),
    "a correction of another product": lambda story: story.hears(corrects("ADJ-1", 1, sku="SKU-2")),
    "the same policy again": lambda story: story.hears(sets(1, safety_stock=1)),
    "an older policy": lambda story: story.hears(sets(0, backorder="deny")),
    "a policy that differs in what a shop can't see": lambda story: story.hears(
        sets(2, safety_stock=1, window_days=9)
    ),
    "a limit that is not reached": lambda story: story.hears(sets(2, safety_stock=1, backorder_limit=3)),
    "a safety stock that is not there": lambda story: story.hears(sets(2, safety_stock=5)),
}


def begun(story: Changes) -> Changes:
    story.hears(sets(1, safety_stock=1))
    story.receipt("R-1", brings(3))
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(2))
    assert story.buckets("SO-2") == [{"backordered": 2}]
    return story


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_shop_can_see_is_a_change(story: Changes, name: str) -> None:
    product = begun(story).account.product("SKU-1")
    before, told = snapshot(product), shop_view(product)
    CHANGES[name](story)
    assert shop_view(product) != told
    assert snapshot(product) != before


@pytest.mark.parametrize("name", NO_CHANGES)
def test_what_a_shop_can_not_see_is_none(story: Changes, name: str) -> None:
    product = begun(story).account.product("SKU-1")
    before, told = snapshot(product), shop_view(product)
    NO_CHANGES[name](story)
    assert shop_view(product) == told
    assert snapshot(product) == before


def test_units_that_came_and_went_between_two_looks_are_no_change(story: Changes) -> None:
    product = story.account.product("SKU-1")
    story.receipt("R-1", brings(3))
    before, told = snapshot(product), shop_view(product)
    story.receipt("R-2", brings(3), location="WH2")
    story.hears(corrects("ADJ-1", -3, location="WH2"))
    assert shop_view(product) == told
    assert snapshot(product) == before
