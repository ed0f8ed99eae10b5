"""An amendment changes how an order is served from now on: its place in the queue, and whether it ships whole."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.demand import rank_by_need_by
from changes import Changes, amends, cancels, corrects, dispatches, lost, revoke
from story import AT, brings, cross_dock, filled, part, put_away, ship, stored, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import AmendOrder


@pytest.fixture
def story() -> Changes:
    return Changes()


def terms(story: Changes, order_id: str) -> tuple[Any, ...]:
    """How an order is served."""
    order = story.account.orders[order_id]
    return order.priority, order.need_by, order.ship_complete


def served(story: Changes, count: int) -> list[str]:
    """The orders that get a unit, as one arrives after the other."""
    return [story.receipt(f"one-{number}", brings(1))[0].key for number in range(count)]


# The place in the queue.
def test_a_higher_priority_puts_a_waiting_order_before_others_and_has_no_event_of_its_own(story: Changes) -> None:
    story.order("SO-1", wants(1), minute=1)
    story.order("SO-2", wants(1), minute=2)
    story.order("SO-3", wants(1), minute=3)
    assert story.hears(amends("AM-1", "SO-3", priority=1)) == []
    assert served(story, 3) == ["SO-3", "SO-1", "SO-2"]


def test_a_lower_priority_puts_it_behind_others(story: Changes) -> None:
    story.order("SO-1", wants(1), minute=1, priority=5)
    story.order("SO-2", wants(1), minute=2)
    story.order("SO-3", wants(1), minute=3, priority=1)
    story.hears(amends("AM-1", "SO-1", priority=0))
    assert served(story, 3) == ["SO-3", "SO-1", "SO-2"]


def test_who_was_moved_about_is_served_once_and_in_the_last_place_given(story: Changes) -> None:
    story.order("SO-1", wants(1), minute=1)
    story.order("SO-2", wants(2), minute=2)
    story.order("SO-3", wants(1), minute=3)
    for minute, priority in enumerate((9, 0, 5, 0)):
        story.hears(amends(f"AM-{minute}", "SO-2", minute=minute, priority=priority))
    assert served(story, 4) == ["SO-1", "SO-2", "SO-2", "SO-3"]
    assert story.receipt("R-5", brings(1)) == [put_away("R-5", stored(1))]


def test_all_lines_of_the_order_move(story: Changes) -> None:
    story.order("SO-1", wants(1), wants(1, "2", "SKU-2"), minute=1)
    story.order("SO-2", wants(1), wants(1, "2", "SKU-2"), wants(1, "3", at="WH1"), minute=2)
    story.hears(amends("AM-1", "SO-2", priority=1))
    assert story.receipt("R-1", brings(2), brings(1, "2", "SKU-2")) == [
        cross_dock("SO-2", "R-1", part(1), part(1, "2", "SKU-2"), part(1, "3"), completes=True, priority=1),
        filled("SO-2", ("1", 1), ("2", 1, "SKU-2"), ("3", 1), completes=True),
    ]


def test_an_earlier_need_moves_an_order_where_need_is_the_rank() -> None:
    story = Changes(rank_by_need_by)
    story.order("SO-1", wants(1), minute=1, need_by=AT + timedelta(days=3))
    story.order("SO-2", wants(1), minute=2)
    story.order("SO-3", wants(1), minute=3, need_by=AT + timedelta(days=5))
    assert story.hears(amends("AM-1", "SO-2", need_by=AT + timedelta(days=2))) == []
    assert story.hears(amends("AM-2", "SO-1", need_by=AT + timedelta(days=6))) == []
    assert served(story, 3) == ["SO-2", "SO-3", "SO-1"]


def test_an_earlier_need_moves_nobody_where_age_is_the_rank(story: Changes) -> None:
    story.order("SO-1", wants(1), minute=1)
    story.order("SO-2", wants(1), minute=2)
    assert story.hears(amends("AM-1", "SO-2", need_by=AT)) == []
    assert served(story, 2) == ["SO-1", "SO-2"]


# What was given stays.
def test_units_that_are_claimed_do_not_move_to_who_ranks_higher_now(story: Changes) -> None:
    story.receipt("R-1", brings(3))
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(2, "a"), wants(1, "b", "SKU-2"), ship_complete=True)
    story.order("SO-3", wants(2))
    assert story.hears(amends("AM-1", "SO-3", priority=9)) == []
    assert story.buckets("SO-1") == [{"released": 2}]
    assert story.buckets("SO-2") == [{"backordered": 1, "held": 1}, {"backordered": 1}]
    assert story.buckets("SO-3") == [{"backordered": 2}]


def test_who_ranks_lower_now_gives_way_first_when_units_are_lost(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    story.order("SO-1", wants(1), minute=1)
    story.order("SO-2", wants(1), minute=2)
    story.hears(amends("AM-1", "SO-2", priority=1))
    facts = story.hears(corrects("ADJ-1", -1))
    assert facts[0] == lost("SO-1", part(1), of="order-created/SO-1")


def test_the_next_instruction_carries_the_priority_of_the_day(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(2))
    story.hears(amends("AM-1", "SO-1", priority=7))
    assert story.receipt("R-2", brings(1)) == [
        cross_dock("SO-1", "R-2", part(1), completes=True, priority=7),
        filled("SO-1", ("1", 1), completes=True),
    ]


@pytest.mark.parametrize("end", ["shipped", "cancelled"])
def test_an_order_of_which_nothing_is_open_may_be_amended_without_effect(story: Changes, end: str) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(1), ship_complete=True)
    story.hears(dispatches("S-1", "SO-1", ("1", 1)) if end == "shipped" else cancels("X-1", "SO-1"))
    assert story.hears(amends("AM-1", "SO-1", priority=9, need_by=AT, ship_complete=False)) == []
    assert story.buckets("SO-1") == [{end: 1}]


# Which of several holds.
@pytest.mark.parametrize("sequence", list(permutations(range(4))), ids=lambda sequence: "".join(map(str, sequence)))
def test_per_field_the_latest_amendment_holds_in_whatever_sequence_they_come(
    story: Changes, sequence: tuple[int, ...]
) -> None:
    amendments = [
        amends("AM-9", "SO-1", minute=1, priority=1, need_by=AT, ship_complete=True),
        amends("AM-8", "SO-1", minute=2, priority=2, need_by=AT + timedelta(days=2)),
        amends("AM-7", "SO-1", minute=3, priority=3),
        amends("AM-6", "SO-1", minute=2, ship_complete=False),
    ]
    story.order("SO-1", wants(1))
    for number in sequence:
        assert story.hears(amendments[number]) == []
    assert terms(story, "SO-1") == (3, AT + timedelta(days=2), False)


@pytest.mark.parametrize("sequence", list(permutations(("AM-10", "AM-9", "AM-A"))))
def test_of_amendments_of_one_instant_the_one_with_the_last_id_holds(
    story: Changes, sequence: tuple[str, ...]
) -> None:
    priorities = {"AM-10": 1, "AM-9": 2, "AM-A": 3}
    story.order("SO-1", wants(1))
    for amendment_id in sequence:
        story.hears(amends(amendment_id, "SO-1", priority=priorities[amendment_id]))
    assert terms(story, "SO-1") == (3, None, False)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"priority": 0}, (0, AT, True)),
        ({"need_by": AT + timedelta(1)}, (4, AT + timedelta(1), True)),
        ({"ship_complete": False}, (4, AT, False)),
        ({}, (4, AT, True)),
    ],
    ids=str,
)
def test_fields_that_are_not_given_stay(story: Changes, changed: dict[str, Any], expected: tuple[Any, ...]) -> None:
    story.order("SO-1", wants(1), priority=4, need_by=AT, ship_complete=True)
    story.hears(amends("AM-1", "SO-1", **changed))
    assert terms(story, "SO-1") == expected


def test_an_amendment_holds_even_if_it_was_made_before_the_order_was_placed(story: Changes) -> None:
    """The order itself is no amendment: what it says is what held before the first of them."""
    story.order("SO-1", wants(1), minute=5)
    story.hears(amends("AM-1", "SO-1", minute=-60, priority=3))
    assert terms(story, "SO-1") == (3, None, False)


# Shipping as a whole.
def test_what_is_held_leaves_when_the_order_need_not_ship_as_a_whole_any_more(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    story.receipt("R-2", brings(1), location="WH2")
    story.order("SO-1", wants(4, "a"), wants(1, "b", "SKU-2"), ship_complete=True)
    assert story.hears(amends("AM-1", "SO-1", ship_complete=False, priority=3)) == [
        ship("SO-1", part(2, "a"), completes=False, priority=3),
        ship("SO-1", part(1, "a"), completes=False, location="WH2", priority=3),
        filled("SO-1", ("a", 3), completes=False),
    ]
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 3}, {"backordered": 1}]
    assert story.receipt("R-3", brings(1)) == [
        cross_dock("SO-1", "R-3", part(1, "a"), completes=False, priority=3),
        filled("SO-1", ("a", 1), completes=False),
    ]


def test_an_outdated_amendment_releases_nothing(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(2), ship_complete=True)
    story.hears(amends("AM-1", "SO-1", minute=2, ship_complete=True))
    assert story.hears(amends("AM-2", "SO-1", minute=1, ship_complete=False)) == []
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 1}]


def test_an_order_that_is_to_ship_as_a_whole_from_now_on_holds_what_comes_and_keeps_what_is_released(
    story: Changes,
) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(3, "a"), wants(1, "b", "SKU-2"))
    assert story.hears(amends("AM-1", "SO-1", ship_complete=True)) == []
    assert story.receipt("R-2", brings(2)) == [put_away("R-2", stored(2))]
    assert story.buckets("SO-1") == [{"held": 2, "released": 1}, {"backordered": 1}]
    assert story.receipt("R-3", brings(1, sku="SKU-2")) == [
        cross_dock("SO-1", "R-3", part(1, "b", "SKU-2"), completes=True),
        ship("SO-1", part(2, "a"), completes=True),
        filled("SO-1", ("a", 2), ("b", 1, "SKU-2"), completes=True),
    ]


def test_an_order_that_waits_for_nothing_may_be_told_to_ship_as_a_whole(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(1))
    assert story.hears(amends("AM-1", "SO-1", ship_complete=True)) == []
    assert story.buckets("SO-1") == [{"released": 1}]


def test_units_may_be_cancelled_of_an_order_after_it_was_amended(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(2), ship_complete=True)
    story.hears(amends("AM-1", "SO-1", ship_complete=False))
    assert story.hears(cancels("X-1", "SO-1"))[0] == revoke("SO-1", part(1), of="order-amended/AM-1")


@pytest.mark.parametrize(
    "amendment", [amends("AM-1", "SO-1", priority=2), amends("AM-1", "SO-1", ship_complete=True)], ids=repr
)
def test_an_amendment_that_changes_nothing_has_no_event(story: Changes, amendment: AmendOrder) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(2), priority=2, ship_complete=True)
    assert story.hears(amendment) == []
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 1}]
