"""A correction sets the count right: found units serve the queue, and where units are missing claims give way."""

from __future__ import annotations

import pytest

from bo_worker.domain.account import Refusal
from bo_worker.domain.demand import rank_by_need_by
from changes import Changes, allocation_lost, amends, cancels, corrects, dispatches, lost, sets
from story import AT, backordered, brings, confirmed, cross_dock, filled, part, put_away, ship, stored, wants


@pytest.fixture
def story() -> Changes:
    return Changes()


# Units that are found.
@pytest.mark.parametrize("reason", ["found", "return", "miscount", "other"])
def test_found_units_are_shipped_to_those_who_wait_whatever_the_reason(story: Changes, reason: str) -> None:
    story.order("SO-1", wants(3), minute=2)
    story.order("SO-2", wants(2), minute=1)
    assert story.hears(corrects("ADJ-1", 4, reason=reason)) == [
        ship("SO-2", part(2), completes=True),
        filled("SO-2", ("1", 2), completes=True),
        ship("SO-1", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
    ]
    assert story.stock() == {"WH1": (4, 4)}


def test_found_units_that_nobody_waits_for_have_no_event_and_serve_the_next_order(story: Changes) -> None:
    story.order("SO-1", wants(1, at="WH2"))
    assert story.hears(corrects("ADJ-1", 4)) == []
    assert story.stock() == {"WH1": (4, 0)}
    assert story.order("SO-2", wants(4)) == [ship("SO-2", part(4), completes=True), confirmed("SO-2", ("1", 4))]


def test_found_units_fill_up_the_safety_stock_first(story: Changes) -> None:
    story.hears(sets(safety_stock=2))
    story.order("SO-1", wants(3))
    assert story.hears(corrects("ADJ-1", 2)) == []
    assert story.hears(corrects("ADJ-2", 1)) == [
        ship("SO-1", part(1), completes=False),
        filled("SO-1", ("1", 1), completes=False),
    ]


def test_found_units_may_complete_an_order_that_ships_as_a_whole(story: Changes) -> None:
    story.stores(WH1=1)
    story.order("SO-1", wants(2), ship_complete=True)
    assert story.hears(corrects("ADJ-1", 1, location="WH2")) == [
        ship("SO-1", part(1), completes=True),
        ship("SO-1", part(1), completes=True, location="WH2"),
        filled("SO-1", ("1", 2), completes=True),
    ]


# Units that are missing.
@pytest.mark.parametrize("reason", ["damaged", "lost", "miscount", "expired", "receipt_reversal", "other"])
def test_units_that_nobody_has_claimed_are_taken_off_without_an_event(story: Changes, reason: str) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(3))
    assert story.hears(corrects("ADJ-1", -2, reason=reason)) == []
    assert story.stock() == {"WH1": (3, 3)}


def test_safety_stock_protects_no_claim_and_no_claim_gives_way_to_it(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(3))
    story.hears(sets(safety_stock=2))
    assert story.hears(corrects("ADJ-1", -1)) == []
    assert story.stock() == {"WH1": (4, 3)}


def test_a_claim_gives_way_in_part_where_that_is_enough(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(5))
    assert story.hears(corrects("ADJ-1", -2)) == [
        lost("SO-1", part(2), of="order-created/SO-1"),
        allocation_lost("SO-1", ("1", 2)),
    ]
    assert story.buckets("SO-1") == [{"backordered": 2, "released": 3}]
    assert story.stock() == {"WH1": (3, 3)}


def test_the_lowest_ranked_claims_give_way_as_many_as_it_takes(story: Changes) -> None:
    story.stores(WH1=9)
    story.order("SO-1", wants(2), minute=3, priority=1)
    story.order("SO-2", wants(3), minute=2)
    story.order("SO-3", wants(4), minute=1)
    assert story.hears(corrects("ADJ-1", -4)) == [
        lost("SO-2", part(3), of="order-created/SO-2"),
        lost("SO-3", part(1), of="order-created/SO-3"),
        allocation_lost("SO-2", ("1", 3)),
        allocation_lost("SO-3", ("1", 1)),
    ]
    assert story.buckets("SO-1") == [{"released": 2}]
    assert story.stock() == {"WH1": (5, 5)}


def test_lines_of_one_order_give_way_last_position_first(story: Changes) -> None:
    story.stores(WH1=6)
    story.order("SO-1", wants(2, "b"), wants(2, "a"), wants(2, "c"))
    assert story.hears(corrects("ADJ-1", -3)) == [
        lost("SO-1", part(1, "a"), part(2, "c"), of="order-created/SO-1"),
        allocation_lost("SO-1", ("a", 1), ("c", 2)),
    ]


def test_where_need_is_the_rank_the_latest_need_gives_way_and_none_before_any() -> None:
    story = Changes(rank_by_need_by)
    story.stores(WH1=3)
    story.order("SO-1", wants(1), minute=1)
    story.order("SO-2", wants(1), minute=2, need_by=AT)
    story.order("SO-3", wants(1), minute=3, need_by=AT)
    assert story.hears(corrects("ADJ-1", -2)) == [
        lost("SO-1", part(1), of="order-created/SO-1"),
        lost("SO-3", part(1), of="order-created/SO-3"),
        allocation_lost("SO-1", ("1", 1)),
        allocation_lost("SO-3", ("1", 1)),
    ]


def test_held_units_give_way_before_released_ones_even_those_of_a_better_rank(story: Changes) -> None:
    """Nobody was told to send them, and their loss is not announced."""
    story.stores(WH1=7)
    story.order("SO-1", wants(3, "a"), wants(1, "b", "SKU-2"), priority=9, ship_complete=True)
    story.order("SO-2", wants(2, "a"), wants(1, "b", "SKU-2"), priority=8, ship_complete=True)
    story.order("SO-3", wants(2), priority=0)
    assert story.hears(corrects("ADJ-1", -4)) == []
    assert story.buckets("SO-1") == [{"backordered": 2, "held": 1}, {"backordered": 1}]
    assert story.buckets("SO-2") == [{"backordered": 2}, {"backordered": 1}]
    assert story.buckets("SO-3") == [{"released": 2}]
    assert story.hears(corrects("ADJ-2", -2)) == [
        lost("SO-3", part(1), of="order-created/SO-3"),
        allocation_lost("SO-3", ("1", 1)),
    ]
    assert story.stock() == {"WH1": (1, 1)}


def test_only_claims_at_the_place_of_the_correction_give_way(story: Changes) -> None:
    story.stores(WH1=2, WH2=2)
    story.order("SO-1", wants(2, at="WH1"), priority=9)
    story.order("SO-2", wants(2, at="WH2"))
    assert story.hears(corrects("ADJ-1", -1)) == [
        lost("SO-1", part(1), of="order-created/SO-1"),
        allocation_lost("SO-1", ("1", 1)),
    ]
    assert story.stock() == {"WH1": (1, 1), "WH2": (2, 2)}


def test_each_instruction_that_loses_units_is_revoked_once_the_newest_first(story: Changes) -> None:
    """Two receipts gave the line two instructions; its customer hears of the loss once."""
    story.order("SO-1", wants(5))
    story.receipt("R-1", brings(2, lot="L1"))
    story.receipt("R-2", brings(1, lot="L2"), brings(2, "2", lot="L3"))
    facts = story.hears(corrects("ADJ-1", -2))
    assert facts == [
        lost("SO-1", part(2, lot="L3"), of="inventory-received/R-2", kind="cross_dock"),
        allocation_lost("SO-1", ("1", 2)),
    ]
    facts = story.hears(corrects("ADJ-2", -2))
    first = lost("SO-1", part(1, lot="L1"), of="inventory-received/R-1", kind="cross_dock")
    second = lost("SO-1", part(1, lot="L2"), of="inventory-received/R-2", kind="cross_dock")
    assert facts[:-1] in ([first, second], [second, first])
    assert facts[-1] == allocation_lost("SO-1", ("1", 2))


def test_shipped_units_are_gone_already_and_cannot_be_lost(story: Changes) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(2), minute=-1)
    story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    assert story.hears(corrects("ADJ-1", -1)) == [
        lost("SO-2", part(1), of="order-created/SO-2"),
        allocation_lost("SO-2", ("1", 1)),
    ]
    assert story.buckets("SO-1") == [{"shipped": 2}]


# The bounds.
def test_a_correction_to_exactly_zero_takes_every_claim_and_one_back_serves_them_again(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(2), minute=1)
    story.order("SO-2", wants(1), minute=2)
    assert story.hears(corrects("ADJ-1", -3, reason="receipt_reversal")) == [
        lost("SO-2", part(1), of="order-created/SO-2"),
        lost("SO-1", part(2), of="order-created/SO-1"),
        allocation_lost("SO-1", ("1", 2)),
        allocation_lost("SO-2", ("1", 1)),
    ]
    assert story.stock() == {"WH1": (0, 0)}
    assert story.hears(corrects("ADJ-2", 3, reason="found")) == [
        ship("SO-1", part(2), completes=True),
        filled("SO-1", ("1", 2), completes=True),
        ship("SO-2", part(1), completes=True),
        filled("SO-2", ("1", 1), completes=True),
    ]


@pytest.mark.parametrize(
    ("sku", "location", "on_hand"), [("SKU-1", "WH1", 3), ("SKU-1", "WH2", 0), ("SKU-2", "WH1", 0)]
)
def test_a_correction_below_zero_is_refused_with_the_figures(
    story: Changes, sku: str, location: str, on_hand: int
) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(2))
    reason = f"{sku} at {location}: {on_hand} on hand, a correction by -4 would leave {on_hand - 4}"
    assert story.refuses(corrects("ADJ-1", -4, sku=sku, location=location)) == Refusal("below_zero", reason)


def test_what_goes_down_and_up_again_fills_no_units_that_are_not_there(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(4))
    story.order("SO-2", wants(4))
    assert story.buckets("SO-2") == [{"backordered": 3, "released": 1}]
    story.hears(corrects("ADJ-1", -5))
    story.hears(corrects("ADJ-2", 5))
    assert story.buckets("SO-1") == [{"released": 4}]
    assert story.buckets("SO-2") == [{"backordered": 3, "released": 1}]
    assert story.stock() == {"WH1": (5, 5)}


# Who lost units waits again.
def test_who_lost_units_waits_at_the_old_rank(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(2), minute=1)
    story.order("SO-2", wants(1), minute=2)
    story.order("SO-0", wants(1), minute=0)
    story.hears(corrects("ADJ-1", -1))
    assert story.receipt("R-1", brings(2)) == [
        cross_dock("SO-0", "R-1", part(1), completes=True),
        filled("SO-0", ("1", 1), completes=True),
        cross_dock("SO-1", "R-1", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
    ]


def test_lost_units_that_another_location_has_are_served_from_there_at_once(story: Changes) -> None:
    """The customer hears nothing: there is nothing to see of it."""
    story.stores(WH1=5, WH2=2)
    story.order("SO-1", wants(5))
    assert story.hears(corrects("ADJ-1", -2)) == [
        lost("SO-1", part(2), of="order-created/SO-1"),
        ship("SO-1", part(2), completes=True, location="WH2"),
    ]
    assert story.stock() == {"WH1": (3, 3), "WH2": (2, 2)}


def test_the_customer_hears_only_of_lost_units_that_stay_lost(story: Changes) -> None:
    story.stores(WH1=5, WH2=1)
    story.order("SO-1", wants(2, "a"), wants(3, "b"))
    assert story.hears(corrects("ADJ-1", -4)) == [
        lost("SO-1", part(1, "a"), part(3, "b"), of="order-created/SO-1"),
        allocation_lost("SO-1", ("b", 3)),
        ship("SO-1", part(1, "a"), completes=False, location="WH2"),
    ]


def test_units_elsewhere_go_by_rank_among_those_who_lost(story: Changes) -> None:
    story.stores(WH1=4, WH2=1)
    story.order("SO-1", wants(2), minute=1)
    story.order("SO-2", wants(2), minute=2)
    assert story.hears(corrects("ADJ-1", -3)) == [
        lost("SO-2", part(2), of="order-created/SO-2"),
        lost("SO-1", part(1), of="order-created/SO-1"),
        allocation_lost("SO-2", ("1", 2)),
        ship("SO-1", part(1), completes=True, location="WH2"),
    ]


def test_a_pinned_line_is_not_served_from_elsewhere(story: Changes) -> None:
    story.stores(WH1=2, WH2=2)
    story.order("SO-1", wants(2, at="WH1"))
    assert story.hears(corrects("ADJ-1", -1)) == [
        lost("SO-1", part(1), of="order-created/SO-1"),
        allocation_lost("SO-1", ("1", 1)),
    ]
    assert story.stock() == {"WH1": (1, 1), "WH2": (2, 0)}


def test_a_loss_is_told_once_per_order_and_waiting_units_of_before_are_not_part_of_it(story: Changes) -> None:
    story.stores(WH1=3)
    assert story.order("SO-1", wants(2, "a"), wants(4, "b")) == [
        ship("SO-1", part(2, "a"), part(1, "b"), completes=False),
        backordered("SO-1", ("b", 3)),
    ]
    assert story.hears(corrects("ADJ-1", -2)) == [
        lost("SO-1", part(1, "a"), part(1, "b"), of="order-created/SO-1"),
        allocation_lost("SO-1", ("a", 1), ("b", 1)),
    ]
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 1}, {"backordered": 4}]


def test_lost_units_may_be_cancelled_like_any_that_wait(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    story.hears(corrects("ADJ-1", -2))
    story.hears(cancels("X-1", "SO-1", ("1", 2)))
    assert story.buckets("SO-1") == [{"released": 1, "cancelled": 2}]


# Orders that ship as a whole.
def test_an_order_that_ships_as_a_whole_and_lost_released_units_holds_what_comes_again(story: Changes) -> None:
    """What is still released stays so, and what comes leaves in one go when nothing waits."""
    story.stores(WH1=5)
    story.order("SO-1", wants(3, "a"), wants(2, "b"), ship_complete=True)
    assert story.hears(corrects("ADJ-1", -3)) == [
        lost("SO-1", part(1, "a"), part(2, "b"), of="order-created/SO-1"),
        allocation_lost("SO-1", ("a", 1), ("b", 2)),
    ]
    assert story.receipt("R-2", brings(2)) == [put_away("R-2", stored(2))]
    assert story.buckets("SO-1") == [{"held": 1, "released": 2}, {"backordered": 1, "held": 1}]
    assert story.hears(dispatches("S-1", "SO-1", ("a", 2)))[0].key == "SO-1"
    assert story.receipt("R-3", brings(1)) == [
        cross_dock("SO-1", "R-3", part(1, "b"), completes=True),
        ship("SO-1", part(1, "a"), part(1, "b"), completes=True),
        filled("SO-1", ("a", 1), ("b", 2), completes=True),
    ]


def test_it_holds_what_another_location_can_give_at_once_until_nothing_of_it_waits(story: Changes) -> None:
    story.stores(WH1=4, WH2=1)
    story.order("SO-1", wants(4), ship_complete=True)
    assert story.hears(corrects("ADJ-1", -2)) == [
        lost("SO-1", part(2), of="order-created/SO-1"),
        allocation_lost("SO-1", ("1", 1)),
    ]
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 1, "released": 2}]
    assert story.hears(amends("AM-1", "SO-1", ship_complete=False)) == [
        ship("SO-1", part(1), completes=False, location="WH2"),
        filled("SO-1", ("1", 1), completes=False),
    ]


def test_it_leaves_again_at_once_where_another_location_can_give_all_of_it(story: Changes) -> None:
    story.stores(WH1=4, WH2=3)
    story.order("SO-1", wants(4), ship_complete=True)
    assert story.hears(corrects("ADJ-1", -3)) == [
        lost("SO-1", part(3), of="order-created/SO-1"),
        ship("SO-1", part(3), completes=True, location="WH2"),
    ]


def test_of_a_line_that_loses_held_and_released_units_only_the_released_ones_are_told(story: Changes) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(4, "a"), wants(1, "b", "SKU-2"))
    story.hears(amends("AM-1", "SO-1", ship_complete=True))
    story.hears(corrects("ADJ-1", -2))
    story.hears(corrects("ADJ-2", 1))
    assert story.buckets("SO-1")[0] == {"backordered": 1, "held": 1, "released": 2}
    assert story.hears(corrects("ADJ-3", -2)) == [
        lost("SO-1", part(1, "a"), of="order-created/SO-1"),
        allocation_lost("SO-1", ("a", 1)),
    ]
