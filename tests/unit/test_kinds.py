"""Kinds of products: who may wait, until when, who is served when, and what suppliers are asked for."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.availability import snapshot
from bo_worker.domain.facts import Procurement
from bo_worker.domain.kinds import turn
from bo_worker.domain.promise import from_lead_time
from bo_worker.domain.settle import Effect, settle
from bo_worker.domain.supply import SupplyLine
from changes import Changes, cancels, corrects, dispatches, sets, shipped, shop_view
from story import backordered, brings, confirmed, filled, part, put_away, rejected, ship, stored, told, wants

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

TODAY = date(2026, 11, 21)
START = date(2026, 12, 1)
END = date(2026, 12, 24)


class Season(Changes):
    """A story whose days go by."""

    def is_kind(self, kind: str, **optional: Any) -> None:
        version = self.account.product("SKU-1").policy
        self.hears(sets(version.version + 1 if version else 1, kind=kind, **optional))

    def becomes(self, today: date) -> None:
        """Let a day begin: what turns is turned, and the queue is served where that lets it."""
        self.account.today = today
        product = self.account.product("SKU-1")
        if product.next_change_on is not None and product.next_change_on <= today:
            turn(product, today)
            settle(self.account, Effect({"SKU-1": sorted(product.stock)}))

    def expects(self, quantity: int, day: date, purchase_order_id: str = "PO-1") -> None:
        """Let a confirmed purchase order be on its way."""
        line = SupplyLine(purchase_order_id, "1", "SKU-1", "SUP-1", "WH1", "confirmed", quantity)
        line.expected_from = line.expected_to = line.promised_on = day
        self.account.product("SKU-1").supply[line.key] = line

    @property
    def state(self) -> str:
        return shop_view(self.account.product("SKU-1")).state

    def promised(self, order_id: str) -> date | None:
        return self.account.orders[order_id].lines[0].expected_to


@pytest.fixture
def story() -> Season:
    found = Season()
    found.account.today = TODAY
    return found


def reorders(facts: list[Fact]) -> list[Procurement]:
    return [fact for fact in facts if isinstance(fact, Procurement)]


def reorder(order_id: str, quantity: int, reason: str, needed_by: date | None, at: str | None = None) -> Procurement:
    return Procurement("PR-", "reorder", "SKU-1", at, quantity, 1, needed_by, reason, order_id)


# Pre-order.
def test_a_pre_order_is_promised_no_day_before_the_release(story: Season) -> None:
    story.is_kind("pre_order", release_on=START)
    story.order("SO-1", wants(1))
    assert story.promised("SO-1") == START
    assert story.state == "pre_order"
    story.expects(5, TODAY)
    story.order("SO-2", wants(1))
    assert story.promised("SO-2") == START
    story.expects(5, END)
    story.account.product("SKU-1").outlook = None
    story.order("SO-3", wants(1))
    assert story.promised("SO-3") == END


def test_pre_orders_are_taken_up_to_the_limit(story: Season) -> None:
    story.is_kind("pre_order", release_on=START, backorder_limit=3)
    assert story.order("SO-1", wants(3))[0].kind == "order_backordered"
    assert story.state == "out_of_stock"
    assert story.order("SO-2", wants(1)) == [rejected("SO-2", ("1", 1), reason="backorder_limit")]


def test_what_comes_early_serves_pre_orders_in_rank_at_once(story: Season) -> None:
    story.is_kind("pre_order", release_on=START)
    story.order("SO-2", wants(2), minute=2)
    story.order("SO-1", wants(2), minute=1)
    story.receipt("R-1", brings(3))
    assert story.buckets("SO-1") == [{"released": 2}]
    assert story.buckets("SO-2") == [{"backordered": 1, "released": 1}]


def test_from_the_release_on_a_pre_order_product_is_an_ordinary_one(story: Season) -> None:
    story.is_kind("pre_order", release_on=START, lead_time_days=3)
    story.becomes(START)
    assert story.state == "backorderable"
    story.order("SO-1", wants(1))
    assert story.promised("SO-1") == START + timedelta(days=3)
    assert story.account.product("SKU-1").next_change_on is None


# Backorders where they can be promised.
def test_two_lines_of_an_order_are_not_promised_the_same_units(story: Season) -> None:
    story.hears(sets(backorder="if_promised"))
    story.expects(5, START)
    story.expects(5, END, "PO-2")
    story.order("SO-1", wants(5, "1"), wants(5, "2"))
    assert [line.expected_to for line in story.account.orders["SO-1"].lines] == [START, END]


def test_a_line_behind_a_rejected_one_is_not_promised_what_is_for_the_one_ahead(story: Season) -> None:
    story.hears(sets(backorder="if_promised"))
    story.expects(5, START)
    story.expects(5, END, "PO-2")
    story.order("SO-1", wants(5, "1"), wants(6, "2"), wants(5, "3"))
    assert [line.expected_to for line in story.account.orders["SO-1"].lines] == [START, None, END]


@pytest.mark.parametrize(("window", "state"), [(9, "out_of_stock"), (10, "backorderable"), (None, "backorderable")])
def test_the_state_agrees_with_whether_a_line_is_taken_within_the_window(
    story: Season, window: int | None, state: str
) -> None:
    story.hears(sets(backorder="if_promised", window_days=window))
    story.expects(5, START)
    assert shop_view(story.account.product("SKU-1"), TODAY).state == state
    story.order("SO-1", wants(1))
    assert (story.promised("SO-1") is not None) == (state == "backorderable")


def test_what_only_fills_up_the_safety_stock_can_not_be_promised(story: Season) -> None:
    story.hears(sets(backorder="if_promised", safety_stock=5))
    story.expects(5, START)
    assert story.state == "out_of_stock"
    assert story.order("SO-1", wants(1)) == [rejected("SO-1", ("1", 1), reason="out_of_stock")]


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "pre_order", "release_on": END},
        {"kind": "pre_order", "release_on": START, "safety_stock": 2},
        {"kind": "seasonal", "release_on": START, "season_ends_on": TODAY},
    ],
    ids=str,
)
def test_a_policy_that_moves_what_can_be_promised_is_a_change_that_a_shop_sees(
    story: Season, change: dict[str, Any]
) -> None:
    story.is_kind("pre_order", release_on=START)
    story.expects(5, START)
    product = story.account.product("SKU-1")
    before, seen = shop_view(product), snapshot(product)
    story.hears(sets(2, **change))
    assert shop_view(product) != before
    assert snapshot(product) != seen


# Made to order.
def test_each_order_that_waits_for_what_is_made_to_order_asks_for_it_once_per_product(story: Season) -> None:
    story.stores(WH1=1)
    story.is_kind("made_to_order", lead_time_days=10)
    facts = story.order("SO-1", wants(2, "a"), wants(3, "b"))
    assert reorders(facts) == [reorder("SO-1", 4, "made_to_order", TODAY + timedelta(days=10))]


def test_an_order_that_is_served_or_rejected_asks_for_nothing(story: Season) -> None:
    story.stores(WH1=1)
    story.is_kind("made_to_order", lead_time_days=10, backorder_limit=2)
    assert reorders(story.order("SO-1", wants(1))) == []
    assert reorders(story.order("SO-2", wants(3))) == []


# Drop-ship.
def test_stock_of_a_drop_shipped_product_serves_nobody(story: Season) -> None:
    story.stores(WH1=5)
    story.is_kind("drop_ship", lead_time_days=4)
    facts = story.order("SO-1", wants(2, at="WH1"))
    assert reorders(facts) == [reorder("SO-1", 2, "drop_ship", TODAY + timedelta(days=4), "WH1")]
    assert story.receipt("R-1", brings(3)) == [put_away("R-1", stored(3))]
    assert story.hears(corrects("ADJ-1", 2)) == []
    assert story.buckets("SO-1") == [{"backordered": 2}]
    assert story.state == "backorderable"
    assert story.stock() == {"WH1": (10, 0)}


def test_a_supplier_ships_what_waits_and_no_stock_is_touched(story: Season) -> None:
    story.stores(WH1=5)
    story.is_kind("drop_ship")
    story.order("SO-1", wants(3, at="WH1"))
    facts = story.hears(dispatches("S-1", "SO-1", ("1", 2, "SUP-1")))
    assert facts == [shipped("S-1", "SO-1", ("1", 2))]
    assert story.buckets("SO-1") == [{"backordered": 1, "shipped": 2}]
    assert story.stock() == {"WH1": (5, 0)}
    assert story.refuses(dispatches("S-2", "SO-1", ("1", 2, "SUP-1"))).error == "not_released"
    story.hears(cancels("X-1", "SO-1"))
    assert story.buckets("SO-1") == [{"shipped": 2, "cancelled": 1}]


def test_the_lines_of_a_direct_shipment_count_together(story: Season) -> None:
    story.is_kind("drop_ship")
    story.order("SO-1", wants(3))
    command = dispatches("S-1", "SO-1", ("1", 2, "SUP-1"), ("1", 2, "SUP-2"))
    assert story.refuses(command).error == "not_released"


def test_a_ship_complete_order_leaves_when_the_supplier_has_shipped_the_rest(story: Season) -> None:
    story.is_kind("drop_ship")
    story.receipt("R-1", brings(1, sku="SKU-2"))
    story.order("SO-1", wants(1, "a"), wants(1, "b", "SKU-2"), ship_complete=True)
    assert story.buckets("SO-1") == [{"backordered": 1}, {"held": 1}]
    facts = story.hears(dispatches("S-1", "SO-1", ("a", 1, "SUP-1")))
    assert facts[1:] == [
        ship("SO-1", part(1, "b", "SKU-2"), completes=True),
        filled("SO-1", ("b", 1, "SKU-2"), completes=True),
    ]


def test_stock_serves_the_queue_when_a_product_is_no_longer_drop_shipped(story: Season) -> None:
    story.stores(WH1=2)
    story.is_kind("drop_ship")
    story.order("SO-1", wants(3))
    story.is_kind("standard")
    assert story.buckets("SO-1") == [{"backordered": 1, "released": 2}]


# Seasonal.
def test_before_its_season_a_product_is_neither_released_nor_promised_earlier(story: Season) -> None:
    story.stores(WH1=2)
    story.is_kind("seasonal", release_on=START, season_ends_on=END)
    story.order("SO-1", wants(3))
    assert story.promised("SO-1") == START
    assert story.buckets("SO-1") == [{"backordered": 3}]
    assert story.receipt("R-1", brings(4)) == [put_away("R-1", stored(4))]
    assert shop_view(story.account.product("SKU-1")).available == 0


def test_when_its_season_begins_stock_serves_the_queue_in_rank(story: Season) -> None:
    story.stores(WH1=4)
    story.is_kind("seasonal", release_on=START, season_ends_on=END)
    story.order("SO-2", wants(2), minute=2)
    story.order("SO-1", wants(3), minute=1)
    story.becomes(START)
    assert story.buckets("SO-1") == [{"released": 3}]
    assert story.buckets("SO-2") == [{"backordered": 1, "released": 1}]


def test_after_its_season_nothing_is_sold_and_who_waits_keeps_waiting(story: Season) -> None:
    story.is_kind("seasonal", release_on=START, season_ends_on=END)
    story.becomes(START)
    story.order("SO-1", wants(1))
    story.becomes(END)
    story.order("SO-2", wants(1))
    story.becomes(END + timedelta(days=1))
    assert story.account.product("SKU-1").are_promises_due
    story.receipt("R-1", brings(5))
    assert story.buckets("SO-1") == story.buckets("SO-2") == [{"backordered": 1}]
    assert story.order("SO-3", wants(1, backorder="allow")) == [rejected("SO-3", ("1", 1), reason="out_of_stock")]
    assert story.state == "out_of_stock"


def test_no_promise_lies_after_the_season(story: Season) -> None:
    story.is_kind("seasonal", season_ends_on=END, lead_time_days=34)
    story.order("SO-1", wants(1))
    story.expects(5, END + timedelta(days=1))
    story.order("SO-2", wants(1))
    assert [story.promised(order_id) for order_id in ("SO-1", "SO-2")] == [None, None]
    assert shop_view(story.account.product("SKU-1")).available_to_promise == []


# Manufacturer, indefinite.
def test_the_dates_of_a_delayed_manufacturer_are_the_suppliers_word_alone(story: Season) -> None:
    story.is_kind("manufacturer", lead_time_days=3)
    assert from_lead_time(story.account, story.account.product("SKU-1")).expected_to is None
    story.expects(1, START)
    story.order("SO-1", wants(1))
    story.order("SO-2", wants(1))
    assert [story.promised(order_id) for order_id in ("SO-1", "SO-2")] == [START, None]


def test_one_waits_without_a_date_only_with_consent(story: Season) -> None:
    story.is_kind("indefinite", lead_time_days=3)
    story.expects(9, START)
    assert story.state == "out_of_stock"
    assert story.order("SO-1", wants(1)) == [rejected("SO-1", ("1", 1), reason="out_of_stock")]
    assert story.order("SO-2", wants(1, backorder="allow")) == [backordered("SO-2", ("1", 1))]
    assert story.receipt("R-1", brings(2))[1] == told("backorder_filled", "SO-2", ("1", 1), completes=True)
    assert story.order("SO-3", wants(1))[1] == confirmed("SO-3", ("1", 1))
