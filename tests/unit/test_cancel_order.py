"""A cancellation takes what waits, then what is held, then what is released; what it frees serves others at once."""

from __future__ import annotations

from operator import attrgetter

import pytest

from bo_worker.domain.account import Refusal
from changes import Changes, cancelled, cancels, corrects, dispatches, revoke, shipped
from story import (
    backordered,
    brings,
    confirmed,
    cross_dock,
    filled,
    part,
    put_away,
    rejected,
    ship,
    stored,
    wants,
)


@pytest.fixture
def story() -> Changes:
    return Changes()


def lose_and_regain(story: Changes) -> None:
    """Let SO-1, which ships as a whole, have units in every open bucket: 1 waits, 2 are held, 3 are released."""
    story.stores(WH1=6)
    story.order("SO-1", wants(6), ship_complete=True)
    story.hears(corrects("ADJ-1", -3))
    story.receipt("R-2", brings(2), location="WH2")
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 2, "released": 3}]


# What a cancellation takes.
def test_units_that_wait_are_dropped_and_free_nothing(story: Changes) -> None:
    story.order("SO-1", wants(3))
    assert story.hears(cancels("X-1", "SO-1", ("1", 2), reason="customer")) == [
        cancelled("SO-1", ("1", 2), reason="customer")
    ]
    assert story.buckets("SO-1") == [{"backordered": 1, "cancelled": 2}]
    assert story.stock() == {}


def test_an_order_is_cancelled_as_a_whole_where_no_lines_are_named(story: Changes) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(3, "a"), wants(3, "b"), wants(2, "c", "SKU-2"))
    assert story.hears(cancels("X-1", "SO-1")) == [
        revoke("SO-1", part(3, "a"), part(1, "b"), of="order-created/SO-1"),
        cancelled("SO-1", ("a", 3), ("b", 3), ("c", 2, "SKU-2")),
    ]
    assert story.buckets("SO-1") == [{"cancelled": 3}, {"cancelled": 3}, {"cancelled": 2}]
    assert story.stock() == {"WH1": (4, 0)}


@pytest.mark.parametrize(
    ("quantity", "buckets"),
    [
        (1, {"released": 5, "cancelled": 1}),
        (2, {"released": 4, "cancelled": 2}),
        (3, {"released": 3, "cancelled": 3}),
        (5, {"released": 1, "cancelled": 5}),
        (6, {"cancelled": 6}),
        (7, {"cancelled": 6}),
    ],
)
def test_a_line_gives_up_what_waits_first_then_what_is_held_then_what_is_released(
    story: Changes, quantity: int, buckets: dict[str, int]
) -> None:
    """What stays held leaves, as nothing of the order waits any more."""
    lose_and_regain(story)
    facts = story.hears(cancels("X-1", "SO-1", ("1", quantity)))
    gone = min(quantity, 6)
    revoked = [revoke("SO-1", part(gone - 3), of="order-created/SO-1")] if gone > 3 else []
    left = [
        ship("SO-1", part(3 - gone), completes=True, location="WH2"),
        filled("SO-1", ("1", 3 - gone), completes=True),
    ]
    assert facts == [*revoked, cancelled("SO-1", ("1", gone)), *(left if gone < 3 else [])]
    assert story.buckets("SO-1") == [buckets]


def test_units_of_a_claim_that_is_given_back_in_part_stay_in_the_instruction(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(5))
    assert story.hears(cancels("X-1", "SO-1", ("1", 2))) == [
        revoke("SO-1", part(2), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 2)),
    ]
    assert story.hears(cancels("X-2", "SO-1", ("1", 1))) == [
        revoke("SO-1", part(1), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 1)),
    ]
    assert story.claims("SO-1") == [[("WH1", 2)]]
    assert story.stock() == {"WH1": (5, 2)}


def test_more_units_than_are_open_are_no_error(story: Changes) -> None:
    story.stores(WH1=1)
    story.order("SO-1", wants(3))
    assert story.hears(cancels("X-1", "SO-1", ("1", 1_000))) == [
        revoke("SO-1", part(1), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 3)),
    ]


def test_shipped_units_stay_shipped(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    assert story.hears(cancels("X-1", "SO-1")) == [
        revoke("SO-1", part(1), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 1)),
    ]
    assert story.buckets("SO-1") == [{"shipped": 2, "cancelled": 1}]
    assert story.stock() == {"WH1": (1, 0)}


@pytest.mark.parametrize("end", ["shipped", "cancelled", "rejected"])
@pytest.mark.parametrize("lines", [[], [("1", 1)]], ids=["the order", "the line"])
def test_where_nothing_is_open_a_cancellation_has_no_effect_and_no_event(
    story: Changes, end: str, lines: list[tuple[str, int]]
) -> None:
    if end != "rejected":
        story.stores(WH1=2)
    story.order("SO-1", wants(2, backorder="deny"))
    if end == "shipped":
        story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    if end == "cancelled":
        story.hears(cancels("X-1", "SO-1"))
    assert story.hears(cancels("X-2", "SO-1", *lines)) == []
    assert story.buckets("SO-1") == [{end: 2}]


def test_only_lines_that_give_something_up_are_told_of(story: Changes) -> None:
    story.order("SO-1", wants(1, "a"), wants(1, "b"), wants(1, "c"))
    story.hears(cancels("X-1", "SO-1", ("b", 1)))
    assert story.hears(cancels("X-2", "SO-1", ("c", 1), ("b", 1))) == [cancelled("SO-1", ("c", 1))]
    assert story.buckets("SO-1") == [{"backordered": 1}, {"cancelled": 1}, {"cancelled": 1}]


def test_a_cancellation_that_names_a_line_the_order_does_not_have_is_refused_as_a_whole(story: Changes) -> None:
    story.stores(WH1=1)
    story.order("SO-1", wants(3))
    refusal = story.refuses(cancels("X-1", "SO-1", ("1", 1), ("9", 1)))
    assert refusal == Refusal("unknown_line", "order SO-1 has no line 9")


# Which claims it takes.
@pytest.mark.parametrize(
    ("stock", "quantity", "left"),
    [
        ({"WH1": 10, "WH2": 5}, 4, {"WH1": 10, "WH2": 1}),
        ({"WH1": 10, "WH2": 5}, 5, {"WH1": 10}),
        ({"WH1": 10, "WH2": 5}, 6, {"WH1": 9}),
        ({"WH1": 5, "WH2": 10}, 6, {"WH2": 9}),
        ({"WH1": 3, "WH2": 3}, 1, {"WH1": 3, "WH2": 2}),
        ({"a": 3, "B": 3, "A": 3}, 4, {"A": 3, "B": 2}),
        ({"WH1": 2, "WH2": 9, "WH3": 4}, 7, {"WH2": 8}),
    ],
    ids=str,
)
def test_the_smallest_claim_is_given_back_first_of_equal_ones_that_with_the_last_name(
    story: Changes, stock: dict[str, int], quantity: int, left: dict[str, int]
) -> None:
    story.stores(**stock)
    total = sum(stock.values())
    story.order("SO-1", wants(total))
    facts = story.hears(cancels("X-1", "SO-1", ("1", quantity)))
    gone = {location: units - left.get(location, 0) for location, units in stock.items()}
    assert facts == [
        *(
            revoke("SO-1", part(units), of="order-created/SO-1", location=location)
            for location, units in sorted(gone.items())
            if units
        ),
        cancelled("SO-1", ("1", quantity)),
    ]
    assert {place: units for place, units in story.claims("SO-1")[0] if units} == left


def test_claims_of_a_location_count_together_and_the_newest_of_them_goes_first(story: Changes) -> None:
    story.order("SO-1", wants(7))
    story.receipt("R-1", brings(2))
    story.receipt("R-2", brings(3), location="WH2")
    story.receipt("R-3", brings(2))
    assert story.hears(cancels("X-1", "SO-1", ("1", 4))) == [
        revoke("SO-1", part(1), of="inventory-received/R-3", kind="cross_dock"),
        revoke("SO-1", part(3), of="inventory-received/R-2", kind="cross_dock", location="WH2"),
        cancelled("SO-1", ("1", 4)),
    ]
    assert story.claims("SO-1") == [[("WH1", 2), ("WH2", 0), ("WH1", 1)]]


def test_each_instruction_that_loses_units_is_revoked_once(story: Changes) -> None:
    """Whatever lines and lots it names; two instructions for one location are two revocations."""
    story.order("SO-1", wants(4, "a"), wants(2, "b"), wants(1, "c", "SKU-2"))
    story.receipt("R-1", brings(2, lot="L1"), brings(1, "2", "SKU-2"))
    story.receipt("R-2", brings(1, lot="L2"), brings(2, "2", lot="L1"))
    facts = story.hears(cancels("X-1", "SO-1"))
    first = revoke(
        "SO-1", part(2, "a", lot="L1"), part(1, "c", "SKU-2"), of="inventory-received/R-1", kind="cross_dock"
    )
    second = revoke(
        "SO-1",
        part(1, "a", lot="L1"),
        part(1, "a", lot="L2"),
        part(1, "b", lot="L1"),
        of="inventory-received/R-2",
        kind="cross_dock",
    )
    assert facts == [
        *sorted([first, second], key=attrgetter("revokes")),
        cancelled("SO-1", ("a", 4), ("b", 2), ("c", 1, "SKU-2")),
    ]


def test_units_that_an_instruction_took_from_several_claims_are_one_line_of_its_revocation(story: Changes) -> None:
    story.stores(WH1=1)
    story.order("SO-1", wants(3), ship_complete=True)
    story.receipt("R-2", brings(1))
    story.receipt("R-3", brings(1), location="WH2")
    assert story.claims("SO-1") == [[("WH1", 1), ("WH1", 1), ("WH2", 1)]]
    assert story.hears(cancels("X-1", "SO-1")) == [
        revoke("SO-1", part(2), of="inventory-received/R-3"),
        revoke("SO-1", part(1), of="inventory-received/R-3", kind="cross_dock", location="WH2"),
        cancelled("SO-1", ("1", 3)),
    ]


def test_held_units_go_back_without_a_revocation_as_nobody_was_told_to_send_them(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(3), ship_complete=True)
    assert story.hears(cancels("X-1", "SO-1")) == [cancelled("SO-1", ("1", 3))]
    assert story.stock() == {"WH1": (2, 0)}


# What becomes of the units.
def test_what_comes_free_is_shipped_to_those_who_wait(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(5))
    story.order("SO-2", wants(4))
    assert story.hears(cancels("X-1", "SO-1", ("1", 3))) == [
        revoke("SO-1", part(3), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 3)),
        ship("SO-2", part(3), completes=False),
        filled("SO-2", ("1", 3), completes=False),
    ]
    assert story.hears(cancels("X-2", "SO-1")) == [
        revoke("SO-1", part(2), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 2)),
        ship("SO-2", part(1), completes=True),
        filled("SO-2", ("1", 1), completes=True),
    ]
    assert story.stock() == {"WH1": (5, 4)}


def test_what_comes_free_is_offered_in_rank_to_those_who_can_use_it_there(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    story.order("SO-2", wants(1, at="WH2"), priority=9)
    story.order("SO-3", wants(1), minute=3)
    story.order("SO-4", wants(1, at="WH1"), minute=2)
    story.order("SO-5", wants(1), minute=4)
    assert story.hears(cancels("X-1", "SO-1", ("1", 2))) == [
        revoke("SO-1", part(2), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 2)),
        ship("SO-4", part(1), completes=True),
        filled("SO-4", ("1", 1), completes=True),
        ship("SO-3", part(1), completes=True),
        filled("SO-3", ("1", 1), completes=True),
    ]
    assert story.buckets("SO-2") == story.buckets("SO-5") == [{"backordered": 1}]


def test_units_of_several_products_and_locations_come_free_at_once(story: Changes) -> None:
    """Each order that gets some hears of it once."""
    story.stores(WH1=2, WH2=1)
    story.receipt("R-2", brings(1, sku="SKU-2"))
    story.order("SO-1", wants(3, "a"), wants(1, "b", "SKU-2"))
    story.order("SO-2", wants(1, "b", "SKU-2"), wants(3, "a"))
    assert story.hears(cancels("X-1", "SO-1")) == [
        revoke("SO-1", part(2, "a"), part(1, "b", "SKU-2"), of="order-created/SO-1"),
        revoke("SO-1", part(1, "a"), of="order-created/SO-1", location="WH2"),
        cancelled("SO-1", ("a", 3), ("b", 1, "SKU-2")),
        ship("SO-2", part(1, "b", "SKU-2"), part(2, "a"), completes=True),
        ship("SO-2", part(1, "a"), completes=True, location="WH2"),
        filled("SO-2", ("b", 1, "SKU-2"), ("a", 3), completes=True),
    ]


def test_units_may_go_to_another_line_of_the_same_order(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(2, "a"), wants(2, "b"))
    assert story.hears(cancels("X-1", "SO-1", ("a", 1))) == [
        revoke("SO-1", part(1, "a"), of="order-created/SO-1"),
        cancelled("SO-1", ("a", 1)),
        ship("SO-1", part(1, "b"), completes=False),
        filled("SO-1", ("b", 1), completes=False),
    ]


def test_units_that_nobody_waits_for_serve_the_next_order(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(2))
    story.hears(cancels("X-1", "SO-1"))
    assert story.order("SO-2", wants(2)) == [ship("SO-2", part(2), completes=True), confirmed("SO-2", ("1", 2))]


def test_units_that_are_not_waited_for_any_more_go_to_nobody_when_they_arrive(story: Changes) -> None:
    """A line that has shrunk must not be filled to its old size, nor with what was meant for another."""
    story.order("SO-1", wants(3))
    story.order("SO-2", wants(1))
    story.hears(cancels("X-1", "SO-1", ("1", 2)))
    assert story.receipt("R-1", brings(3)) == [
        cross_dock("SO-1", "R-1", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
        cross_dock("SO-2", "R-1", part(1), completes=True),
        filled("SO-2", ("1", 1), completes=True),
        put_away("R-1", stored(1)),
    ]


def test_waiting_units_that_are_dropped_make_room_under_the_backorder_limit(story: Changes) -> None:
    story.policy(backorder_limit=3)
    story.order("SO-1", wants(3))
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="backorder_limit")]
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    assert story.order("SO-3", wants(1)) == [backordered("SO-3", ("1", 1))]


# Orders that ship as a whole.
def test_when_the_last_that_waited_is_cancelled_the_rest_leaves_in_one_go(story: Changes) -> None:
    story.stores(WH1=2, WH2=2)
    story.order("SO-1", wants(2, "a"), wants(3, "b", "SKU-2"), wants(1, "c"), ship_complete=True)
    assert story.hears(cancels("X-1", "SO-1", ("b", 3))) == [
        cancelled("SO-1", ("b", 3, "SKU-2")),
        ship("SO-1", part(2, "a"), completes=True),
        ship("SO-1", part(1, "c"), completes=True, location="WH2"),
        filled("SO-1", ("a", 2), ("c", 1), completes=True),
    ]
    assert story.buckets("SO-1") == [{"released": 2}, {"cancelled": 3}, {"released": 1}]


def test_while_something_of_it_waits_a_cancellation_releases_nothing_of_it(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(2, "a"), wants(3, "b", "SKU-2"), ship_complete=True)
    story.order("SO-2", wants(1))
    assert story.hears(cancels("X-1", "SO-1", ("a", 1), ("b", 2))) == [
        cancelled("SO-1", ("a", 1), ("b", 2, "SKU-2")),
        ship("SO-2", part(1), completes=True),
        filled("SO-2", ("1", 1), completes=True),
    ]
    assert story.buckets("SO-1") == [{"held": 1, "cancelled": 1}, {"backordered": 1, "cancelled": 2}]


def test_units_that_another_gives_up_may_complete_it(story: Changes) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(3))
    story.order("SO-2", wants(2), ship_complete=True)
    assert story.hears(cancels("X-1", "SO-1", ("1", 1))) == [
        revoke("SO-1", part(1), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 1)),
        ship("SO-2", part(2), completes=True),
        filled("SO-2", ("1", 2), completes=True),
    ]


def test_what_is_left_after_a_cancellation_can_be_shipped(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    assert story.hears(dispatches("S-1", "SO-1", ("1", 2))) == [shipped("S-1", "SO-1", ("1", 2))]
    assert story.buckets("SO-1") == [{"shipped": 2, "cancelled": 1}]
