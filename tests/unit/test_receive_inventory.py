"""Goods that arrive go to those who wait, in rank, straight from the dock; the rest is put away."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bo_worker.domain.demand import rank_by_need_by
from story import (
    AT,
    Story,
    backordered,
    brings,
    cross_dock,
    filled,
    part,
    put_away,
    ship,
    stored,
    wants,
)


def test_goods_that_nobody_waits_for_are_put_away() -> None:
    story = Story()
    assert story.receipt("R-1", brings(4), brings(2, "2", "SKU-2", lot="L1"), dock_door="D4") == [
        put_away("R-1", stored(4), stored(2, "SKU-2", lot="L1"), dock_door="D4")
    ]
    assert story.stock() == {"WH1": (4, 0)}


def test_a_receipt_smaller_than_what_waits_leaves_the_rest_waiting() -> None:
    story = Story()
    story.order("SO-1", wants(5))
    assert story.receipt("R-1", brings(3), dock_door="D4") == [
        cross_dock("SO-1", "R-1", part(3), completes=False, dock_door="D4"),
        filled("SO-1", ("1", 3), completes=False),
    ]
    assert story.buckets("SO-1") == [{"backordered": 2, "released": 3}]


def test_a_receipt_of_just_what_waits_fills_it_and_puts_nothing_away() -> None:
    story = Story()
    story.order("SO-1", wants(5), priority=2)
    assert story.receipt("R-1", brings(5)) == [
        cross_dock("SO-1", "R-1", part(5), completes=True, priority=2),
        filled("SO-1", ("1", 5), completes=True),
    ]
    assert story.stock() == {"WH1": (5, 5)}


def test_a_receipt_larger_than_what_waits_fills_it_and_puts_the_rest_away() -> None:
    story = Story()
    story.order("SO-1", wants(5))
    assert story.receipt("R-1", brings(8, lot="L1"), dock_door="D4") == [
        cross_dock("SO-1", "R-1", part(5, lot="L1"), completes=True, dock_door="D4"),
        filled("SO-1", ("1", 5), completes=True),
        put_away("R-1", stored(3, lot="L1"), dock_door="D4"),
    ]
    assert story.stock() == {"WH1": (8, 5)}


def test_several_receipts_fill_a_line_bit_by_bit_each_with_its_own_instruction() -> None:
    story = Story()
    story.order("SO-1", wants(5))
    story.receipt("R-1", brings(2))
    assert story.receipt("R-2", brings(2), location="WH2") == [
        cross_dock("SO-1", "R-2", part(2), completes=False, location="WH2"),
        filled("SO-1", ("1", 2), completes=False),
    ]
    assert story.receipt("R-3", brings(2)) == [
        cross_dock("SO-1", "R-3", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
        put_away("R-3", stored(1)),
    ]
    assert story.claims("SO-1") == [[("WH1", 2), ("WH2", 2), ("WH1", 1)]]


def test_waiting_lines_are_served_by_priority_then_age_then_order_then_position() -> None:
    """The orders come in an order that has nothing to do with their rank; one unit arrives at a time."""
    story = Story()
    story.order("SO-30", wants(1), minute=3)
    story.order("SO-9", wants(1, "b"), wants(1, "a"), minute=2)
    story.order("SO-10", wants(1), minute=2)
    story.order("SO-40", wants(1), minute=1)
    story.order("SO-50", wants(1), minute=9, priority=1)
    story.order("SO-60", wants(1), minute=8, priority=9)
    served = []
    for number in range(7):
        instruction, _ = story.receipt(f"R-{number}", brings(1))
        served.append((instruction.key, getattr(instruction, "lines", [])[0].line_id))
    assert served == [
        ("SO-60", "1"),
        ("SO-50", "1"),
        ("SO-40", "1"),
        ("SO-10", "1"),
        ("SO-9", "b"),
        ("SO-9", "a"),
        ("SO-30", "1"),
    ]


def test_a_late_order_with_an_older_date_stands_before_those_who_wait_already() -> None:
    story = Story()
    story.order("SO-1", wants(2), minute=0)
    story.order("SO-2", wants(2), minute=-1)
    assert story.receipt("R-1", brings(3)) == [
        cross_dock("SO-2", "R-1", part(2), completes=True),
        filled("SO-2", ("1", 2), completes=True),
        cross_dock("SO-1", "R-1", part(1), completes=False),
        filled("SO-1", ("1", 1), completes=False),
    ]


def test_the_earliest_need_is_served_first_where_that_is_the_rank() -> None:
    story = Story(rank_by_need_by)
    story.order("SO-1", wants(1), minute=0)
    story.order("SO-2", wants(1), minute=2, need_by=AT + timedelta(days=2))
    story.order("SO-3", wants(1), minute=3, need_by=AT + timedelta(days=1))
    story.order("SO-4", wants(1), minute=1, need_by=AT + timedelta(days=2))
    story.order("SO-5", wants(1), minute=4, priority=1)
    facts = story.receipt("R-1", brings(5))
    assert [fact.key for fact in facts[::2]] == ["SO-5", "SO-3", "SO-4", "SO-2", "SO-1"]


def test_pinned_and_free_lines_form_one_queue_at_a_location() -> None:
    story = Story()
    story.order("SO-1", wants(1, at="WH2"), minute=1)
    story.order("SO-2", wants(1, at="WH1"), minute=2)
    story.order("SO-3", wants(1), minute=3)
    story.order("SO-4", wants(1, at="WH1"), minute=4)
    assert story.receipt("R-1", brings(2)) == [
        cross_dock("SO-2", "R-1", part(1), completes=True),
        filled("SO-2", ("1", 1), completes=True),
        cross_dock("SO-3", "R-1", part(1), completes=True),
        filled("SO-3", ("1", 1), completes=True),
    ]
    assert story.receipt("R-2", brings(3)) == [
        cross_dock("SO-4", "R-2", part(1), completes=True),
        filled("SO-4", ("1", 1), completes=True),
        put_away("R-2", stored(2)),
    ]
    assert story.buckets("SO-1") == [{"backordered": 1}]


def test_goods_at_one_location_are_no_use_to_a_line_that_is_pinned_to_another() -> None:
    story = Story()
    story.order("SO-1", wants(1, at="WH1"))
    assert story.receipt("R-1", brings(1), location="WH2") == [put_away("R-1", stored(1), location="WH2")]


def test_lines_of_one_order_leave_in_one_instruction_and_one_notification() -> None:
    story = Story()
    story.order("SO-1", wants(2, "a"), wants(1, "b", "SKU-2"), wants(3, "c"), wants(1, "d", "SKU-3"))
    assert story.receipt("R-1", brings(1, "1", "SKU-2"), brings(5, "2")) == [
        cross_dock(
            "SO-1",
            "R-1",
            part(2, "a"),
            part(1, "b", "SKU-2"),
            part(3, "c"),
            completes=False,
        ),
        filled("SO-1", ("a", 2), ("b", 1, "SKU-2"), ("c", 3), completes=False),
    ]


def test_the_lines_of_a_receipt_for_one_product_are_used_up_one_after_the_other() -> None:
    story = Story()
    story.order("SO-1", wants(3), minute=1)
    story.order("SO-2", wants(3), minute=2)
    facts = story.receipt(
        "R-1", brings(2, "1", lot="L1"), brings(2, "2", lot="L2"), brings(4, "3", lot="L1"), brings(1, "4")
    )
    assert facts == [
        cross_dock("SO-1", "R-1", part(2, lot="L1"), part(1, lot="L2"), completes=True),
        filled("SO-1", ("1", 3), completes=True),
        cross_dock("SO-2", "R-1", part(1, lot="L2"), part(2, lot="L1"), completes=True),
        filled("SO-2", ("1", 3), completes=True),
        put_away("R-1", stored(2, lot="L1"), stored(1)),
    ]


def test_units_of_one_lot_make_one_line_of_an_instruction_however_many_receipt_lines_brought_them() -> None:
    story = Story()
    story.order("SO-1", wants(3))
    assert story.receipt("R-1", brings(1, "1", lot="L1"), brings(1, "2"), brings(1, "3", lot="L1")) == [
        cross_dock("SO-1", "R-1", part(2, lot="L1"), part(1), completes=True),
        filled("SO-1", ("1", 3), completes=True),
    ]


def test_damaged_units_never_become_stock() -> None:
    story = Story()
    story.order("SO-1", wants(5))
    assert story.receipt("R-1", brings(2, damaged=3)) == [
        cross_dock("SO-1", "R-1", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
    ]
    assert story.stock() == {"WH1": (2, 2)}


@pytest.mark.parametrize("waiting", [0, 5])
def test_a_receipt_of_nothing_but_damaged_units_has_no_effect(waiting: int) -> None:
    story = Story()
    if waiting:
        story.order("SO-1", wants(waiting))
    assert story.receipt("R-1", brings(0, damaged=3), brings(0, "2", "SKU-2", damaged=1)) == []
    assert story.stock() == {}


def test_a_receipt_line_without_usable_units_is_left_out_of_what_is_put_away() -> None:
    story = Story()
    assert story.receipt("R-1", brings(0, "1", damaged=3), brings(2, "2")) == [put_away("R-1", stored(2))]


def test_units_that_fill_up_the_safety_stock_are_put_away_though_somebody_waits() -> None:
    story = Story()
    story.policy(safety_stock=4)
    story.order("SO-1", wants(3))
    assert story.receipt("R-1", brings(3)) == [put_away("R-1", stored(3))]
    assert story.receipt("R-2", brings(3)) == [
        cross_dock("SO-1", "R-2", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
        put_away("R-2", stored(1)),
    ]
    assert story.receipt("R-3", brings(3), location="WH2") == [put_away("R-3", stored(3), location="WH2")]
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 2}]


def test_units_held_for_a_ship_complete_order_are_put_away_and_leave_later_from_storage() -> None:
    story = Story()
    story.order("SO-1", wants(2, "a"), wants(2, "b", "SKU-2"), ship_complete=True)
    assert story.receipt("R-1", brings(3, lot="L1")) == [put_away("R-1", stored(3, lot="L1"))]
    assert story.buckets("SO-1") == [{"held": 2}, {"backordered": 2}]
    assert story.receipt("R-2", brings(3, sku="SKU-2", lot="L2")) == [
        cross_dock("SO-1", "R-2", part(2, "b", "SKU-2", lot="L2"), completes=True),
        ship("SO-1", part(2, "a", lot="L1"), completes=True),
        filled("SO-1", ("a", 2), ("b", 2, "SKU-2"), completes=True),
        put_away("R-2", stored(1, "SKU-2", lot="L2")),
    ]
    assert story.buckets("SO-1") == [{"released": 2}, {"released": 2}]


def test_one_line_of_a_ship_complete_order_may_leave_from_storage_and_from_the_dock() -> None:
    story = Story()
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(4), ship_complete=True)
    story.receipt("R-2", brings(1), location="WH2")
    assert story.receipt("R-3", brings(5)) == [
        cross_dock("SO-1", "R-3", part(2), completes=True),
        ship("SO-1", part(1), completes=True),
        ship("SO-1", part(1), completes=True, location="WH2"),
        filled("SO-1", ("1", 4), completes=True),
        put_away("R-3", stored(3)),
    ]


def test_a_ship_complete_order_claims_units_as_they_come_at_its_rank() -> None:
    """It keeps what it was given from those behind it, and gets nothing that is due to those before it."""
    story = Story()
    story.order("SO-1", wants(4), minute=2, ship_complete=True)
    story.order("SO-2", wants(2), minute=1)
    story.order("SO-3", wants(1), minute=3)
    assert story.receipt("R-1", brings(5)) == [
        cross_dock("SO-2", "R-1", part(2), completes=True),
        filled("SO-2", ("1", 2), completes=True),
        put_away("R-1", stored(3)),
    ]
    assert story.receipt("R-2", brings(1)) == [
        cross_dock("SO-1", "R-2", part(1), completes=True),
        ship("SO-1", part(3), completes=True),
        filled("SO-1", ("1", 4), completes=True),
    ]
    assert story.buckets("SO-3") == [{"backordered": 1}]


def test_an_order_that_was_served_elsewhere_before_says_truly_when_it_is_complete() -> None:
    story = Story()
    story.order("SO-1", wants(1, "a", at="WH1"), wants(1, "b", at="WH2"))
    assert story.receipt("R-1", brings(1), location="WH2") == [
        cross_dock("SO-1", "R-1", part(1, "b"), completes=False, location="WH2"),
        filled("SO-1", ("b", 1), completes=False),
    ]
    assert story.receipt("R-2", brings(1)) == [
        cross_dock("SO-1", "R-2", part(1, "a"), completes=True),
        filled("SO-1", ("a", 1), completes=True),
    ]


def test_who_was_filled_or_rejected_gets_nothing_more() -> None:
    story = Story()
    story.order("SO-1", wants(1))
    story.order("SO-2", wants(1, backorder="deny"))
    story.receipt("R-1", brings(1))
    assert story.receipt("R-2", brings(1)) == [put_away("R-2", stored(1))]


def test_goods_that_were_put_away_serve_the_next_order_from_storage() -> None:
    story = Story()
    story.receipt("R-1", brings(3, lot="L1"))
    assert story.order("SO-1", wants(4)) == [
        ship("SO-1", part(3), completes=False),
        backordered("SO-1", ("1", 1)),
    ]


def test_a_receipt_may_have_as_many_lines_as_the_contract_allows() -> None:
    story = Story()
    story.order("SO-1", wants(2_000))
    numbers = [str(number) for number in range(1, 2_001)]
    assert story.receipt("R-1", *(brings(1, number, lot=number) for number in numbers)) == [
        cross_dock("SO-1", "R-1", *(part(1, lot=number) for number in numbers), completes=True),
        filled("SO-1", ("1", 2_000), completes=True),
    ]
