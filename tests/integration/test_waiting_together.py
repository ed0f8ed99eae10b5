"""Units that wait for the rest of their order, and customers who hear that their day holds, on a real Postgres."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest_asyncio

import build
from bo_worker.domain.account import Terms
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.service.consolidation import release_consolidated
from bo_worker.service.on_track import tell_who_waits
from bo_worker.service.promises import repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import Ledger, data, ledger
from streams import one

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.inbound import Decoded
    from bo_worker.service.sweep import Job

TERMS = Terms(choices=ChoiceTerms(on_track_days=7, consolidate_days=5))
RULES = Rules("placed_at", 5_000, terms=TERMS)
OFF = Rules("placed_at", 5_000)


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url, terms=TERMS) as found:
        yield found


def placed(order_id: str, *skus: str, **fields: Any) -> Decoded:
    """An order of two units of each SKU."""
    lines = [build.order_line(line_id=str(number), sku=sku, quantity=2) for number, sku in enumerate(skus, 1)]
    return one("order-created", build.order(order_id, lines=lines, **fields))


def coming(purchase_order_id: str, sku: str, day: str, version: int = 1, quantity: int = 2) -> Decoded:
    line = build.purchase_order_line(sku=sku, quantity=quantity, expected_from=day, expected_to=day)
    return one("purchase-order-updated", build.purchase_order(purchase_order_id, version, lines=[line]))


def received(receipt_id: str, sku: str, quantity: int = 2, **fields: Any) -> Decoded:
    line = build.receipt_line(sku=sku, quantity=quantity)
    return one("inventory-received", build.receipt(receipt_id, lines=[line], **fields))


async def sweep(books: Ledger, job: Job, rules: Rules = RULES, *, days: int = 0) -> list[tuple[str, str]]:
    """Let days pass, and a job do all that is due then; return what it published, as (kind, order)."""
    books.now += timedelta(days=days)
    before, connection = len(await books.messages()), await books.connection()
    while (await job(connection, rules, books.now)).more:
        assert len(await books.messages()) < before + 100
    return published((await books.messages())[before:])


def published(messages: Any) -> list[tuple[str, str]]:
    found = data([one for one in messages if one.topic in ("customer-notification", "fulfillment")])
    return [(one["kind"], one.get("order_id", "")) for one in found]


async def since(books: Ledger, *inputs: Decoded) -> list[build.Data]:
    """Apply inputs; return the instructions and notifications that followed."""
    before = len(await books.messages())
    await books.apply(*inputs)
    return data([one for one in (await books.messages())[before:] if one.topic != "availability-changed"])


async def held(books: Ledger) -> dict[str, date | None]:
    rows = await (await books.connection()).fetch("select order_id, hold_until from bo_worker.sales_order")
    return {row[0]: row[1] for row in rows}


async def two_products_on_their_way(books: Ledger) -> None:
    await books.apply(coming("PO-1", "SKU-1", "2026-11-23"), coming("PO-2", "SKU-2", "2026-11-25"))
    await books.apply(placed("SO-1", "SKU-1", "SKU-2"))


# Keeping an order together.
async def test_what_comes_in_two_receipts_leaves_in_one_instruction(books: Ledger) -> None:
    await two_products_on_their_way(books)
    first = await since(books, received("R-1", "SKU-1", purchase_order_id="PO-1"))
    assert [found["kind"] for found in first] == ["still_on_track", "put_away"]
    assert first[0]["reason"] == "consolidation"
    assert first[0]["lines"] == [
        {"line_id": "1", "sku": "SKU-1", "quantity": 2, "expected_from": None, "expected_to": "2026-11-25"}
    ]
    assert await held(books) == {"SO-1": date(2026, 11, 26)}
    assert await audit(await books.connection()) == []
    assert await sweep(books, release_consolidated) == []
    last = await since(books, one("inventory-adjusted", build.adjustment(sku="SKU-2", quantity_delta=2)))
    assert [found["kind"] for found in last] == ["ship", "backorder_filled"]
    assert [line["sku"] for line in last[0]["lines"]] == ["SKU-1", "SKU-2"]
    assert await held(books) == {"SO-1": None}
    assert await audit(await books.connection()) == []


async def test_what_waits_leaves_when_the_window_has_passed_and_once_only(books: Ledger) -> None:
    await two_products_on_their_way(books)
    await books.apply(received("R-1", "SKU-1", purchase_order_id="PO-1"))
    assert await sweep(books, release_consolidated, days=5) == []
    assert await sweep(books, release_consolidated, days=1) == [("ship", "SO-1"), ("backorder_filled", "SO-1")]
    assert await sweep(books, release_consolidated) == []
    assert await held(books) == {"SO-1": None}
    assert await audit(await books.connection()) == []


async def test_what_waits_leaves_when_the_rest_is_promised_too_late(books: Ledger) -> None:
    await two_products_on_their_way(books)
    await books.apply(received("R-1", "SKU-1", purchase_order_id="PO-1"))
    await books.apply(coming("PO-2", "SKU-2", "2026-11-26", version=2))
    assert await sweep(books, repeg_products) == [("expected_date_changed", "SO-1")]
    await books.apply(coming("PO-2", "SKU-2", "2026-11-27", version=3))
    assert await sweep(books, repeg_products) == [
        ("expected_date_changed", "SO-1"),
        ("ship", "SO-1"),
        ("backorder_filled", "SO-1"),
    ]
    assert await held(books) == {"SO-1": None}
    assert await audit(await books.connection()) == []


async def test_what_comes_does_not_wait_for_what_its_supplier_ships(books: Ledger) -> None:
    """The supplier's own line is of a product that the receipt does not touch."""
    direct = build.policy("SKU-2", kind="drop_ship", lead_time_days=2)
    await books.apply(one("product-policy-updated", direct), placed("SO-1", "SKU-1", "SKU-2"))
    told = await since(books, received("R-1", "SKU-1"))
    assert [found["kind"] for found in told] == ["cross_dock", "backorder_filled"]
    assert await held(books) == {"SO-1": None}
    assert await audit(await books.connection()) == []


async def test_a_new_order_waits_for_what_is_promised_soon(books: Ledger) -> None:
    await books.apply(coming("PO-2", "SKU-2", "2026-11-25"), received("R-1", "SKU-1"))
    told = await since(books, placed("SO-1", "SKU-1", "SKU-2"))
    assert [(found["kind"], found["reason"]) for found in told] == [("order_backordered", "consolidation")]
    assert await held(books) == {"SO-1": date(2026, 11, 26)}
    last = await since(books, received("R-2", "SKU-2", purchase_order_id="PO-2"))
    assert [found["kind"] for found in last] == ["cross_dock", "ship", "backorder_filled"]
    assert await audit(await books.connection()) == []


async def test_nothing_waits_any_more_once_nobody_wants_it_to(books: Ledger) -> None:
    await two_products_on_their_way(books)
    await books.apply(received("R-1", "SKU-1", purchase_order_id="PO-1"))
    assert await sweep(books, release_consolidated, OFF) == [("ship", "SO-1"), ("backorder_filled", "SO-1")]
    assert await sweep(books, release_consolidated, OFF) == []


async def test_an_order_that_must_leave_as_a_whole_by_now_goes_on_waiting(books: Ledger) -> None:
    await two_products_on_their_way(books)
    await books.apply(received("R-1", "SKU-1", purchase_order_id="PO-1"))
    await books.apply(one("order-amended", build.amendment(order_id="SO-1", ship_complete=True)))
    assert await sweep(books, release_consolidated, days=6) == []
    assert await held(books) == {"SO-1": None}
    assert await audit(await books.connection()) == []


async def test_a_receipt_that_is_served_in_steps_holds_what_has_to_wait(database_url: str) -> None:
    async with ledger(database_url, terms=TERMS, fill_lines_max=10) as books:
        orders = [placed(f"SO-{number:02}", "SKU-1", *(["SKU-2"] * (number % 2))) for number in range(30)]
        await books.apply(coming("PO-1", "SKU-1", "2026-11-23", quantity=60))
        await books.apply(coming("PO-2", "SKU-2", "2026-11-25", quantity=60))
        await books.apply(*orders)
        await books.apply(received("R-1", "SKU-1", 60, purchase_order_id="PO-1"))
        waiting = {order_id for order_id, until in (await held(books)).items() if until}
        assert waiting == {f"SO-{number:02}" for number in range(1, 30, 2)}
        assert await audit(await books.connection()) == []
        left = await sweep(books, release_consolidated, days=6)
        assert {order_id for kind, order_id in left if kind == "ship"} == waiting
        assert await audit(await books.connection()) == []


# Hearing that a day holds.
async def test_who_waits_hears_at_each_interval_that_the_day_holds(books: Ledger) -> None:
    await books.apply(coming("PO-1", "SKU-1", "2026-12-20"))
    await books.apply(placed("SO-1", "SKU-1"), placed("SO-2", "SKU-9"))
    assert await sweep(books, tell_who_waits, days=6) == []
    for _ in range(4):
        assert await sweep(books, tell_who_waits, days=1) == [("still_on_track", "SO-1")]
        assert await sweep(books, tell_who_waits, days=6) == []
    assert data(await books.messages())[-1]["lines"][0]["expected_to"] == "2026-12-20"
    assert await sweep(books, tell_who_waits, days=7) == []


async def test_a_day_that_moved_is_news_of_its_own_and_the_interval_begins_anew(books: Ledger) -> None:
    await books.apply(coming("PO-1", "SKU-1", "2026-12-20"))
    await books.apply(placed("SO-1", "SKU-1"))
    books.now += timedelta(days=5)
    await books.apply(coming("PO-1", "SKU-1", "2026-12-22", version=2))
    assert await sweep(books, repeg_products) == [("expected_date_changed", "SO-1")]
    assert await sweep(books, tell_who_waits, days=6) == []
    assert await sweep(books, tell_who_waits, days=1) == [("still_on_track", "SO-1")]


async def test_who_was_served_or_lost_the_day_hears_nothing_more(books: Ledger) -> None:
    await books.apply(coming("PO-1", "SKU-1", "2026-12-20"), coming("PO-2", "SKU-2", "2026-12-20"))
    await books.apply(placed("SO-1", "SKU-1"), placed("SO-2", "SKU-2"))
    await books.apply(received("R-1", "SKU-1", purchase_order_id="PO-1"))
    gone = build.purchase_order("PO-2", 2, status="cancelled", lines=[build.purchase_order_line(sku="SKU-2")])
    await books.apply(one("purchase-order-updated", gone))
    await sweep(books, repeg_products)
    assert await sweep(books, tell_who_waits, days=7) == []
    assert await followed(books) == {"SO-1": None, "SO-2": None}


async def followed(books: Ledger) -> dict[str, date | None]:
    rows = await (await books.connection()).fetch("select order_id, heard_on from bo_worker.promise")
    return {row[0]: row[1] for row in rows}


async def test_nobody_is_followed_where_no_interval_is_set(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(coming("PO-1", "SKU-1", "2026-12-20"))
        await books.apply(placed("SO-1", "SKU-1"))
        assert await followed(books) == {"SO-1": None}
        assert await sweep(books, tell_who_waits, OFF, days=7) == []
