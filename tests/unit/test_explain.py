"""Why a line waits and what would serve it; why another was served before those who wait."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bo_worker.domain.explain import Behind, Expected, Given, Waiter, make_scene, why_served, why_waiting
from bo_worker.domain.kinds import turn
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.remedy import Remedy
from bo_worker.domain.supply import SupplyLine
from story import AT, Story, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.explain import WhyWaiting

FIRST, LAST = date(2026, 12, 1), date(2026, 12, 5)


def queue_of(story: Story) -> list[Waiting]:
    return [
        Waiting(story.account.rank(line), line.location or "", line.backordered, order.order_id, line.position)
        for order in story.account.orders.values()
        for line in order.lines
        if line.sku == "SKU-1" and line.backordered
    ]


def explained(story: Story, order_id: str, *, unfinished: str | None = None) -> WhyWaiting:
    """Why the first line of an order waits."""
    queue = queue_of(story)
    line = next(one for one in queue if one.order_id == order_id)
    return why_waiting(make_scene(story.account.product("SKU-1"), queue, unfinished), line)


def test_it_is_told_who_is_ahead_and_how_many_units_it_takes() -> None:
    story = Story()
    for number in range(8):
        story.order(f"SO-{number}", wants(2), minute=number)
    story.order("SO-9", wants(3), minute=9)
    story.order("SO-late", wants(50), minute=10)
    why = explained(story, "SO-9")
    assert (why.units, why.rules, why.uncovered) == (3, ("no_stock", "no_supply"), 3)
    assert (why.ahead.units, why.ahead.lines, why.ahead.orders) == (16, 8, 8)
    assert [one.order_id for one in why.ahead.first] == ["SO-0", "SO-1", "SO-2", "SO-3", "SO-4"]
    assert why.remedies == (Remedy("priority", 3, priority=1), Remedy("arrival", 19))


def test_lines_pinned_elsewhere_are_not_ahead_and_the_location_with_the_fewest_units_is_named() -> None:
    story = Story()
    story.receipt("R-1", brings(1), location="WH1")
    story.receipt("R-2", brings(1), location="WH2")
    story.order("SO-0", wants(2))
    story.order("SO-1", wants(7, at="WH1"), minute=1)
    story.order("SO-2", wants(1, at="WH2"), minute=2)
    story.order("SO-3", wants(4), minute=3)
    assert [one.order_id for one in explained(story, "SO-2").ahead.first] == []
    assert explained(story, "SO-3").remedies[-1] == Remedy("arrival", 5, "WH2")
    assert explained(story, "SO-2").rules == ("claimed", "no_supply")


def test_who_waits_at_one_location_learns_of_units_that_are_free_at_others() -> None:
    story = Story()
    story.receipt("R-2", brings(2), location="WH2")
    story.receipt("R-3", brings(4), location="WH3")
    story.order("SO-1", wants(5, at="WH1"))
    why = explained(story, "SO-1")
    sources = (("WH3", 4), ("WH2", 1))
    assert why.rules == ("pinned", "no_stock", "no_supply")
    assert why.remedies == (
        Remedy("unpin", 5, sources=sources),
        Remedy("transfer", 5, "WH1", sources),
        Remedy("arrival", 5, "WH1"),
    )


def test_units_below_the_safety_stock_are_counted_before_anybody_is_served() -> None:
    story = Story()
    story.policy(safety_stock=4)
    story.receipt("R-1", brings(3))
    story.order("SO-1", wants(2))
    why = explained(story, "SO-1")
    assert why.rules == ("safety_stock", "no_supply")
    assert why.remedies == (Remedy("safety_stock", 1), Remedy("arrival", 3, "WH1"))


def test_the_supply_that_a_line_is_to_get_is_named_part_by_part() -> None:
    story = Story()
    story.order("SO-1", wants(2))
    story.order("SO-2", wants(5), minute=1)
    product = story.account.product("SKU-1")
    for number, quantity in ((1, 3), (2, 3)):
        name = f"PO-{number}"
        day = FIRST + timedelta(days=number)
        line = SupplyLine(name, "1", "SKU-1", "SUP-1", "WH1", "confirmed", quantity, 0, FIRST, day, day, day)
        product.supply[line.key] = line
    why = explained(story, "SO-2")
    assert why.pegged == (
        Expected("PO-1", "1", "WH1", 1, FIRST, FIRST + timedelta(days=1)),
        Expected("PO-2", "1", "WH1", 3, FIRST, FIRST + timedelta(days=2)),
    )
    assert (why.uncovered, why.rules) == (1, ("no_stock", "no_supply"))
    assert why.remedies[-1] == Remedy("arrival", 7, "WH1")


@pytest.mark.parametrize(
    ("kind", "days", "rule"),
    [("seasonal", (5, 9), "not_begun"), ("seasonal", (-9, -5), "ended"), ("drop_ship", (0, 0), "drop_ship")],
)
def test_no_arrival_serves_a_product_that_is_closed(kind: str, days: tuple[int, int], rule: str) -> None:
    story = Story()
    story.order("SO-1", wants(1))
    start, end = (AT.date() + timedelta(days=number) for number in days)
    story.account.today = AT.date()
    story.policy()
    policy = story.account.product("SKU-1").policy
    assert policy is not None
    policy.kind, policy.release_on, policy.season_ends_on = kind, start, end
    turn(story.account.product("SKU-1"), AT.date())
    why = explained(story, "SO-1")
    assert (why.rules, why.remedies) == ((rule,), ())
    assert why.starts_on == (start if rule == "not_begun" else None)


def test_while_a_large_receipt_is_unfinished_nothing_else_is_claimed() -> None:
    story = Story()
    story.order("SO-1", wants(1))
    why = explained(story, "SO-1", unfinished="inventory-received/R-1")
    assert (why.rules, why.remedies, why.unfinished) == (("unfinished",), (), "inventory-received/R-1")


def test_an_order_that_leaves_whole_and_closed_backorders_are_mentioned() -> None:
    story = Story()
    story.order("SO-1", wants(1))
    story.account.product("SKU-1").closed_reason = "wait"
    (line,) = queue_of(story)
    why = why_waiting(make_scene(story.account.product("SKU-1"), [line]), line, waits_for_others=True)
    assert why.rules == ("no_stock", "no_supply", "ship_complete", "closed")


def waiter(order_id: str, priority: int, *, pin: str = "", minute: int = 0, is_amended: bool = False) -> Waiter:
    rank = (-priority, AT, AT, order_id, 1)
    return Waiter(Waiting(rank, pin, 1, order_id, 1), AT + timedelta(minutes=minute), is_amended)


@pytest.mark.parametrize(
    ("cause", "change", "kind"),
    [
        ("order-created/SO-5", "claimed", "stock_was_free"),
        ("customer-response/RS-1", "claimed", "switch"),
        ("inventory-received/R-1", "filled", "receipt"),
        ("order-cancelled/X-1", "filled", "cancellation"),
        ("inventory-adjusted/A-1", "filled", "correction"),
        ("sweep/season/SKU-1/1/2026-12-01", "filled", "season"),
        ("sweep/other", "filled", "other"),
    ],
)
def test_what_was_given_names_its_cause(cause: str, change: str, kind: str) -> None:
    why = why_served(Given(AT, cause, change, 2, "WH1"), (0, AT, AT, "SO-5", 1), [])
    assert (why.kind, why.natural_id) == (kind, cause.partition("/")[2])
    assert (why.behind, why.before, why.first) == (0, 0, ())


def test_who_ranks_before_and_waits_nevertheless_came_later_or_was_changed() -> None:
    given = Given(datetime(2026, 11, 21, 9, 35, tzinfo=UTC), "inventory-received/R-1", "filled", 2, "WH1")
    later, raised = waiter("SO-1", 9, minute=10), waiter("SO-2", 3, is_amended=True)
    lost = waiter("SO-3", 2)
    others = [waiter("SO-8", 0), waiter("SO-9", 0, pin="WH1"), waiter("SO-4", 9, pin="WH2")]
    why = why_served(given, (0, AT, AT, "SO-5", 1), [lost, raised, later, *others])
    assert (why.behind, why.before) == (2, 3)
    assert why.first == (
        Behind(later.waiting, "came_later"),
        Behind(raised.waiting, "amended"),
        Behind(lost.waiting, "changed_since"),
    )


def test_a_line_whose_order_is_not_paid_is_not_served_and_ahead_of_nobody() -> None:
    story = Story()
    story.order("SO-1", wants(3, at="WH1"))
    story.account.orders["SO-1"].lines[0].suspend()
    story.order("SO-2", wants(2), minute=1)
    why = explained(story, "SO-1")
    assert (why.rules, why.uncovered, why.remedies) == (("unpaid",), 3, ())
    assert explained(story, "SO-2").ahead.lines == 0
    assert explained(story, "SO-2").remedies == (Remedy("arrival", 2),)
