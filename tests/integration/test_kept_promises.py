"""What came of promises, and supply that is estimated again, on a real Postgres."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest_asyncio

import build
from bo_worker.service.promises import reestimate_supply, repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from bo_worker.store.reports import report_product, report_promises
from ledger import NOW, Ledger, data, ledger
from streams import one

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.inbound import Decoded
    from bo_worker.service.sweep import Job

RULES = Rules("placed_at", 5_000)
LATE = 9


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        yield found


def placed(order_id: str, quantity: int, sku: str = "SKU-1") -> Decoded:
    return one("order-created", build.order(order_id, lines=[build.order_line(sku=sku, quantity=quantity)]))


def coming(purchase_order_id: str, quantity: int, day: str, sku: str = "SKU-1", version: int = 1) -> Decoded:
    line = build.purchase_order_line(sku=sku, quantity=quantity, expected_from=day, expected_to=day)
    return one("purchase-order-updated", build.purchase_order(purchase_order_id, version, lines=[line]))


def received(receipt_id: str, purchase_order_id: str, quantity: int, sku: str = "SKU-1", **fields: Any) -> Decoded:
    line = build.receipt_line(sku=sku, quantity=quantity)
    return one(
        "inventory-received",
        build.receipt(receipt_id, lines=[line], purchase_order_id=purchase_order_id, **fields),
    )


async def sweep(books: Ledger, job: Job) -> int:
    """Let a job do all that is due; return in how many transactions."""
    connection, count = await books.connection(), 0
    while (await job(connection, RULES, NOW)).more:
        count += 1
    return count


async def promises(books: Ledger) -> dict[str, tuple[str, str, int]]:
    """By order: the promised day, the state on the 6th of December, and how often it moved."""
    rows = await (await books.connection()).fetch(
        "select *, bo_worker.promise_state(promised_to, kept_on, withdrawn_on, $1) as state from bo_worker.promise",
        date(2026, 12, 6),
    )
    return {row["order_id"]: (str(row["promised_to"]), row["state"], row["moves"]) for row in rows}


async def deliver_late(books: Ledger, days: int = 3) -> None:
    """Nine purchase orders of the supplier, each of them late."""
    names = [f"LATE-{number}" for number in range(LATE)]
    came = f"2026-11-{10 + days}T08:00:00Z"
    await books.apply(*[coming(name, 1, "2026-11-10", "SKU-2") for name in names])
    await books.apply(*[received(f"R-{name}", name, 1, "SKU-2", received_at=came) for name in names])


async def test_the_first_promise_is_what_is_judged(books: Ledger) -> None:
    await books.apply(coming("PO-1", 5, "2026-12-05"))
    await books.apply(placed("SO-1", 3), placed("SO-2", 2), placed("SO-3", 1))
    await sweep(books, repeg_products)
    assert set(await promises(books)) == {"SO-1", "SO-2"}
    await books.apply(received("R-1", "PO-1", 3), one("order-cancelled", build.cancellation(order_id="SO-2")))
    await sweep(books, repeg_products)
    await books.apply(placed("SO-4", 1))
    await books.apply(coming("PO-1", 5, "2026-12-10", version=2))
    await sweep(books, repeg_products)
    assert await promises(books) == {
        "SO-1": ("2026-12-05", "held", 0),
        "SO-2": ("2026-12-05", "withdrawn", 0),
        "SO-3": ("2026-12-05", "broken", 1),
        "SO-4": ("2026-12-05", "broken", 1),
    }
    (level,) = await report_promises(await books.connection(), date(2026, 12, 6))
    assert level == {
        "level": 0.9,
        "made": 4,
        "open": 0,
        "held": 1,
        "broken": 2,
        "withdrawn": 1,
        "judged": 3,
        "share_held": 0.333,
        "mean_days_late": 1.0,
        "worst_days_late": 1,
        "moves_per_promise": 0.5,
    }
    (early,) = await report_promises(await books.connection(), date(2026, 12, 5))
    assert (early["open"], early["held"], early["judged"], early["share_held"]) == (2, 1, 0, None)
    assert await audit(await books.connection()) == []


async def test_supply_that_comes_with_a_new_order_is_for_those_who_wait_already(books: Ledger) -> None:
    await books.apply(one("product-policy-updated", build.policy(backorder="if_promised", window_days=60)))
    allowed = build.order("SO-1", lines=[build.order_line(quantity=3, backorder="allow")])
    await books.apply(one("order-created", allowed))
    await books.apply(coming("PO-1", 5, "2026-12-05"), placed("SO-2", 3), placed("SO-3", 2))
    assert {order_id: day for order_id, (day, *_) in (await promises(books)).items()} == {"SO-3": "2026-12-05"}


async def test_a_promise_that_is_kept_in_the_batch_that_made_it_is_kept(books: Ledger) -> None:
    await books.apply(coming("PO-1", 5, "2026-12-05"), placed("SO-1", 3), received("R-1", "PO-1", 5))
    assert await promises(books) == {"SO-1": ("2026-12-05", "held", 0)}


async def test_what_a_supplier_ships_itself_is_kept_on_that_day(books: Ledger) -> None:
    await books.apply(one("product-policy-updated", build.policy(kind="drop_ship", lead_time_days=3)))
    await books.apply(placed("SO-1", 3), placed("SO-2", 3))
    for order_id, quantity in (("SO-1", 2), ("SO-2", 1), ("SO-1", 1)):
        lines = [build.shipment_line("1", "SUP-1", quantity)]
        shipment_id = f"S-{order_id}-{quantity}"
        await books.apply(one("shipment-dispatched", build.shipment(shipment_id, order_id=order_id, lines=lines)))
    rows = await (await books.connection()).fetch("select order_id, kept_on from bo_worker.promise order by order_id")
    assert [tuple(row) for row in rows] == [("SO-1", NOW.date()), ("SO-2", None)]


async def test_promises_are_kept_in_the_steps_of_a_large_receipt(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=2) as books:
        names = [f"SO-{number}" for number in range(5)]
        await books.apply(coming("PO-1", 5, "2026-12-05"))
        for name in names:
            await books.apply(placed(name, 1))
        await books.apply(received("R-1", "PO-1", 5))
        assert await promises(books) == dict.fromkeys(names, ("2026-12-05", "held", 0))


async def test_a_day_that_is_taken_back_is_a_move_and_the_promise_is_still_judged(books: Ledger) -> None:
    await books.apply(coming("PO-1", 5, "2026-12-05"))
    await books.apply(placed("SO-1", 3), placed("SO-9", 3, "SKU-9"))
    await books.apply(one("purchase-order-updated", build.purchase_order("PO-1", 2, status="cancelled")))
    await sweep(books, repeg_products)
    assert await promises(books) == {"SO-1": ("2026-12-05", "broken", 1)}
    await books.apply(received("R-1", "PO-1", 3))
    assert await promises(books) == {"SO-1": ("2026-12-05", "held", 1)}


async def test_units_lost_after_the_promise_was_kept_change_nothing(books: Ledger) -> None:
    await books.apply(coming("PO-1", 3, "2026-12-05"))
    await books.apply(placed("SO-1", 3))
    await books.apply(received("R-1", "PO-1", 3))
    await books.apply(one("inventory-adjusted", build.adjustment(quantity_delta=-3)))
    await books.apply(one("order-cancelled", build.cancellation(order_id="SO-1")))
    assert await promises(books) == {"SO-1": ("2026-12-05", "held", 0)}


async def test_what_is_on_its_way_is_estimated_again_once_the_supplier_is_known(books: Ledger) -> None:
    await books.apply(coming("PO-1", 5, "2026-12-05"))
    await books.apply(placed("SO-1", 3))
    await deliver_late(books)
    assert await sweep(books, reestimate_supply) == 1
    assert await sweep(books, reestimate_supply) == 0
    product = await report_product(await books.connection(), "SKU-1")
    assert product is not None
    (supply,) = product["supply"]
    assert (supply["open"], supply["expected_to"], supply["promised_on"], supply["overdue"]) == (
        5,
        date(2026, 12, 5),
        date(2026, 12, 8),
        False,
    )
    await sweep(books, repeg_products)
    news = data((await books.published())["customer-notification", b"SO-1"])
    assert [(told["kind"], told["lines"][0]["expected_to"]) for told in news] == [
        ("order_backordered", "2026-12-05"),
        ("expected_date_changed", "2026-12-08"),
    ]
    assert await promises(books) == {"SO-1": ("2026-12-05", "broken", 1)}


async def test_a_supplier_with_much_on_its_way_is_done_in_steps(books: Ledger) -> None:
    await books.apply(*[coming(f"PO-{number:03}", 1, "2026-12-05", f"P-{number % 7}") for number in range(120)])
    await deliver_late(books)
    connection = await books.connection()
    assert (await reestimate_supply(connection, RULES, NOW)).more
    days = "select count(*) from bo_worker.supply where promised_on = '2026-12-08'"
    assert await connection.fetchval(days) == 50
    await books.apply(coming("LATE-X", 1, "2026-11-10", "SKU-2"))
    await books.apply(received("R-X", "LATE-X", 1, "SKU-2", received_at="2026-11-13T08:00:00Z"))
    # The rest of the round in two, and once more from the beginning for what has come meanwhile.
    assert await sweep(books, reestimate_supply) == 2 + 3
    assert await connection.fetchval(days) == 120
    assert await sweep(books, reestimate_supply) == 0


async def test_a_line_that_lost_its_units_does_not_keep_the_day_of_supply_that_has_come(books: Ledger) -> None:
    await books.apply(coming("PO-1", 5, "2026-12-01"), placed("SO-1", 5), received("R-1", "PO-1", 5))
    await books.apply(one("inventory-adjusted", build.adjustment(quantity_delta=-2)))
    await sweep(books, repeg_products)
    (row,) = await (await books.connection()).fetch("select * from bo_worker.order_line_status")
    assert (row["backordered"], row["expected_from"], row["expected_to"]) == (2, None, None)
    told = [news for news in data(await books.messages()) if news.get("kind") == "allocation_lost"]
    assert [(line["quantity"], line["expected_to"]) for news in told for line in news["lines"]] == [(2, None)]
    assert not [news for news in data(await books.messages()) if news.get("kind") == "expected_date_changed"]
