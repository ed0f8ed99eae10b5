"""A plan is told when it is another one than what is left of the last; what came as planned is no news."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.cross_dock import DockTerms
from bo_worker.domain.demand import Order, OrderLine
from bo_worker.domain.facts import CrossDockPlan
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.plan import Load, Plan, PlannedLine, admit, is_settled, revise, serve

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 5)
SKU = {"SKU-1"}


def line(quantity: int, position: int = 1, sku: str = "SKU-1", last: date = LAST, **fields: Any) -> PlannedLine:
    return PlannedLine(position, sku, quantity, FIRST, last, **fields)


def order() -> Order:
    found = Order("SO-1", AT, {"customer_id": "C-7"}, 2, ship_complete=False, need_by=None)
    found.lines = [OrderLine(found, n, f"L{n}", f"SKU-{n}", 9, None, None, None, 9) for n in (1, 2)]
    return found


def revised(plan: Plan, *lines: PlannedLine, skus: set[str] = SKU) -> CrossDockPlan | None:
    """Revise a plan; return what is told of it."""
    account = Account(cause=Cause("sweep", "promises/SKU-1/1"))
    status = revise(account, order(), plan, skus, lines)
    told = [fact for fact, _ in account.facts if isinstance(fact, CrossDockPlan)]
    assert [fact.status for fact in told] == ([status] if status else [])
    return told[0] if told else None


def units(fact: CrossDockPlan | None) -> dict[str, int]:
    return {line.line_id: line.quantity for line in fact.lines} if fact else {}


def new_plan(*lines: PlannedLine) -> Plan:
    plan = Plan("PO-1", "SO-1", "WH1")
    assert revised(plan, *lines, skus={"SKU-1", "SKU-2"}) is not None
    return plan


def test_a_plan_says_what_comes_for_whom_and_when() -> None:
    plan = Plan("PO-1", "SO-1", "WH1")
    fact = revised(plan, line(2, 2, "SKU-2", date(2026, 12, 9)), line(3), skus={"SKU-1", "SKU-2"})
    assert fact is not None
    assert (fact.purchase_order_id, fact.order_id, fact.location, fact.priority) == ("PO-1", "SO-1", "WH1", 2)
    assert (fact.expected_from, fact.expected_to, fact.revision) == (FIRST, date(2026, 12, 9), 1)
    assert list(units(fact).items()) == [("L1", 3), ("L2", 2)]


def test_the_same_again_is_no_news() -> None:
    plan = new_plan(line(3))
    assert is_settled(plan, SKU, [line(3)])
    assert revised(plan, line(3)) is None
    assert plan.revision == 1


def test_other_quantities_and_other_days_are_news() -> None:
    plan = new_plan(line(3))
    assert units(revised(plan, line(2))) == {"L1": 2}
    fact = revised(plan, line(2, last=date(2026, 12, 8)))
    assert fact is not None
    assert (fact.expected_to, fact.revision) == (date(2026, 12, 8), 3)


def test_a_sku_replaces_just_its_own_lines() -> None:
    plan = new_plan(line(3), line(2, 2, "SKU-2"))
    assert units(revised(plan)) == {"L2": 2}
    assert [(one.sku, one.line_id) for one in plan.lines] == [("SKU-2", "L2")]


def test_a_withdrawn_plan_repeats_what_was_planned_last_and_goes_on_counting() -> None:
    plan = new_plan(line(3))
    fact = revised(plan)
    assert fact is not None
    assert (fact.status, fact.revision, units(fact)) == ("withdrawn", 2, {"L1": 3})
    assert is_settled(plan, SKU, [])
    again = revised(plan, line(1))
    assert again is not None
    assert (again.status, again.revision) == ("planned", 3)


def test_what_came_as_planned_is_no_news_but_is_stored() -> None:
    plan = new_plan(line(3))
    serve(plan, 1, 2)
    assert not is_settled(plan, SKU, [line(1)])
    assert revised(plan, line(1)) is None
    serve(plan, 1, 1)
    assert revised(plan) is None
    assert (plan.lines, plan.revision) == ((), 1)


def test_what_does_not_come_any_more_is_withdrawn_without_what_came() -> None:
    plan = new_plan(line(3))
    serve(plan, 1, 2)
    fact = revised(plan)
    assert fact is not None
    assert (fact.status, units(fact)) == ("withdrawn", {"L1": 1})


def load(number: int, priority: int = 0, purchase_order_id: str = "PO-1") -> Load:
    order_id = f"SO-{number}"
    waiting = Waiting((-priority, AT, AT, order_id, 1), "", 3, order_id, 1)
    return Load((purchase_order_id, order_id), "WH1", waiting, line(3))


def test_so_many_orders_a_truck_are_admitted_in_rank() -> None:
    loads = [load(1), load(2, 9), load(3), load(1, purchase_order_id="PO-2")]
    admitted = admit(loads, {"PO-1": {"SO-7"}}, 2)
    assert [one.plan for one in admitted] == [("PO-1", "SO-2"), ("PO-2", "SO-1")]
    assert admit(loads, {}, 0) == loads


def test_an_order_that_is_planned_with_another_sku_keeps_its_place() -> None:
    assert [one.plan for one in admit([load(1), load(2)], {"PO-1": {"SO-2"}}, 1)] == [("PO-1", "SO-2")]


@pytest.mark.parametrize(
    ("terms", "hours", "fits"),
    [
        (DockTerms(), 9999, True),
        (DockTerms(hours_min=4), 3, False),
        (DockTerms(hours_min=4), 4, True),
        (DockTerms(hours_max=24), 24, True),
        (DockTerms(hours_max=24), 25, False),
    ],
)
def test_an_order_leaves_neither_too_soon_nor_too_late(terms: DockTerms, hours: int, *, fits: bool) -> None:
    arrived_at = datetime(2026, 12, 1, tzinfo=UTC)
    assert terms.fits_hours(datetime.fromtimestamp(arrived_at.timestamp() + hours * 3600, UTC), arrived_at) is fits
    assert terms.fits_hours(None, arrived_at)


def test_a_plan_counts_on_the_best_hour_of_the_days() -> None:
    terms = DockTerms(hours_min=4, hours_max=24)
    assert terms.may_fit_hours(datetime(2026, 12, 1, 4, tzinfo=UTC), FIRST, LAST)
    assert not terms.may_fit_hours(datetime(2026, 12, 1, 3, tzinfo=UTC), FIRST, LAST)
    assert terms.may_fit_hours(datetime(2026, 12, 7, tzinfo=UTC), FIRST, LAST)
    assert not terms.may_fit_hours(datetime(2026, 12, 7, 1, tzinfo=UTC), FIRST, LAST)
    assert terms.may_fit_hours(datetime(2026, 12, 7, 1, tzinfo=UTC), FIRST, date.max)


def test_a_lot_lasts_so_many_days_from_the_receipt_on() -> None:
    terms = DockTerms(shelf_days_min=10)
    assert terms.fits_shelf(date(2026, 12, 11), FIRST)
    assert not terms.fits_shelf(date(2026, 12, 10), FIRST)
    assert terms.fits_shelf(None, FIRST)
    assert DockTerms().fits_shelf(date(2020, 1, 1), FIRST)
