"""Days that make something else of a product, on Postgres: what was waited for leaves, and the account stays true."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import build
from bo_worker.service.promises import repeg_products
from bo_worker.service.seasons import turn_of_season
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, Ledger, data, ledger

if TYPE_CHECKING:
    from collections.abc import Collection

    from streams import Input

RULES = Rules("placed_at", 5)


def season(version: int = 1, **fields: Any) -> Input:
    days = {"release_on": "2026-12-01", "season_ends_on": "2026-12-24"}
    return "product-policy-updated", build.policy("SKU-1", version, **{"kind": "seasonal", **days, **fields})


def order(number: int, quantity: int = 1, **fields: Any) -> Input:
    line = build.order_line("1", "SKU-1", quantity)
    return "order-created", build.order(f"SO-{number}", lines=[line], **fields)


def receipt(quantity: int, receipt_id: str = "R-1") -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)])


async def turned(books: Ledger, days: timedelta) -> int:
    """Turn what has to turn by so many days from now; return in how many transactions."""
    connection = await books.connection()
    count = 0
    while (await turn_of_season(connection, RULES, NOW + days)).more:
        count += 1
    while (await repeg_products(connection, RULES, NOW + days)).more:
        pass
    assert await audit(connection) == []
    return count


async def waiting(books: Ledger) -> list[tuple[str, str | None]]:
    connection = await books.connection()
    rows = await connection.fetch(
        "select order_id, expected_to::text as day from bo_worker.order_line where backordered > 0 order by 1"
    )
    return [(row["order_id"], row["day"]) for row in rows]


async def told(books: Ledger, topic: str, key: str) -> list[dict[str, Any]]:
    if topic == "procurement":  # which is no part of what is compared
        return data([one for one in await books.messages() if (one.topic, one.key) == (topic, key.encode())])
    return data((await books.published())[topic, key.encode()])


async def test_stock_waits_for_the_season_and_then_serves_the_queue(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(season(), receipt(3), order(1, 2), order(2, 2))
        assert await turned(books, timedelta(days=9)) == 0
        assert await waiting(books) == [("SO-1", "2026-12-01"), ("SO-2", "2026-12-01")]
        assert await turned(books, timedelta(days=10)) == 1
        assert await waiting(books) == [("SO-2", "2026-12-01")]
        kinds = [event["kind"] for event in await told(books, "customer-notification", "SO-1")]
        assert kinds == ["order_backordered", "backorder_filled"]
        assert await turned(books, timedelta(days=10)) == 0


@pytest.mark.parametrize("kind", ["pre_order", "seasonal"])
async def test_who_was_promised_the_day_of_the_release_hears_nothing_else_before_it_has_passed(
    database_url: str, kind: str
) -> None:
    async with ledger(database_url) as books:
        await books.apply(season(kind=kind), order(1))
        await turned(books, timedelta(days=10))
        assert [event["kind"] for event in await told(books, "customer-notification", "SO-1")] == [
            "order_backordered"
        ]
        await turned(books, timedelta(days=11))
        news = await told(books, "customer-notification", "SO-1")
        assert [(event["kind"], event["lines"][0]["expected_to"]) for event in news] == [
            ("order_backordered", "2026-12-01"),
            ("expected_date_changed", None),
        ]


async def test_a_queue_longer_than_a_transaction_is_served_in_steps(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(season(), receipt(17), *(order(number) for number in range(20)))
        assert await turned(books, timedelta(days=10)) > 3
        assert len(await waiting(books)) == 3
        shop = orjson.loads((await books.published())["availability-changed", b"SKU-1"][-1].value or b"")
        assert (shop["available"], shop["backordered"], shop["state"]) == (0, 3, "backorderable")


async def test_after_the_season_who_waits_is_told_that_there_is_no_day(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(season(lead_time_days=5), order(1))
        assert await waiting(books) == [("SO-1", "2026-12-01")]
        assert await turned(books, timedelta(days=40)) == 1
        assert await waiting(books) == [("SO-1", None)]
        await books.apply(receipt(2))
        assert await turned(books, timedelta(days=41)) == 0
        assert await waiting(books) == [("SO-1", None)]
        news = await told(books, "customer-notification", "SO-1")
        assert [(event["kind"], event["lines"][0]["expected_to"]) for event in news] == [
            ("order_backordered", "2026-12-01"),
            ("expected_date_changed", None),
        ]
        shop = orjson.loads((await books.published())["availability-changed", b"SKU-1"][-1].value or b"")
        assert (shop["state"], shop["on_hand"], shop["available"]) == ("out_of_stock", 2, 0)


async def test_a_policy_that_begins_the_season_earlier_serves_the_queue(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=2) as books:
        await books.apply(season(), receipt(5), *(order(number) for number in range(4)))
        await books.apply(season(2, release_on="2026-11-20"))
        assert await waiting(books) == []
        assert await turned(books, timedelta(0)) == 0


async def test_an_earlier_release_of_a_pre_order_product_is_told_to_shops_on_its_day(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(season(kind="pre_order", season_ends_on=None), order(1))
        states: Collection[str] = [event["state"] for event in await told(books, "availability-changed", "SKU-1")]
        assert states == ["pre_order"]
        assert await turned(books, timedelta(days=10)) == 1
        states = [event["state"] for event in await told(books, "availability-changed", "SKU-1")]
        assert states == ["backorderable"]


async def test_a_supplier_ships_what_waits_and_the_account_stays_true(database_url: str) -> None:
    async with ledger(database_url) as books:
        drop_ship = "product-policy-updated", build.policy(kind="drop_ship", lead_time_days=3)
        leaves = build.shipment("S-1", order_id="SO-1", lines=[build.shipment_line("1", "SUP-1", 2)])
        more = build.shipment("S-2", order_id="SO-1", lines=[build.shipment_line("1", "SUP-1", 2)])
        await books.apply(drop_ship, receipt(4), order(1, 3))
        await books.apply(("shipment-dispatched", leaves))
        await books.apply(("shipment-dispatched", more))
        assert await audit(await books.connection()) == []
        asked = await told(books, "procurement", "SKU-1")
        assert [
            (one["kind"], one["reason"], one["order_id"], one["quantity"], one["needed_by"]) for one in asked
        ] == [("reorder", "drop_ship", "SO-1", 3, "2026-11-24")]
        kinds = [event["kind"] for event in await told(books, "customer-notification", "SO-1")]
        assert kinds == ["order_backordered", "shipped"]
        assert "shipment-dispatched.dlq" in {topic for topic, _ in await books.published()}
        rows = await (await books.connection()).fetch("select backordered, shipped from bo_worker.order_line")
        assert [tuple(row) for row in rows] == [(1, 2)]
