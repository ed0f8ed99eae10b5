"""Units that wait a few days for the rest of their order, so that they leave together."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.account import Terms
from bo_worker.domain.cause import Cause
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.facts import Notification, NotificationLine
from bo_worker.domain.settle import release_served
from changes import Changes, amends, cancels, corrects, sets
from story import (
    CUSTOMER,
    backordered,
    brings,
    confirmed,
    cross_dock,
    filled,
    part,
    put_away,
    ship,
    stored,
    wants,
)

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

TODAY = date(2026, 11, 21)


class Together(Changes):
    """A story in which units wait up to 5 days. SKU-1 and SKU-2 can be had in 3 days, SKU-3 in 9, SKU-4 never."""

    def __init__(self, days: int = 5) -> None:
        super().__init__()
        self.account.today = TODAY
        self.account.terms = Terms(choices=ChoiceTerms(consolidate_days=days))
        for sku, lead in (("SKU-1", 3), ("SKU-2", 3), ("SKU-3", 9)):
            self.hears(sets(sku=sku, lead_time_days=lead))

    def hold(self, order_id: str = "SO-1") -> date | None:
        return self.account.orders[order_id].hold_until

    def days_pass(self, days: int) -> list[Fact]:
        """Let days pass, and SO-1 be looked at then."""
        self.account.today += timedelta(days=days)
        cause = self.account.cause = Cause("sweep", f"hold/{self.account.today}")
        release_served(self.account, "SO-1", None)
        return self.facts_of(cause)


@pytest.fixture
def story() -> Together:
    return Together()


def waits(*lines: tuple[str, int] | tuple[str, int, str], days: int = 3) -> Notification:
    """The customer hears what is there and waits, and until when the rest is expected."""
    day = TODAY + timedelta(days=days)
    about = [NotificationLine(line[0], line[2] if len(line) > 2 else "SKU-1", line[1], None, day) for line in lines]
    return Notification("N-", "still_on_track", "SO-1", CUSTOMER, about, reason="consolidation")


def dated(fact: Notification, *days: int, reason: str | None = None) -> Notification:
    """The same with the days from today on by which its lines are promised."""
    for line, after in zip(fact.lines, days, strict=True):
        line.expected_from = line.expected_to = TODAY + timedelta(days=after)
    fact.reason = reason
    return fact


# What a new order does.
def test_what_is_there_waits_for_what_comes_soon_and_the_customer_is_told_so(story: Together) -> None:
    story.stores(WH1=3)
    assert story.order("SO-1", wants(2), wants(1, "2", "SKU-2")) == [
        dated(backordered("SO-1", ("2", 1, "SKU-2")), 3, reason="consolidation")
    ]
    assert story.buckets("SO-1") == [{"held": 2}, {"backordered": 1}]
    assert story.hold() == TODAY + timedelta(days=5)


@pytest.mark.parametrize("sku", ["SKU-3", "SKU-4"], ids=["too late", "nobody knows when"])
def test_what_is_there_leaves_where_the_rest_does_not_come_soon(story: Together, sku: str) -> None:
    story.stores(WH1=3)
    facts = story.order("SO-1", wants(2), wants(1, "2", sku))
    assert facts[0] == ship("SO-1", part(2), completes=False)
    assert story.hold() is None


def test_nothing_waits_for_what_its_supplier_ships(story: Together) -> None:
    """SKU-5 comes in 3 days too, but not here; SKU-2 does."""
    story.hears(sets(sku="SKU-5", kind="drop_ship", lead_time_days=3))
    story.stores(WH1=4)
    assert ship("SO-1", part(2), completes=False) in story.order("SO-1", wants(2), wants(1, "2", "SKU-5"))
    story.hears(sets(2, sku="SKU-5", kind="drop_ship", lead_time_days=5))
    both = story.order("SO-2", wants(2), wants(1, "2", "SKU-5"), wants(1, "3", "SKU-2"))
    assert dated(backordered("SO-2", ("2", 1, "SKU-5"), ("3", 1, "SKU-2")), 5, 3, reason="consolidation") in both
    assert story.hold("SO-2") == TODAY + timedelta(days=5)
    assert story.receipt("R-2", brings(1, sku="SKU-2"))[-1].kind == "backorder_filled"
    assert story.buckets("SO-2") == [{"released": 2}, {"backordered": 1}, {"released": 1}]


def test_nothing_waits_for_an_order_that_is_there(story: Together) -> None:
    story.stores(WH1=3)
    assert story.order("SO-1", wants(2)) == [ship("SO-1", part(2), completes=True), confirmed("SO-1", ("1", 2))]


def test_everything_leaves_as_it_comes_where_nobody_set_otherwise() -> None:
    story = Together(days=0)
    story.stores(WH1=3)
    assert ship("SO-1", part(2), completes=False) in story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))


def test_an_order_of_which_nothing_is_there_holds_nothing(story: Together) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    assert story.hold() is None


# What goods that come do.
def test_what_comes_first_waits_and_all_leaves_together_in_one_instruction(story: Together) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    assert story.receipt("R-1", brings(2)) == [waits(("1", 2)), put_away("R-1", stored(2))]
    assert story.receipt("R-2", brings(1, sku="SKU-2")) == [
        cross_dock("SO-1", "R-2", part(1, "2", "SKU-2"), completes=True),
        ship("SO-1", part(2), completes=True),
        filled("SO-1", ("1", 2), ("2", 1, "SKU-2"), completes=True),
    ]
    assert story.hold() is None


def test_the_customer_is_told_once_how_ever_much_comes_one_after_the_other(story: Together) -> None:
    story.order("SO-1", wants(3), wants(1, "2", "SKU-2"))
    assert story.receipt("R-1", brings(1)) == [waits(("1", 1)), put_away("R-1", stored(1))]
    assert story.receipt("R-2", brings(2)) == [put_away("R-2", stored(2))]
    assert story.buckets("SO-1") == [{"held": 3}, {"backordered": 1}]


def test_a_line_that_is_there_in_part_waits_for_its_rest(story: Together) -> None:
    story.order("SO-1", wants(3))
    assert story.receipt("R-1", brings(2)) == [waits(("1", 2)), put_away("R-1", stored(2))]


def test_what_waits_leaves_once_nothing_comes_soon_any_more(story: Together) -> None:
    """SKU-2 came; what is left of the order is promised for the ninth day."""
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"), wants(1, "3", "SKU-3"))
    story.receipt("R-1", brings(2))
    facts = story.receipt("R-2", brings(1, sku="SKU-2"))
    assert filled("SO-1", ("1", 2), ("2", 1, "SKU-2"), completes=False) in facts
    assert story.buckets("SO-1") == [{"released": 2}, {"released": 1}, {"backordered": 1}]


# What time and changes do.
@pytest.mark.parametrize(("days", "leaves"), [(5, 0), (6, 1)], ids=["the last day", "the day after"])
def test_what_waits_leaves_when_the_window_has_passed(story: Together, days: int, leaves: int) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    left = [ship("SO-1", part(2), completes=False), filled("SO-1", ("1", 2), completes=False)]
    assert story.days_pass(days) == left * leaves


def test_the_window_begins_with_the_first_unit_that_waits(story: Together) -> None:
    story.order("SO-1", wants(2), wants(2, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    story.account.today += timedelta(days=2)
    story.receipt("R-2", brings(1, sku="SKU-2"))
    assert story.hold() == TODAY + timedelta(days=5)


def test_what_waits_leaves_when_the_rest_moves_beyond_the_window(story: Together) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    assert story.days_pass(0) == []
    story.account.orders["SO-1"].lines[1].expected_to = TODAY + timedelta(days=6)
    assert story.days_pass(0) == [
        ship("SO-1", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
    ]


def test_what_waits_leaves_when_the_rest_is_cancelled(story: Together) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    facts = story.hears(cancels("X-1", "SO-1", ("2", 1)))
    assert facts[1:] == [ship("SO-1", part(2), completes=True), filled("SO-1", ("1", 2), completes=True)]


def test_a_second_group_of_an_order_waits_for_a_window_of_its_own(story: Together) -> None:
    story.order("SO-1", wants(2), wants(2, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    assert story.days_pass(6) != []
    story.account.orders["SO-1"].lines[1].expected_to = story.account.today + timedelta(days=1)
    story.receipt("R-2", brings(1, sku="SKU-2"))
    assert story.buckets("SO-1") == [{"released": 2}, {"backordered": 1, "held": 1}]
    assert story.hold() == TODAY + timedelta(days=11)


def test_units_that_wait_give_way_to_a_correction_and_nothing_is_said(story: Together) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    assert story.hears(corrects("ADJ-1", -1)) == []
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 1}, {"backordered": 1}]


@pytest.mark.parametrize("changed", [{"ship_complete": True}, {"priority": 3}])
def test_an_amendment_lets_nothing_leave_before_its_time(story: Together, changed: dict[str, Any]) -> None:
    story.order("SO-1", wants(2), wants(1, "2", "SKU-2"))
    story.receipt("R-1", brings(2))
    assert story.hears(amends("AM-1", "SO-1", **changed)) == []
    assert story.buckets("SO-1") == [{"held": 2}, {"backordered": 1}]
