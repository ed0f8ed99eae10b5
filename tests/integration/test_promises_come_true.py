"""Random orders, goods and purchase orders in random batches: promises are those of the plainest arithmetic."""

from __future__ import annotations

import asyncio
import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import build
from bo_worker.service.promises import lapse_supply, repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, ledger
from promised import COUNTED, DAYS, promised_days

if TYPE_CHECKING:
    from collections.abc import Callable

    import asyncpg

    from ledger import Ledger
    from streams import Input

RULES = Rules("placed_at", 7)
SKUS = ("SKU-1", "SKU-2")
PLACES = ("WH1", "WH2")


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_happens_each_line_is_promised_what_is_left_for_it(database_url: str, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    async with ledger(database_url, fill_lines_max=RULES.fill_lines_max) as books:
        connection = await books.connection()
        for _ in range(8):
            await books.apply(*(drawn(chance) for _ in range(chance.randint(1, 9))))
            if chance.random() < 0.5:
                await swept(connection)
                await check(books, connection)
        await swept(connection)
        await check(books, connection)


async def test_units_that_fill_up_the_safety_stock_leave_the_supply_to_those_who_wait(database_url: str) -> None:
    async with ledger(database_url) as books:
        connection = await books.connection()
        await books.apply(
            ("product-policy-updated", build.policy("SKU-1", 1, safety_stock=5)),
            ("inventory-received", build.receipt("R-1", lines=[build.receipt_line(quantity=10)])),
            ("order-created", build.order("SO-1", lines=[build.order_line(quantity=3)])),
            ("purchase-order-updated", _brings("PO-1", 5, "2026-12-01")),
            ("purchase-order-updated", _brings("PO-2", 5, "2026-12-20")),
            ("order-created", build.order("SO-2", lines=[build.order_line(quantity=7)])),
        )
        days = []
        for happens in (
            ("inventory-adjusted", build.adjustment("ADJ-1", -4)),
            ("order-cancelled", build.cancellation("X-1", "SO-1")),
            ("inventory-received", build.receipt("R-2", lines=[build.receipt_line(quantity=1)])),
            ("inventory-adjusted", build.adjustment("ADJ-2", -5)),
            ("inventory-adjusted", build.adjustment("ADJ-3", 5)),
        ):
            await swept(connection)
            await books.apply(happens)
            await swept(connection)
            await check(books, connection)
            days.append(f"{(await connection.fetch(DAYS))[0]['expected_to']}")
    assert days == ["2026-12-20", "2026-12-20", "2026-12-01", "2026-12-20", "2026-12-01"]


def _brings(purchase_order_id: str, quantity: int, day: str) -> build.Data:
    line = build.purchase_order_line(quantity=quantity, expected_from=day, expected_to=day)
    return build.purchase_order(purchase_order_id, 1, lines=[line])


def drawn(chance: random.Random) -> Input:
    """Something happens, mostly to what there is."""
    makers: list[Callable[[random.Random], Input]] = [_order, _order, _order, _supply, _supply, _receipt]
    return chance.choice([*makers, _cancellation, _amendment, _correction, _safety_stock])(chance)


def _order(chance: random.Random) -> Input:
    lines = [
        build.order_line(
            str(number), chance.choice(SKUS), chance.randint(1, 5), location=chance.choice((None, *PLACES))
        )
        for number in range(1, chance.randint(2, 4))
    ]
    at = f"2026-11-21T09:{chance.randint(0, 59):02}:00Z"
    number = chance.randint(1, 30)
    return "order-created", build.order(
        f"SO-{number}", lines=lines, placed_at=at, priority=chance.choice((0, 0, 0, 5))
    )


def _supply(chance: random.Random) -> Input:
    lines = []
    for number in range(1, chance.randint(2, 4)):
        day = date(2026, 11, 19) + timedelta(days=chance.randint(0, 20))
        days = {"expected_from": f"{day}", "expected_to": f"{day + timedelta(days=chance.randint(0, 3))}"}
        lines.append(build.purchase_order_line(str(number), chance.choice(SKUS), chance.randint(1, 12), **days))
    status = chance.choice(("confirmed", "confirmed", "in_transit", "draft", "cancelled", "closed"))
    order = build.purchase_order(
        f"PO-{chance.randint(1, 3)}",
        chance.randint(1, 10**6),
        lines=lines,
        status=status,
        location=chance.choice(PLACES),
    )
    return "purchase-order-updated", order


def _receipt(chance: random.Random) -> Input:
    named = {} if chance.random() < 0.4 else {"purchase_order_line_id": str(chance.randint(1, 3))}
    line = build.receipt_line("1", chance.choice(SKUS), chance.randint(1, 8), **named)
    number = chance.randint(1, 10**6)
    order = chance.choice((None, "PO-1", "PO-2", "PO-3", "PO-4"))
    return "inventory-received", build.receipt(
        f"R-{number}", lines=[line], location=chance.choice(PLACES), purchase_order_id=order
    )


def _cancellation(chance: random.Random) -> Input:
    return "order-cancelled", build.cancellation(f"X-{chance.randint(1, 10**6)}", f"SO-{chance.randint(1, 30)}")


def _amendment(chance: random.Random) -> Input:
    return "order-amended", build.amendment(f"AM-{chance.randint(1, 10**6)}", f"SO-{chance.randint(1, 30)}")


def _correction(chance: random.Random) -> Input:
    place = {"sku": chance.choice(SKUS), "location": chance.choice(PLACES)}
    return "inventory-adjusted", build.adjustment(
        f"ADJ-{chance.randint(1, 10**6)}", chance.choice((-2, -1, 3)), **place
    )


def _safety_stock(chance: random.Random) -> Input:
    policy = build.policy(chance.choice(SKUS), chance.randint(1, 10**6), safety_stock=chance.choice((0, 2, 6)))
    return "product-policy-updated", policy


async def swept(connection: asyncpg.Connection) -> None:
    """Do everything that is due."""
    for job in (lapse_supply, repeg_products):
        async with asyncio.timeout(60):
            while (await job(connection, RULES, NOW)).more:
                pass


async def check(books: Ledger, connection: asyncpg.Connection) -> None:
    assert await audit(connection) == []
    expected = await promised_days(connection.fetch)
    found = await connection.fetch(DAYS)
    assert {(row[0], row[1]): (row[2], row[3]) for row in found} == expected
    told = await last_told(books)
    assert {key: told.get(key) for key in expected} == {key: day and f"{day}" for key, (_, day) in expected.items()}
    sums = await connection.fetch(
        f"select sku, incoming, coalesce((select sum(quantity - received) from bo_worker.supply"  # noqa: S608 - ours
        f" where supply.sku = product.sku and {COUNTED}), 0) from bo_worker.product"
    )
    assert [row["sku"] for row in sums if row[1] != row[2]] == []


async def last_told(books: Ledger) -> dict[tuple[str, str], str | None]:
    """The day that each customer heard last of each line that waited."""
    told: dict[tuple[str, str], str | None] = {}
    for message in await books.messages():
        data: dict[str, Any] = orjson.loads(message.value or b"{}")
        if data.get("kind") in ("order_backordered", "expected_date_changed"):
            for line in data["lines"]:
                told[data["order_id"], line["line_id"]] = line["expected_to"]
    return told
