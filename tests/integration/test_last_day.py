"""9999-12-31 is a day like any other: suppliers who know no day give it, and a known one follows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.service.promises import reestimate_supply, repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import ledger

if TYPE_CHECKING:
    from ledger import Ledger
    from streams import Input

RULES = Rules("placed_at", 5_000)
LAST_DAY = "9999-12-31"


async def test_a_day_that_nobody_knows_may_become_a_known_one(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(coming(1, LAST_DAY), ("order-created", build.order()))
        promised = await (await books.connection()).fetchval(
            "select expected_to::text from bo_worker.order_line_status"
        )
        await books.apply(coming(2, "2026-12-05"))
        await sweep(books)
        await books.apply(coming(3, LAST_DAY))
        await sweep(books)
        told = await days_told(books)
        assert await audit(await books.connection()) == []
    assert promised == LAST_DAY
    assert told == [
        ("order_backordered", LAST_DAY),
        ("expected_date_changed", "2026-12-05"),
        ("expected_date_changed", LAST_DAY),
    ]


async def test_goods_that_are_said_to_have_come_on_the_last_day_count_as_late(database_url: str) -> None:
    async with ledger(database_url) as books:
        receipt = build.receipt(received_at=f"{LAST_DAY}T00:00:00Z", purchase_order_id="PO-9")
        await books.apply(coming(1, "2026-12-05", quantity=10), ("inventory-received", receipt))
        await books.apply(coming(1, "2026-12-05", "PO-10"))
        await sweep(books)
        received_on = await (await books.connection()).fetchval("select received_on::text from bo_worker.delivery")
    assert received_on == LAST_DAY


def coming(version: int, day: str, purchase_order_id: str = "PO-9", quantity: int = 100) -> Input:
    line = build.purchase_order_line(quantity=quantity, expected_from="2026-12-01", expected_to=day)
    return "purchase-order-updated", build.purchase_order(purchase_order_id, version, lines=[line])


async def sweep(books: Ledger) -> None:
    connection = await books.connection()
    for job in (reestimate_supply, repeg_products):
        while (await job(connection, RULES, books.now)).more:
            pass


async def days_told(books: Ledger) -> list[tuple[str, str]]:
    found = []
    for message in await books.messages():
        data: dict[str, Any] = orjson.loads(message.value or b"{}")
        if message.topic == "customer-notification":
            found.append((data["kind"], data["lines"][0]["expected_to"]))
    return found
