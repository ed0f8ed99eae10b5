"""What purchasing hears of a product, and how its backorders close and open, on a real Postgres without Kafka."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import orjson
import pytest
import pytest_asyncio

import build
from bo_worker.domain.closing import UNITS_MIN, WINDOW_DAYS
from bo_worker.service.promises import lapse_supply
from bo_worker.service.reviews import review_closed
from bo_worker.service.work import Rules
from ledger import NOW, Ledger, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams import Input

RULES = Rules("placed_at", 5_000)


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        await found.forget()
        yield found


def placed(order_id: str, quantity: int, **fields: Any) -> Input:
    backorder = fields.pop("backorder", None)
    return "order-created", build.order(
        order_id, lines=[build.order_line(quantity=quantity, backorder=backorder)], **fields
    )


def policy(version: int = 1, **fields: Any) -> Input:
    return "product-policy-updated", build.policy("SKU-1", version, **fields)


def ordered(quantity: int, purchase_order_id: str = "PO-1", **fields: Any) -> Input:
    lines = [build.purchase_order_line(quantity=quantity, **fields)]
    return "purchase-order-updated", build.purchase_order(purchase_order_id, 1, lines=lines)


def received(receipt_id: str, quantity: int) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)])


def cancelled(order_id: str, quantity: int) -> Input:
    lines = [{"line_id": "1", "quantity": quantity}]
    return "order-cancelled", build.cancellation(f"X-{order_id}", order_id, lines=lines)


async def told(books: Ledger) -> list[tuple[str, str, int, int]]:
    """Kind, reason, units and waiting orders of what purchasing heard; no id comes twice."""
    found = [orjson.loads(one.value or b"") for one in await books.messages() if one.topic == "procurement"]
    assert len({data["procurement_id"] for data in found}) == len(found)
    return [(data["kind"], data["reason"], data["quantity"], data["orders_waiting"]) for data in found]


async def last(books: Ledger) -> dict[str, Any]:
    """The last message to purchasing."""
    found = [one for one in await books.messages() if one.topic == "procurement"]
    return dict(orjson.loads(found[-1].value or b""))


async def state(books: Ledger) -> str:
    """What a shop heard last of the product."""
    found = [one for one in await books.messages() if one.topic == "availability-changed"]
    return str(orjson.loads(found[-1].value or b"")["state"])


async def sweep(books: Ledger, days: int) -> None:
    """Ask, some days later, whether lines may wait."""
    while (await review_closed(await books.connection(), RULES, NOW + timedelta(days=days))).more:
        pass


async def test_purchasing_hears_of_backorders_without_supply_once_and_again_when_they_double(books: Ledger) -> None:
    await books.apply(placed("SO-1", 3, need_by="2026-12-09T00:00:00Z"))
    await books.apply(placed("SO-2", 2, need_by="2026-12-01T00:00:00Z"))
    await books.apply(placed("SO-3", 1))
    gaps = [("expedite", "backorders_exceed_supply", 3, 1), ("expedite", "backorders_exceed_supply", 6, 3)]
    assert await told(books) == gaps
    assert (await last(books))["needed_by"] == "2026-12-01"
    await books.apply(ordered(6))
    await books.apply(placed("SO-4", 1))
    new = [("expedite", "backorders_exceed_supply", 1, 4), ("demand_signal", "unpromised", 1, 1)]
    assert await told(books) == gaps + new


async def test_a_product_that_is_made_to_order_needs_no_hurry(books: Ledger) -> None:
    await books.apply(policy(kind="made_to_order", lead_time_days=5), placed("SO-1", 3))
    assert await told(books) == [("reorder", "made_to_order", 3, 1)]


async def test_the_reorder_point_is_told_once_per_crossing(books: Ledger) -> None:
    await books.apply(policy(reorder_point=5, reorder_quantity=50), received("R-1", 10))
    await books.apply(placed("SO-1", 5))
    await books.apply(placed("SO-2", 1))
    assert await told(books) == [("reorder", "reorder_point", 50, 0)]
    await books.apply(ordered(50))
    await books.apply(received("R-2", 10))
    assert len(await told(books)) == 1
    await books.apply(policy(2, reorder_point=70))
    assert (await told(books))[1:] == [("reorder", "reorder_point", 7, 0)]


async def test_what_is_ordered_lifts_a_product_above_its_reorder_point(books: Ledger) -> None:
    await books.apply(placed("SO-1", 12), policy(reorder_point=30, reorder_quantity=10))
    (quantity,) = [units for kind, _, units, _ in await told(books) if kind == "reorder"]
    assert quantity == 50
    await books.apply(ordered(quantity))
    await books.apply(placed("SO-2", 9))
    assert [units for kind, _, units, _ in await told(books) if kind == "reorder"] == [50, 10]


async def test_goods_that_wait_for_their_season_are_not_ordered_again(books: Ledger) -> None:
    season: dict[str, Any] = {
        "kind": "seasonal",
        "release_on": "2026-12-01",
        "reorder_point": 5,
        "reorder_quantity": 50,
    }
    await books.apply(received("R-1", 10))
    await books.apply(policy(**season))
    assert await told(books) == []
    await books.apply(policy(2, **season | {"reorder_point": 10}))
    assert await told(books) == [("reorder", "reorder_point", 50, 0)]


async def test_nothing_is_ordered_or_hurried_for_a_season_that_is_over(books: Ledger) -> None:
    season: dict[str, Any] = {"kind": "seasonal", "reorder_point": 5, "reorder_quantity": 50}
    await books.apply(received("R-1", 10), ordered(20), policy(**season), placed("SO-1", 12))
    assert await told(books) == []
    await books.apply(policy(2, season_ends_on="2026-11-20", **season))
    cancelled = build.purchase_order("PO-1", 2, status="cancelled", lines=[build.purchase_order_line(quantity=20)])
    await books.apply(("purchase-order-updated", cancelled))
    assert await told(books) == []


async def test_denied_and_unpromised_demand_is_counted_by_reason(books: Ledger) -> None:
    await books.apply(policy(backorder_limit=4))
    await books.apply(placed("SO-1", 3), placed("SO-2", 2), placed("SO-3", 3), placed("SO-4", 1, backorder="deny"))
    assert sorted(await told(books)) == [
        ("demand_signal", "backorder_limit", 5, 2),
        ("demand_signal", "out_of_stock", 1, 1),
        ("demand_signal", "unpromised", 3, 1),
        ("expedite", "backorders_exceed_supply", 3, 1),
    ]


async def test_supply_that_is_overdue_puts_promises_at_risk(books: Ledger) -> None:
    await books.apply(ordered(4, expected_from="2026-11-22", expected_to="2026-11-22"))
    await books.apply(ordered(9, "PO-2", expected_from="2026-12-01", expected_to="2026-12-05"))
    await books.apply(placed("SO-1", 3))
    await lapse_supply(await books.connection(), RULES, NOW + timedelta(days=2))
    assert await told(books) == [("expedite", "promise_at_risk", 3, 1)]
    assert (await last(books))["days_gained"] == 12


async def test_a_supplier_that_puts_off_what_customers_wait_for_puts_promises_at_risk(books: Ledger) -> None:
    def comes(version: int, day: str, purchase_order_id: str = "PO-1") -> Input:
        line = build.purchase_order_line(quantity=4, expected_from=day, expected_to=day)
        return "purchase-order-updated", build.purchase_order(purchase_order_id, version, lines=[line])

    await books.apply(comes(1, "2026-12-02"), comes(1, "2026-12-20", "PO-2"), placed("SO-1", 3), placed("SO-2", 3))
    await books.apply(comes(2, "2026-12-10"))
    heard = [("expedite", "promise_at_risk", 4, 2)]
    assert await told(books) == heard
    assert (await last(books))["days_gained"] == 19
    await books.apply(comes(3, "2026-12-09"))
    await books.apply(comes(2, "2026-12-22", "PO-2"))
    heard.append(("expedite", "promise_at_risk", 2, 2))
    assert await told(books) == heard
    assert (await last(books))["days_gained"] == 18
    await books.apply(placed("SO-3", 1))
    await books.apply(("order-cancelled", build.cancellation("X-1", "SO-2")))
    await books.apply(comes(3, "2026-12-28", "PO-2"))
    assert await told(books) == heard


async def test_only_who_may_have_what_is_put_off_makes_it_a_risk(books: Ledger) -> None:
    def comes(version: int, location: str, day: str, quantity: int = 4) -> Input:
        line = build.purchase_order_line(quantity=quantity, expected_from=day, expected_to=day)
        order = build.purchase_order(f"PO-{location}", version, location=location, lines=[line])
        return "purchase-order-updated", order

    await books.apply(comes(1, "WH1", "2026-12-02"), comes(1, "WH2", "2026-12-01"), comes(1, "WH3", "2026-12-01"))
    line = build.order_line(quantity=3, location="WH1")
    await books.apply(("order-created", build.order("SO-1", lines=[line])))
    await books.apply(comes(2, "WH2", "2026-12-20"))
    assert await told(books) == []
    await books.apply(comes(2, "WH1", "2026-12-11"))
    heard = [("expedite", "promise_at_risk", 3, 1)]
    assert await told(books) == heard
    assert (await last(books))["days_gained"] == 20
    await books.apply(placed("SO-2", 9), comes(3, "WH1", "2026-12-12", 10))
    assert await told(books) == [*heard, ("expedite", "promise_at_risk", 4, 2)]


async def test_supply_that_is_overdue_where_nobody_waits_puts_no_promise_at_risk(books: Ledger) -> None:
    await books.apply(ordered(4, expected_from="2026-11-22", expected_to="2026-11-22"))
    line = build.order_line(quantity=3, location="WH2")
    await books.apply(("order-created", build.order("SO-1", lines=[line])))
    await lapse_supply(await books.connection(), RULES, NOW + timedelta(days=2))
    assert [one for one in await told(books) if one[1] == "promise_at_risk"] == []


async def test_backorders_close_when_too_many_give_up_and_open_when_these_are_long_ago(books: Ledger) -> None:
    await books.apply(policy(cancellation_rate_limit=0.25))
    await books.apply(placed("SO-1", UNITS_MIN), cancelled("SO-1", 5))
    assert await state(books) == "backorderable"
    await books.apply(placed("SO-2", 1, backorder="allow"), cancelled("SO-2", 1))
    assert ("demand_signal", "closed_cancellation_rate", 15, 1) in await told(books)
    assert await state(books) == "out_of_stock"
    await books.apply(placed("SO-3", 1, backorder="allow"))
    assert (await told(books))[-1] == ("demand_signal", "out_of_stock", 1, 1)
    await sweep(books, WINDOW_DAYS - 1)
    assert await state(books) == "out_of_stock"
    await sweep(books, WINDOW_DAYS)
    assert (await told(books))[-1] == ("demand_signal", "opened", 15, 1)
    assert await state(books) == "backorderable"
    assert await books.rows("backorder_day") == {"backorder_day": []}


@pytest.mark.parametrize("cuts", [(), (1,), (2,), (3,), (1, 2, 3)], ids=str)
@pytest.mark.parametrize("first", [UNITS_MIN, UNITS_MIN - 1])
async def test_who_gives_up_closes_backorders_for_who_comes_next_however_the_input_is_cut(
    books: Ledger, cuts: tuple[int, ...], first: int
) -> None:
    inputs = [policy(cancellation_rate_limit=0.25), placed("SO-1", first), cancelled("SO-1", 6), placed("SO-2", 10)]
    for begin, end in pairwise((0, *cuts, len(inputs))):
        await books.apply(*inputs[begin:end])
    rows = await (await books.connection()).fetch("select backordered from bo_worker.order_line order by order_id")
    is_closed = first == UNITS_MIN
    assert [row[0] for row in rows] == [first - 6, 0 if is_closed else 10]
    assert await state(books) == ("out_of_stock" if is_closed else "backorderable")
    signals = [one for one in await told(books) if one[1] == "closed_cancellation_rate"]
    assert len(signals) == is_closed


async def test_backorders_close_when_the_wait_passes_the_window_and_open_when_it_is_short_again(
    books: Ledger,
) -> None:
    await books.apply(policy(window_days=10))
    await books.apply(placed("SO-1", 3))
    await sweep(books, 10)
    assert await state(books) == "backorderable"
    await sweep(books, 11)
    assert (await told(books))[-1] == ("demand_signal", "closed_wait", 3, 1)
    assert await state(books) == "out_of_stock"
    await books.apply(received("R-1", 3))
    await sweep(books, 12)
    assert (await told(books))[-1] == ("demand_signal", "opened", 1, 0)
    assert await state(books) == "backorderable"


async def test_a_policy_that_closes_nothing_opens_backorders_at_once(books: Ledger) -> None:
    await books.apply(policy(window_days=10))
    await books.apply(placed("SO-1", 3))
    await sweep(books, 11)
    await books.apply(policy(2))
    await sweep(books, 0)
    assert (await told(books))[-1] == ("demand_signal", "opened", 3, 1)
