"""A policy holds from now on: for the next order, and for the queue where it lets units go; it takes nothing back."""

from __future__ import annotations

from itertools import permutations

import pytest

from bo_worker.domain.account import Refusal
from changes import Changes, cancelled, cancels, corrects, revoke, sets
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


# Versions.
@pytest.mark.parametrize("sequence", list(permutations((0, 1, 2))), ids=str)
def test_the_largest_version_holds_in_whatever_sequence_they_come(story: Changes, sequence: tuple[int, ...]) -> None:
    policies = [sets(0, backorder="deny"), sets(1, safety_stock=7), sets(2, backorder_limit=3)]
    for version in sequence:
        assert story.hears(policies[version]) == []
    assert story.account.product("SKU-1").policy == policies[2]


def test_an_older_version_frees_nothing(story: Changes) -> None:
    story.stores(WH1=2)
    story.hears(sets(2, safety_stock=2))
    story.order("SO-1", wants(1))
    assert story.hears(sets(1, safety_stock=0)) == []
    assert story.buckets("SO-1") == [{"backordered": 1}]


def test_the_same_version_with_other_content_is_a_conflict_and_with_the_same_it_is_not(story: Changes) -> None:
    story.hears(sets(3, backorder="deny"))
    assert story.refuses(sets(3, backorder="allow")) == Refusal(
        "conflict", "version 3 of the policy of SKU-1 was received before with other content"
    )
    assert story.hears(sets(3, backorder="deny")) == []
    assert story.hears(sets(4, backorder="allow")) == []


def test_each_product_has_versions_of_its_own(story: Changes) -> None:
    story.hears(sets(5, backorder="deny"))
    story.hears(sets(1, sku="SKU-2", backorder="deny"))
    assert story.order("SO-1", wants(1, "a"), wants(1, "b", "SKU-2")) == [
        rejected("SO-1", ("a", 1), ("b", 1, "SKU-2"), reason="out_of_stock")
    ]


def test_a_policy_may_come_before_anything_else_of_its_product(story: Changes) -> None:
    assert story.hears(sets(safety_stock=1)) == []
    assert story.receipt("R-1", brings(2)) == [put_away("R-1", stored(2))]
    assert story.order("SO-1", wants(2)) == [ship("SO-1", part(1), completes=False), backordered("SO-1", ("1", 1))]


# Who may wait.
@pytest.mark.parametrize("backorder", ["deny", "if_promised"])
def test_from_a_denial_on_no_order_may_wait_but_who_waits_already_keeps_waiting(
    story: Changes, backorder: str
) -> None:
    """As long as there are no purchase orders nothing can be promised, so `if_promised` denies."""
    story.order("SO-1", wants(2))
    assert story.hears(sets(backorder=backorder)) == []  # type: ignore[arg-type]  # one of both
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="out_of_stock")]
    assert story.receipt("R-1", brings(3)) == [
        cross_dock("SO-1", "R-1", part(2), completes=True),
        filled("SO-1", ("1", 2), completes=True),
        put_away("R-1", stored(1)),
    ]
    assert story.order("SO-3", wants(1)) == [ship("SO-3", part(1), completes=True), confirmed("SO-3", ("1", 1))]


def test_a_more_generous_policy_serves_the_next_order_and_brings_back_nothing_that_was_rejected(
    story: Changes,
) -> None:
    story.hears(sets(1, backorder="deny"))
    story.order("SO-1", wants(1))
    assert story.hears(sets(2)) == []
    assert story.order("SO-2", wants(1)) == [backordered("SO-2", ("1", 1))]
    assert story.buckets("SO-1") == [{"rejected": 1}]


def test_a_lower_limit_takes_nothing_from_who_waits_and_lets_nobody_in_until_enough_have_gone(story: Changes) -> None:
    story.order("SO-1", wants(5))
    assert story.hears(sets(backorder_limit=4)) == []
    assert story.buckets("SO-1") == [{"backordered": 5}]
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="backorder_limit")]
    story.receipt("R-1", brings(2))
    assert story.order("SO-3", wants(2)) == [rejected("SO-3", ("1", 2), reason="backorder_limit")]
    assert story.order("SO-4", wants(1)) == [backordered("SO-4", ("1", 1))]


def test_exactly_the_limit_may_wait_counted_over_all_who_wait(story: Changes) -> None:
    story.stores(WH1=1)
    story.hears(sets(backorder_limit=4))
    story.order("SO-1", wants(2), wants(1, "2", at="WH2"))
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 1}, {"backordered": 1}]
    assert story.order("SO-2", wants(3)) == [rejected("SO-2", ("1", 3), reason="backorder_limit")]
    assert story.order("SO-3", wants(2)) == [backordered("SO-3", ("1", 2))]
    assert story.order("SO-4", wants(1)) == [rejected("SO-4", ("1", 1), reason="backorder_limit")]


def test_units_that_were_lost_may_wait_beyond_the_limit(story: Changes) -> None:
    """They waited in no queue when the limit was checked; a correction refuses nobody."""
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    story.hears(sets(backorder_limit=1))
    story.hears(corrects("ADJ-1", -3))
    assert story.buckets("SO-1") == [{"backordered": 3}]
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="backorder_limit")]


# Discontinued products.
def test_a_discontinued_product_sells_what_is_there_and_takes_no_new_backorder(story: Changes) -> None:
    """Not even where the line says that it may wait."""
    story.stores(WH1=2)
    story.hears(sets(discontinued=True))
    assert story.order("SO-1", wants(3, backorder="allow")) == [rejected("SO-1", ("1", 3), reason="discontinued")]
    assert story.order("SO-2", wants(2)) == [ship("SO-2", part(2), completes=True), confirmed("SO-2", ("1", 2))]


def test_who_waits_for_a_discontinued_product_waits_until_stock_comes_or_the_order_is_cancelled(
    story: Changes,
) -> None:
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(2))
    assert story.hears(sets(discontinued=True)) == []
    assert story.hears(cancels("X-1", "SO-1", ("1", 1))) == [cancelled("SO-1", ("1", 1))]
    assert story.hears(corrects("ADJ-1", 2, reason="found")) == [
        ship("SO-1", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
        ship("SO-2", part(1), completes=False),
        filled("SO-2", ("1", 1), completes=False),
    ]


def test_a_product_may_be_continued(story: Changes) -> None:
    story.hears(sets(1, discontinued=True))
    story.hears(sets(2))
    assert story.order("SO-1", wants(1)) == [backordered("SO-1", ("1", 1))]


# Safety stock.
def test_a_lower_safety_stock_serves_the_queue_from_every_location_that_keeps_the_product(story: Changes) -> None:
    story.hears(sets(1, safety_stock=5))
    story.stores(WH1=5, WH2=4)
    story.order("SO-1", wants(2, at="WH2"), minute=1)
    story.order("SO-2", wants(4), minute=2)
    assert story.hears(sets(2, safety_stock=2)) == [
        ship("SO-1", part(2), completes=True, location="WH2"),
        filled("SO-1", ("1", 2), completes=True),
        ship("SO-2", part(3), completes=False),
        filled("SO-2", ("1", 3), completes=False),
    ]
    assert story.stock() == {"WH1": (5, 3), "WH2": (4, 2)}


def test_versions_that_serve_the_same_order_are_causes_of_their_own(story: Changes) -> None:
    """Their events have ids of their own, so that no subscriber takes the second for the first once more."""
    story.hears(sets(1, safety_stock=3))
    story.stores(WH1=3)
    story.order("SO-1", wants(2))
    assert story.hears(sets(2, safety_stock=2)) == [
        ship("SO-1", part(1), completes=False),
        filled("SO-1", ("1", 1), completes=False),
    ]
    assert story.hears(sets(3, safety_stock=1)) == [
        ship("SO-1", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
    ]
    assert story.causes == ["product-policy-updated/SKU-1/3"] * 2


def test_a_policy_that_leaves_out_the_safety_stock_lets_it_go(story: Changes) -> None:
    """Each version is the whole policy."""
    story.hears(sets(1, safety_stock=1))
    story.stores(WH1=1)
    story.order("SO-1", wants(1), ship_complete=True)
    assert story.hears(sets(2, backorder="deny")) == [
        ship("SO-1", part(1), completes=True),
        filled("SO-1", ("1", 1), completes=True),
    ]


def test_a_higher_safety_stock_takes_nothing_from_those_who_hold_units(story: Changes) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(2), wants(1, "2", "SKU-2"), ship_complete=True)
    assert story.hears(sets(safety_stock=3)) == []
    assert story.buckets("SO-1") == [{"released": 2}]
    assert story.buckets("SO-2") == [{"held": 2}, {"backordered": 1}]


def test_units_that_come_free_below_a_higher_safety_stock_are_given_to_nobody(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(5))
    story.order("SO-2", wants(5))
    story.hears(sets(safety_stock=3))
    assert story.hears(cancels("X-1", "SO-1", ("1", 4))) == [
        revoke("SO-1", part(4), of="order-created/SO-1"),
        cancelled("SO-1", ("1", 4)),
        ship("SO-2", part(1), completes=False),
        filled("SO-2", ("1", 1), completes=False),
    ]
    assert story.stock() == {"WH1": (5, 2)}


def test_the_safety_stock_holds_at_each_location_by_itself(story: Changes) -> None:
    story.hears(sets(safety_stock=2))
    story.stores(WH1=3, WH2=3, WH3=2)
    assert story.order("SO-1", wants(4)) == [
        ship("SO-1", part(1), completes=False),
        ship("SO-1", part(1), completes=False, location="WH2"),
        backordered("SO-1", ("1", 2)),
    ]
