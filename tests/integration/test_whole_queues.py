"""Queues are compared as a whole with what covers them: the same as line by line, whatever waits and comes."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import build
from bo_worker.domain.account import Terms
from bo_worker.service import apply, pegging, waiting_lines
from bo_worker.service.pegging import find_all_moved, load_covers, load_loads
from bo_worker.service.promises import repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.products import lock_products
from full_pegs import all_lines, loaded_units, moved_lines
from ledger import NOW, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterable

    import asyncpg

    from bo_worker.messages.inbound import Decoded, Refused
    from bo_worker.service.work import Work
    from ledger import Ledger
    from streams import Input

SKUS = ("SKU-1", "SKU-2", "SKU-3")
PINS = ("WH1", "WH2", "WH3")
TODAY = NOW.date()


def day(chance: random.Random, last: int = 12) -> date:
    return TODAY + timedelta(days=chance.randint(-1, last))


def order(chance: random.Random, number: int, pins: tuple[str | None, ...], **fields: Any) -> Input:
    lines = [
        build.order_line(str(line), chance.choice(SKUS), chance.choice((1, 1, 2, 5)), location=chance.choice(pins))
        for line in range(1, chance.randint(2, 4))
    ]
    if chance.random() < 0.3:
        fields["need_by"] = f"{day(chance)}T12:00:00Z"
    at = f"2026-11-{chance.choice((20, 21))}T0{chance.randint(0, 9)}:{chance.randint(0, 59):02}:00Z"
    fields = {"lines": lines, "placed_at": at, "priority": chance.choice((0, 0, 0, 4)), **fields}
    return "order-created", build.order(f"SO-{number:03}", **fields)


def purchase_order(chance: random.Random, number: int, version: int = 1) -> Input:
    lines = []
    for line in range(1, chance.randint(2, 4)):
        first = day(chance)
        last = first + timedelta(days=chance.randint(0, 2))
        quantity = chance.choice((1, 3, 20, 40))
        days = {"expected_from": f"{first}", "expected_to": f"{last}"}
        lines.append(build.purchase_order_line(str(line), chance.choice(SKUS), quantity, **days))
    fields = {"status": chance.choice(("confirmed", "in_transit")), "location": chance.choice(PINS[:2])}
    return "purchase-order-updated", build.purchase_order(f"PO-{number}", version, lines=lines, **fields)


def policy(chance: random.Random, sku: str) -> Input:
    kinds: list[dict[str, Any]] = [
        {},
        {"safety_stock": chance.randint(1, 9)},
        {"lead_time_days": chance.randint(1, 9), "safety_stock": chance.randint(0, 3)},
        {"kind": "pre_order", "release_on": f"{day(chance)}"},
        {"kind": "seasonal", "season_ends_on": f"{day(chance)}", "lead_time_days": 4},
        {"kind": "indefinite"},
    ]
    return "product-policy-updated", build.policy(sku, **chance.choice(kinds))


async def scramble(connection: asyncpg.Connection, chance: random.Random) -> None:
    """Let lines have any promise, as if supply and queue had been anything before, and suspend some."""
    rows = await connection.fetch("select order_id, position from bo_worker.order_line order by 1, 2")
    for row in rows:
        last = chance.choice((None, day(chance)))
        told = last and chance.choice((last, last, day(chance)))
        first = last and last - timedelta(days=chance.randint(0, 2))
        await connection.execute(
            "update bo_worker.order_line set expected_from = $3, expected_to = $4, told_to = $5, pin = $6 || pin"
            " where order_id = $1 and position = $2",
            *row, first, last, told, chance.choice(("", "", "", "", "!")),
        )  # fmt: skip


async def compared(connection: asyncpg.Connection, rules: Rules) -> int:
    """Compare what is found with what follows line by line; return how many lines moved."""
    async with connection.transaction():
        account = rules.new_account(NOW)
        account.products = await lock_products(connection, SKUS)
        covers = await load_covers(connection, account.products.values(), rules)
        moved = await find_all_moved(connection, account, covers, rules)
        loads = await load_loads(connection, account, covers, rules)
        for sku, product in account.products.items():
            lines = await all_lines(connection, sku, rules.rank_by)
            mine = [line for line in moved if line.sku == sku]
            assert {line.waiting[3:]: line[2:] for line in mine} == moved_lines(account, product, lines)
            assert loaded_units(product, lines) == sorted(
                (*load.plan, load.waiting.position, *load.line[2:5]) for load in loads if load.line.sku == sku
            )
        return len(moved)


@asynccontextmanager
async def story(url: str, chance: random.Random, rules: Rules) -> AsyncIterator[Ledger]:
    """A queue with any supply: of lines without pins, of lines that compete for it, or not."""
    pins = chance.choice(((None,), (None, None, None, *PINS), (None, "WH3"), PINS))
    async with ledger(url, rank_by=rules.rank_by, terms=rules.terms) as books:
        await books.apply(*(policy(chance, sku) for sku in SKUS if chance.random() < 0.5))
        await books.apply(*(purchase_order(chance, number) for number in range(chance.randint(0, 5))))
        await books.apply(*(order(chance, number, pins) for number in range(chance.randint(0, 60))))
        yield books


@pytest.mark.parametrize("seed", range(30))
async def test_whole_queues_get_the_promises_and_loads_that_every_line_gets_for_itself(
    database_url: str, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable
    rules = Rules(chance.choice(("placed_at", "need_by")), 5_000, terms=Terms(moved_days=chance.choice((1, 3))))
    async with story(database_url, chance, rules) as books:
        connection = await books.connection()
        await compared(connection, rules)
        await scramble(connection, chance)
        await compared(connection, rules)
        await books.apply(*(purchase_order(chance, number, 2) for number in range(3)))
        await compared(connection, rules)


@pytest.mark.parametrize("seed", range(8))
async def test_few_lines_at_a_time_end_with_the_same_promises(database_url: str, seed: int) -> None:
    chance = random.Random(100 + seed)  # noqa: S311 - repeatable
    rules = Rules("placed_at", 7)
    async with story(database_url, chance, rules) as books:
        connection = await books.connection()
        await scramble(connection, chance)
        await connection.execute("update bo_worker.product set promises_due = true")
        while (await repeg_products(connection, rules, NOW)).more:
            pass
        assert await compared(connection, replace(rules, fill_lines_max=5_000)) == 0


@pytest.mark.parametrize("rank_by", ["placed_at", "need_by"])
@pytest.mark.parametrize("seed", range(10))
async def test_new_orders_are_promised_the_same_whether_those_ahead_are_added_up_or_not(
    database_url: str, seed: int, rank_by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With amendments and cancellations in the same batch, some before their order; some wait only if promised."""
    rules = Rules(rank_by, 5_000)
    found = []
    for is_added_up in (True, False):
        if not is_added_up:
            monkeypatch.setattr(apply, "load_waiting", one_by_one)
        chance = random.Random(200 + seed)  # noqa: S311 - repeatable
        async with story(database_url, chance, rules) as books:
            strict = [build.policy(sku, 2, backorder="if_promised") for sku in SKUS if chance.random() < 0.6]
            await books.apply(*(("product-policy-updated", policy) for policy in strict))
            await books.apply(*meddled(chance, range(60, 70)))
            await books.apply(*meddled(chance, range(70, 90)))
            found.append(await books.rows("order_line", "product"))
            await books.forget()
    assert found[0] == found[1]


async def one_by_one(
    connection: asyncpg.Connection, work: Work, items: Iterable[Decoded | Refused], rules: Rules, _: Collection[str]
) -> None:
    """Load every line of the queues that new orders join."""
    await waiting_lines.load_waiting(connection, work, items, rules, SKUS)


def meddled(chance: random.Random, numbers: range) -> list[Input]:
    """New orders, and changes of old and new ones."""
    pins = chance.choice(((None,), (None, *PINS)))
    inputs = [order(chance, number, pins) for number in numbers]
    for number in numbers:
        meant = f"SO-{chance.choice((chance.randint(0, 60), number)):03}"
        change = build.amendment(f"AM-{number}", meant, priority=chance.randint(0, 6))
        gone = build.cancellation(f"X-{number}", meant)
        inputs += [("order-amended", change)] if chance.random() < 0.3 else []
        inputs += [("order-cancelled", gone)] if chance.random() < 0.2 else []
    chance.shuffle(inputs)
    return inputs


async def test_lines_behind_what_is_read_of_a_queue_have_no_promise(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bo_worker.store.pegging.LANE_LINES_MAX", 4)
    monkeypatch.setattr(pegging, "PLANNED_LINES_MAX", 3)
    rules = Rules("placed_at", 5_000)
    async with ledger(database_url) as books:
        connection = await books.connection()
        lines = [build.order_line("1", "SKU-1", 1)]
        await books.apply(*(("order-created", build.order(f"SO-{number}", lines=lines)) for number in range(9)))
        supply = build.purchase_order("PO-1", status="in_transit", lines=[build.purchase_order_line(quantity=20)])
        await books.apply(("purchase-order-updated", supply))
        assert (await repeg_products(connection, rules, NOW)).more
        pegged = await connection.fetch(
            "select order_id from bo_worker.order_line where expected_to is not null order by order_id"
        )
        assert [row["order_id"] for row in pegged] == ["SO-0", "SO-1", "SO-2", "SO-3"]
        planned = await connection.fetch("select order_id from bo_worker.cross_dock_plan order by order_id")
        assert [row["order_id"] for row in planned] == ["SO-0", "SO-1", "SO-2"]
