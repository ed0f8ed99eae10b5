"""Goods leave the building: stock and claims go down together; nothing but released units may leave (R5)."""

from __future__ import annotations

import pytest

from bo_worker.domain.account import Refusal
from changes import Changes, amends, cancelled, cancels, corrects, dispatches, revoke, sets, shipped
from story import backordered, brings, part, put_away, stored, wants


@pytest.fixture
def story() -> Changes:
    return Changes()


def test_a_shipment_takes_units_off_the_stock_and_tells_the_customer_how_to_follow_it(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(3))
    carriage = {"carrier": "UPS", "tracking_number": "1Z-9", "tracking_url": "https://example.com/1Z-9"}
    assert story.hears(dispatches("S-1", "SO-1", ("1", 3), **carriage)) == [
        shipped("S-1", "SO-1", ("1", 3), **carriage)
    ]
    assert story.buckets("SO-1") == [{"shipped": 3}]
    assert story.stock() == {"WH1": (2, 0)}


def test_an_order_may_leave_in_several_shipments_each_told_of(story: Changes) -> None:
    story.stores(WH1=5)
    story.order("SO-1", wants(3, "a"), wants(2, "b"))
    assert story.hears(dispatches("S-1", "SO-1", ("a", 1))) == [shipped("S-1", "SO-1", ("a", 1))]
    assert story.buckets("SO-1") == [{"released": 2, "shipped": 1}, {"released": 2}]
    assert story.stock() == {"WH1": (4, 4)}
    assert story.hears(dispatches("S-2", "SO-1", ("b", 2), ("a", 1))) == [shipped("S-2", "SO-1", ("b", 2), ("a", 1))]
    assert story.hears(dispatches("S-3", "SO-1", ("a", 1))) == [shipped("S-3", "SO-1", ("a", 1))]
    assert story.buckets("SO-1") == [{"shipped": 3}, {"shipped": 2}]
    assert story.stock() == {"WH1": (0, 0)}


def test_units_of_a_line_that_leave_from_two_locations_are_told_of_together(story: Changes) -> None:
    story.stores(WH1=3, WH2=2)
    story.order("SO-1", wants(5))
    assert story.hears(dispatches("S-1", "SO-1", ("1", 2, "WH2"), ("1", 1, "WH1"))) == [
        shipped("S-1", "SO-1", ("1", 3))
    ]
    assert story.stock() == {"WH1": (2, 2), "WH2": (0, 0)}


def test_units_of_several_instructions_leave_oldest_first(story: Changes) -> None:
    story.order("SO-1", wants(5))
    story.receipt("R-1", brings(2))
    story.receipt("R-2", brings(3))
    assert story.hears(dispatches("S-1", "SO-1", ("1", 4))) == [shipped("S-1", "SO-1", ("1", 4))]
    claims = story.account.orders["SO-1"].lines[0].claims
    assert [(claim.shipped, claim.released) for claim in claims] == [(2, 0), (2, 1)]


def test_a_shipment_of_just_what_one_instruction_asked_for_leaves_the_others_open(story: Changes) -> None:
    story.order("SO-1", wants(3, "a"), wants(2, "b", "SKU-2"))
    story.receipt("R-1", brings(2))
    story.receipt("R-2", brings(1), brings(2, "2", "SKU-2"))
    story.hears(dispatches("S-1", "SO-1", ("a", 1), ("b", 2)))
    claims = story.account.orders["SO-1"].lines[0].claims
    assert [(claim.shipped, claim.released) for claim in claims] == [(0, 2), (1, 0)]
    assert story.hears(cancels("X-1", "SO-1", ("a", 1)))[0] == revoke(
        "SO-1", part(1, "a"), of="inventory-received/R-1", kind="cross_dock"
    )
    assert story.hears(dispatches("S-2", "SO-1", ("a", 1))) == [shipped("S-2", "SO-1", ("a", 1))]


def test_of_instructions_for_the_same_units_the_oldest_has_left(story: Changes) -> None:
    story.order("SO-1", wants(6))
    for receipt_id in ("R-1", "R-2", "R-3"):
        story.receipt(receipt_id, brings(2))
    story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    claims = story.account.orders["SO-1"].lines[0].claims
    assert [claim.shipped for claim in claims] == [2, 0, 0]


def test_the_released_part_of_an_order_that_waits_may_leave(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(5))
    story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    assert story.buckets("SO-1") == [{"backordered": 3, "shipped": 2}]


def test_a_shipment_frees_nothing_for_others(story: Changes) -> None:
    story.stores(WH1=6)
    story.hears(sets(safety_stock=2))
    story.order("SO-1", wants(4))
    story.order("SO-2", wants(1))
    assert story.hears(dispatches("S-1", "SO-1", ("1", 4))) == [shipped("S-1", "SO-1", ("1", 4))]
    assert story.buckets("SO-2") == [{"backordered": 1}]
    assert story.stock() == {"WH1": (2, 0)}
    assert story.order("SO-3", wants(1)) == [backordered("SO-3", ("1", 1))]


def test_the_same_units_do_not_come_back_when_more_arrives(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(2))
    story.hears(dispatches("S-1", "SO-1", ("1", 2)))
    assert story.receipt("R-1", brings(2)) == [put_away("R-1", stored(2))]


# What may not leave.
def test_the_lines_of_a_shipment_count_together_against_one_claim(story: Changes) -> None:
    story.stores(WH1=3)
    story.order("SO-1", wants(3))
    assert story.refuses(dispatches("S-1", "SO-1", ("1", 2), ("1", 2))) == Refusal(
        "not_released", "4 units of line 1 of order SO-1 left WH1, but 3 are released there"
    )
    assert story.hears(dispatches("S-2", "SO-1", ("1", 2), ("1", 1))) == [shipped("S-2", "SO-1", ("1", 3))]


@pytest.mark.parametrize(
    ("bad", "refusal"),
    [
        (("b", 3), Refusal("not_released", "3 units of line b of order SO-1 left WH1, but 2 are released there")),
        (
            ("a", 1, "WH2"),
            Refusal("not_released", "1 units of line a of order SO-1 left WH2, but 0 are released there"),
        ),
        (("c", 1), Refusal("not_released", "1 units of line c of order SO-1 left WH1, but 0 are released there")),
        (("z", 1), Refusal("unknown_line", "order SO-1 has no line z")),
    ],
    ids=["too many", "elsewhere", "waiting", "unknown"],
)
@pytest.mark.parametrize("place", [0, 1], ids=["first", "last"])
def test_one_bad_line_refuses_the_whole_shipment(
    story: Changes, bad: tuple[str, int] | tuple[str, int, str], refusal: Refusal, place: int
) -> None:
    story.stores(WH1=4)
    story.order("SO-1", wants(2, "a"), wants(2, "b"), wants(1, "c", "SKU-2"))
    lines: list[tuple[str, int] | tuple[str, int, str]] = [("a", 1)]
    lines.insert(place, bad)
    assert story.refuses(dispatches("S-1", "SO-1", *lines)) == refusal


def test_a_shipment_of_an_unknown_order_is_refused(story: Changes) -> None:
    """It can't wait for its order: nothing of an order that is not there can have been released."""
    assert story.refuses(dispatches("S-1", "SO-9", ("1", 1))) == Refusal("unknown_order", "there is no order SO-9")


@pytest.mark.parametrize("bucket", ["held", "shipped", "cancelled", "lost", "rejected"])
def test_units_that_are_not_released_there_may_not_leave(story: Changes, bucket: str) -> None:
    if bucket != "rejected":
        story.stores(WH1=1)
    if bucket == "held":
        story.order("SO-1", wants(2), ship_complete=True)
    else:
        story.order("SO-1", wants(1, backorder="deny"))
    match bucket:
        case "shipped":
            story.hears(dispatches("S-1", "SO-1", ("1", 1)))
        case "cancelled":
            story.hears(cancels("X-1", "SO-1"))
        case "lost":
            story.hears(corrects("ADJ-1", -1))
    assert story.refuses(dispatches("S-2", "SO-1", ("1", 1))) == Refusal(
        "not_released", "1 units of line 1 of order SO-1 left WH1, but 0 are released there"
    )


def test_released_units_may_leave_though_the_order_holds_others(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(4))
    story.hears(amends("AM-1", "SO-1", ship_complete=True))
    story.receipt("R-1", brings(1))
    assert story.refuses(dispatches("S-1", "SO-1", ("1", 3))) == Refusal(
        "not_released", "3 units of line 1 of order SO-1 left WH1, but 2 are released there"
    )
    story.hears(dispatches("S-2", "SO-1", ("1", 2)))
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 1, "shipped": 2}]


def test_what_leaves_of_one_line_takes_nothing_from_another_of_the_same_product(story: Changes) -> None:
    story.stores(WH1=2)
    story.order("SO-1", wants(1, "a"), wants(1, "b"))
    story.hears(dispatches("S-1", "SO-1", ("b", 1)))
    assert story.buckets("SO-1") == [{"released": 1}, {"shipped": 1}]
    assert story.hears(cancels("X-1", "SO-1")) == [
        revoke("SO-1", part(1, "a"), of="order-created/SO-1"),
        cancelled("SO-1", ("a", 1)),
    ]
