"""A new order takes what is free, waits for the rest, or is turned down (contract, section 2)."""

from __future__ import annotations

import pytest

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import PlaceOrder
from bo_worker.domain.decide import decide
from bo_worker.domain.facts import FulfillmentLine, Notification, NotificationLine, Ship
from story import (
    AT,
    CUSTOMER,
    Story,
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


def stocked(story: Story, **quantities: int) -> Story:
    """Put units of SKU-1 into locations, by name."""
    for location, quantity in quantities.items():
        facts = story.receipt(f"first-{location}", brings(quantity), location=location)
        assert facts == [put_away(f"first-{location}", stored(quantity), location=location)]
    return story


def test_ids_of_facts_follow_from_their_cause_and_stay_the_same_in_every_version() -> None:
    """Subscribers recognise a re-publication by these ids: they may never change."""
    account = Account()
    cause = Cause("order-created", "SO-1")
    stock = account.product("SKU-1").stock_at("WH1")
    stock.on_hand = 2
    assert decide(account, cause, PlaceOrder("SO-1", AT, CUSTOMER, [wants(3)]), b"digest") is None
    assert account.facts == [
        (
            Ship(
                "F-159d12f5ad550df0835e", "SO-1", "WH1", 0, [FulfillmentLine("1", "SKU-1", 2)], completes_order=False
            ),
            cause,
        ),
        (
            Notification(
                "N-5583f245d98ea701b2a7", "order_backordered", "SO-1", CUSTOMER, [NotificationLine("1", "SKU-1", 1)]
            ),
            cause,
        ),
    ]


def test_an_order_that_stock_covers_is_shipped_and_confirmed() -> None:
    story = stocked(Story(), WH1=5)
    assert story.order("SO-1", wants(3), priority=4) == [
        ship("SO-1", part(3), completes=True, priority=4),
        confirmed("SO-1", ("1", 3)),
    ]
    assert story.buckets("SO-1") == [{"released": 3}]
    assert story.stock() == {"WH1": (5, 3)}


def test_an_order_without_stock_waits_as_a_whole() -> None:
    story = Story()
    assert story.order("SO-1", wants(3), wants(2, "2", "SKU-2")) == [backordered("SO-1", ("1", 3), ("2", 2, "SKU-2"))]
    assert story.buckets("SO-1") == [{"backordered": 3}, {"backordered": 2}]


def test_a_line_that_stock_covers_in_part_ships_that_part_and_waits_for_the_rest() -> None:
    story = stocked(Story(), WH1=2)
    assert story.order("SO-1", wants(3)) == [
        ship("SO-1", part(2), completes=False),
        backordered("SO-1", ("1", 1)),
    ]
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 2}]
    assert story.stock() == {"WH1": (2, 2)}


def test_only_what_waits_is_told_of_an_order_of_which_some_lines_ship() -> None:
    story = stocked(Story(), WH1=5)
    assert story.order("SO-1", wants(3), wants(2, "2", "SKU-2")) == [
        ship("SO-1", part(3), completes=False),
        backordered("SO-1", ("2", 2, "SKU-2")),
    ]


@pytest.mark.parametrize(
    ("stock", "quantity", "claims"),
    [
        ({"WH1": 10, "WH2": 15}, 13, [("WH2", 13)]),
        ({"WH1": 15, "WH2": 10}, 13, [("WH1", 13)]),
        ({"WH1": 10, "WH2": 5}, 13, [("WH1", 10), ("WH2", 3)]),
        ({"WH1": 13, "WH2": 20}, 13, [("WH2", 13)]),
        ({"WH1": 1, "WH2": 20, "WH3": 13}, 13, [("WH2", 13)]),
        ({"WH2": 7, "WH1": 7}, 7, [("WH1", 7)]),
        ({"WH2": 7, "WH1": 7}, 9, [("WH1", 7), ("WH2", 2)]),
        ({"B": 3, "a": 3, "A": 3}, 9, [("A", 3), ("B", 3), ("a", 3)]),
        ({"WH1": 10, "WH2": 5, "WH3": 4}, 14, [("WH1", 10), ("WH2", 4)]),
        ({"WH1": 2, "WH2": 5, "WH3": 4}, 12, [("WH2", 5), ("WH3", 4), ("WH1", 2)]),
    ],
    ids=lambda value: "+".join(map(str, value.values())) if isinstance(value, dict) else None,
)
def test_a_line_is_served_by_as_few_locations_as_possible_the_most_available_first(
    stock: dict[str, int], quantity: int, claims: list[tuple[str, int]]
) -> None:
    story = stocked(Story(), **stock)
    claimed = sum(units for _, units in claims)
    ships = [ship("SO-1", part(units), completes=claimed == quantity, location=place) for place, units in claims]
    rest = quantity - claimed
    outcome = backordered("SO-1", ("1", rest)) if rest else confirmed("SO-1", ("1", quantity))
    facts = story.order("SO-1", wants(quantity))
    assert sorted(facts[:-1], key=repr) == sorted(ships, key=repr)
    assert facts[-1] == outcome
    assert story.claims("SO-1") == [claims]


def test_the_lines_of_an_order_leave_a_location_in_one_instruction() -> None:
    story = stocked(Story(), WH1=5, WH2=9)
    assert story.order("SO-1", wants(2, at="WH1"), wants(9, "2"), wants(3, "3")) == [
        ship("SO-1", part(2), part(3, "3"), completes=True),
        ship("SO-1", part(9, "2"), completes=True, location="WH2"),
        confirmed("SO-1", ("1", 2), ("2", 9), ("3", 3)),
    ]


def test_a_pinned_line_takes_nothing_from_elsewhere() -> None:
    story = stocked(Story(), WH1=2, WH2=9)
    assert story.order("SO-1", wants(3, at="WH1"), wants(1, "2", at="WH3")) == [
        ship("SO-1", part(2), completes=False),
        backordered("SO-1", ("1", 1), ("2", 1)),
    ]
    assert story.stock() == {"WH1": (2, 2), "WH2": (9, 0)}


def test_a_line_that_waits_elsewhere_keeps_nobody_from_units_it_could_not_have() -> None:
    story = stocked(Story(), WH2=4)
    story.order("SO-1", wants(3, at="WH1"))
    assert story.order("SO-2", wants(4)) == [
        ship("SO-2", part(4), completes=True, location="WH2"),
        confirmed("SO-2", ("1", 4)),
    ]


def test_lines_of_one_order_for_the_same_product_share_the_stock() -> None:
    story = stocked(Story(), WH1=2)
    assert story.order("SO-1", wants(2, "a"), wants(2, "b"), wants(2, "c")) == [
        ship("SO-1", part(2, "a"), completes=False),
        backordered("SO-1", ("b", 2), ("c", 2)),
    ]


def test_lines_of_one_order_that_may_not_wait_share_the_stock() -> None:
    story = stocked(Story(), WH1=2)
    assert story.order("SO-1", *(wants(2, name, backorder="deny") for name in "abc")) == [
        ship("SO-1", part(2, "a"), completes=True),
        rejected("SO-1", ("b", 2), ("c", 2), reason="out_of_stock"),
        confirmed("SO-1", ("a", 2)),
    ]
    assert story.buckets("SO-1") == [{"released": 2}, {"rejected": 2}, {"rejected": 2}]


def test_a_line_that_may_not_wait_is_rejected_as_a_whole_and_leaves_the_stock_to_others() -> None:
    story = stocked(Story(), WH1=2)
    assert story.order("SO-1", wants(3, "a", backorder="deny"), wants(2, "b", backorder="deny")) == [
        ship("SO-1", part(2, "b"), completes=True),
        rejected("SO-1", ("a", 3), reason="out_of_stock"),
        confirmed("SO-1", ("b", 2)),
    ]
    assert story.buckets("SO-1") == [{"rejected": 3}, {"released": 2}]


def test_a_pinned_line_that_may_not_wait_is_rejected_though_there_is_stock_elsewhere() -> None:
    story = stocked(Story(), WH2=9)
    assert story.order("SO-1", wants(1, at="WH1", backorder="deny")) == [
        rejected("SO-1", ("1", 1), reason="out_of_stock")
    ]


def test_an_order_of_which_nothing_is_taken_on_is_only_rejected() -> None:
    story = Story()
    assert story.order("SO-1", wants(3, backorder="deny")) == [rejected("SO-1", ("1", 3), reason="out_of_stock")]
    assert story.receipt("R-1", brings(5)) == [put_away("R-1", stored(5))]


def test_an_order_may_be_rejected_shipped_and_backordered_line_by_line() -> None:
    story = stocked(Story(), WH1=2)
    assert story.order("SO-1", wants(1, "a"), wants(5, "b", backorder="deny"), wants(5, "c")) == [
        ship("SO-1", part(1, "a"), part(1, "c"), completes=False),
        rejected("SO-1", ("b", 5), reason="out_of_stock"),
        backordered("SO-1", ("c", 4)),
    ]


def test_a_products_policy_decides_where_the_line_says_nothing() -> None:
    story = Story()
    story.policy(backorder="deny")
    assert story.order("SO-1", wants(1, "a"), wants(1, "b", backorder="allow")) == [
        rejected("SO-1", ("a", 1), reason="out_of_stock"),
        backordered("SO-1", ("b", 1)),
    ]


def test_a_line_may_be_stricter_than_the_policy() -> None:
    story = Story()
    story.policy(backorder="allow")
    assert story.order("SO-1", wants(1, backorder="deny")) == [rejected("SO-1", ("1", 1), reason="out_of_stock")]


def test_nothing_may_wait_that_no_purchase_order_can_cover_where_the_policy_asks_for_one() -> None:
    story = Story()
    story.policy(backorder="if_promised")
    assert story.order("SO-1", wants(1)) == [rejected("SO-1", ("1", 1), reason="out_of_stock")]


def test_exactly_the_backorder_limit_may_wait_and_no_unit_more() -> None:
    story = stocked(Story(), WH1=2)
    story.policy(backorder_limit=5)
    assert story.order("SO-1", wants(5)) == [
        ship("SO-1", part(2), completes=False),
        backordered("SO-1", ("1", 3)),
    ]
    assert story.order("SO-2", wants(3)) == [rejected("SO-2", ("1", 3), reason="backorder_limit")]
    assert story.order("SO-3", wants(2)) == [backordered("SO-3", ("1", 2))]
    assert story.order("SO-4", wants(1)) == [rejected("SO-4", ("1", 1), reason="backorder_limit")]


def test_the_backorder_limit_counts_the_lines_of_the_same_order() -> None:
    story = Story()
    story.policy(backorder_limit=5)
    assert story.order("SO-1", wants(3, "a"), wants(3, "b"), wants(2, "c")) == [
        rejected("SO-1", ("b", 3), reason="backorder_limit"),
        backordered("SO-1", ("a", 3), ("c", 2)),
    ]


def test_the_backorder_limit_counts_lines_that_wait_at_all_locations() -> None:
    story = Story()
    story.policy(backorder_limit=5)
    story.order("SO-1", wants(3, at="WH1"))
    assert story.order("SO-2", wants(3, at="WH2")) == [rejected("SO-2", ("1", 3), reason="backorder_limit")]


def test_the_backorder_limit_does_not_hold_for_what_stock_covers() -> None:
    story = stocked(Story(), WH1=9)
    story.policy(backorder_limit=0)
    assert story.order("SO-1", wants(9)) == [ship("SO-1", part(9), completes=True), confirmed("SO-1", ("1", 9))]
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="backorder_limit")]


def test_units_that_came_since_make_room_below_the_backorder_limit() -> None:
    story = Story()
    story.policy(backorder_limit=5)
    story.order("SO-1", wants(5))
    story.receipt("R-1", brings(2))
    assert story.order("SO-2", wants(2)) == [backordered("SO-2", ("1", 2))]


def test_a_discontinued_product_sells_what_is_there_and_takes_no_new_backorder() -> None:
    story = stocked(Story(), WH1=3)
    story.policy(discontinued=True)
    assert story.order("SO-1", wants(2, backorder="allow")) == [
        ship("SO-1", part(2), completes=True),
        confirmed("SO-1", ("1", 2)),
    ]
    assert story.order("SO-2", wants(2, backorder="allow")) == [rejected("SO-2", ("1", 2), reason="discontinued")]


def test_who_waited_before_a_product_was_discontinued_keeps_waiting() -> None:
    story = Story()
    story.order("SO-1", wants(2))
    story.policy(discontinued=True, backorder="deny", backorder_limit=0)
    assert story.buckets("SO-1") == [{"backordered": 2}]
    assert story.receipt("R-1", brings(2)) == [
        cross_dock("SO-1", "R-1", part(2), completes=True),
        filled("SO-1", ("1", 2), completes=True),
    ]


def test_no_order_takes_the_safety_stock_of_any_location() -> None:
    story = stocked(Story(), WH1=5, WH2=7, WH3=2)
    story.policy(safety_stock=3)
    assert story.order("SO-1", wants(9)) == [
        ship("SO-1", part(2), completes=False),
        ship("SO-1", part(4), completes=False, location="WH2"),
        backordered("SO-1", ("1", 3)),
    ]
    assert story.stock() == {"WH1": (5, 2), "WH2": (7, 4), "WH3": (2, 0)}


def test_a_ship_complete_order_that_stock_covers_leaves_at_once() -> None:
    story = stocked(Story(), WH1=3, WH2=2)
    assert story.order("SO-1", wants(5), ship_complete=True) == [
        ship("SO-1", part(3), completes=True),
        ship("SO-1", part(2), completes=True, location="WH2"),
        confirmed("SO-1", ("1", 5)),
    ]


def test_a_ship_complete_order_holds_what_there_is_and_releases_nothing() -> None:
    story = stocked(Story(), WH1=3)
    assert story.order("SO-1", wants(2, "a"), wants(2, "b"), ship_complete=True) == [
        backordered("SO-1", ("b", 1), reason="ship_complete")
    ]
    assert story.buckets("SO-1") == [{"held": 2}, {"backordered": 1, "held": 1}]
    assert story.stock() == {"WH1": (3, 3)}
    assert story.order("SO-2", wants(1)) == [backordered("SO-2", ("1", 1))]


def test_one_rejected_line_rejects_a_ship_complete_order_and_frees_what_it_took() -> None:
    story = stocked(Story(), WH1=3)
    story.policy("SKU-2", backorder_limit=4)
    lines = (wants(2, "a"), wants(3, "b", "SKU-2"), wants(4, "c"), wants(1, "d", backorder="deny"))
    assert story.order("SO-1", *lines, ship_complete=True) == [
        rejected("SO-1", ("a", 2), ("b", 3, "SKU-2"), ("c", 4), ("d", 1), reason="out_of_stock")
    ]
    assert story.buckets("SO-1") == [{"rejected": 2}, {"rejected": 3}, {"rejected": 4}, {"rejected": 1}]
    assert story.stock() == {"WH1": (3, 0)}
    assert story.order("SO-2", wants(3), wants(4, "2", "SKU-2")) == [
        ship("SO-2", part(3), completes=False),
        backordered("SO-2", ("2", 4, "SKU-2")),
    ]


def test_a_new_order_never_passes_the_queue_however_urgent_it_is() -> None:
    """What was claimed stays claimed: a better rank counts for what is not given yet."""
    story = Story()
    story.order("SO-1", wants(5))
    assert story.receipt("R-1", brings(3)) == [
        cross_dock("SO-1", "R-1", part(3), completes=False),
        filled("SO-1", ("1", 3), completes=False),
    ]
    assert story.order("SO-2", wants(1), priority=9, minute=-60) == [backordered("SO-2", ("1", 1))]
    assert story.buckets("SO-1") == [{"backordered": 2, "released": 3}]


def test_an_order_may_have_as_many_lines_as_the_contract_allows() -> None:
    story = stocked(Story(), WH1=1_999)
    numbers = range(1, 2_001)
    facts = story.order("SO-1", *(wants(1, str(number)) for number in numbers))
    assert facts == [
        ship("SO-1", *(part(1, str(number)) for number in numbers[:-1]), completes=False),
        backordered("SO-1", ("2000", 1)),
    ]
