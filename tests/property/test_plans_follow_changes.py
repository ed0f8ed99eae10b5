"""Whoever reads the plans of an order knows what is to come, and criteria never change who gets units."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.account import Account, Terms
from bo_worker.domain.cause import Cause
from bo_worker.domain.cross_dock import DockTerms
from bo_worker.domain.demand import Order, OrderLine
from bo_worker.domain.facts import CrossDockPlan
from bo_worker.domain.plan import Plan, PlannedLine, revise, serve
from story import AT, Story, brings, wants

SKUS = ("SKU-1", "SKU-2", "SKU-3")
DAYS = (date(2026, 12, 1), date(2026, 12, 5))
UNITS = st.integers(1, 5)
STEPS = st.lists(
    st.tuples(st.sampled_from(SKUS), st.one_of(st.none(), UNITS), st.integers(0, 3)), min_size=1, max_size=12
)
CRITERIA = st.builds(
    DockTerms,
    st.integers(0, 2),
    st.sampled_from((0.0, 0.5, 1.0)),
    st.integers(0, 24),
    st.sampled_from((0, 24, 48)),
    st.sampled_from((0, 10)),
)
ORDERS = st.lists(
    st.tuples(UNITS, st.integers(0, 2), st.one_of(st.none(), st.integers(0, 60)), st.booleans()),
    min_size=1,
    max_size=5,
)


@given(STEPS)
def test_the_latest_plan_less_what_came_is_what_is_to_come(steps: list[tuple[str, int | None, int]]) -> None:
    order = Order("SO-1", datetime(2026, 11, 21, tzinfo=UTC), {}, 0, ship_complete=False, need_by=None)
    order.lines = [OrderLine(order, n, str(n), sku, 99, None, None, None, 99) for n, sku in enumerate(SKUS)]
    plan = Plan("PO-1", "SO-1", "WH1")
    account = Account(cause=Cause("sweep", "1"))
    heard: dict[str, int] = {}
    actual: dict[str, int] = {}
    for sku, quantity, some in steps:
        position = SKUS.index(sku)
        came = min(some, heard.get(sku, 0))
        if came:
            serve(plan, position, came)
            heard[sku] -= came
        new = [PlannedLine(position, sku, quantity, *DAYS)] if quantity else []
        revise(account, order, plan, {sku}, new)
        actual[sku] = quantity or 0
        for fact, _ in account.facts:
            assert isinstance(fact, CrossDockPlan)
            assert fact.revision == plan.revision
            heard = {} if fact.status == "withdrawn" else {line.sku: line.quantity for line in fact.lines}
        account.facts.clear()
        assert {sku: units for sku, units in heard.items() if units} == {
            sku: units for sku, units in actual.items() if units
        }


@given(CRITERIA, ORDERS, st.lists(st.tuples(UNITS, st.integers(0, 20)), min_size=1, max_size=3))
def test_criteria_change_the_way_that_units_leave_and_never_who_gets_them(
    criteria: DockTerms, orders: list[tuple[int, int, int | None, bool]], lots: list[tuple[int, int]]
) -> None:
    ends = []
    for terms in (DockTerms(), criteria):
        story = Story()
        story.account.terms = Terms(dock=terms)
        for number, (quantity, priority, hours, complete) in enumerate(orders):
            need_by = None if hours is None else AT + timedelta(hours=hours)
            story.order(f"SO-{number}", wants(quantity), priority=priority, need_by=need_by, ship_complete=complete)
        lines = [brings(quantity, str(n), lot=f"L{n}") for n, (quantity, _) in enumerate(lots)]
        for line, (_, days) in zip(lines, lots, strict=True):
            line.expires_on = AT.date() + timedelta(days=days)
        story.receipt("R-1", *lines)  # Checks that what came leaves from the dock or is put away.
        ends.append(([story.buckets(f"SO-{number}") for number in range(len(orders))], story.stock()))
    assert ends[0] == ends[1]
