"""A change that takes many transactions: shops and purchasing hear its outcome, and nothing of what is between."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.service.seasons import turn_of_season
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, Ledger, ledger

if TYPE_CHECKING:
    from streams import Input

LINES_MAX = 5
WAITING = 20


def orders() -> list[Input]:
    lines = [build.order_line(quantity=1)]
    return [("order-created", build.order(f"SO-{number}", lines=lines)) for number in range(WAITING)]


def receipt(quantity: int) -> Input:
    lines = [build.receipt_line(quantity=quantity)]
    return "inventory-received", build.receipt("R-1", purchase_order_id="PO-1", lines=lines)


def supply(quantity: int) -> Input:
    return "purchase-order-updated", build.purchase_order(
        "PO-1", lines=[build.purchase_order_line(quantity=quantity)]
    )


def policy(version: int = 1, **fields: Any) -> Input:
    return "product-policy-updated", build.policy(version=version, **fields)


async def told(books: Ledger, before: int) -> list[tuple[Any, ...]]:
    """What shops and purchasing heard after so many messages."""
    found: list[tuple[Any, ...]] = []
    for message in (await books.messages())[before:]:
        data = orjson.loads(message.value or b"")
        if message.topic == "procurement":
            found.append((data["kind"], data["reason"], data["quantity"]))
        elif message.topic == "availability-changed":
            found.append((data["state"], data["available"], data["backordered"]))
    assert await audit(await books.connection()) == []
    return found


async def test_units_for_a_long_queue_are_neither_offered_to_others_nor_missed(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=LINES_MAX) as books:
        await books.apply(supply(WAITING), *orders())
        before = len(await books.messages())
        await books.apply(receipt(WAITING))
        assert await told(books, before) == [("backorderable", 0, 0)]


async def test_what_a_long_queue_leaves_is_told_once(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=LINES_MAX) as books:
        await books.apply(policy(reorder_point=4, reorder_quantity=50), supply(WAITING + 7), *orders())
        before = len(await books.messages())
        await books.apply(receipt(WAITING + 4))
        assert await told(books, before) == [("in_stock", 4, 0)]
        await books.apply(("inventory-adjusted", build.adjustment(quantity_delta=-3)))
        assert (await told(books, before))[1:] == [("in_stock", 1, 0), ("reorder", "reorder_point", 50)]


async def test_a_season_that_begins_with_a_long_queue_is_told_when_it_is_served(database_url: str) -> None:
    rules = Rules("placed_at", LINES_MAX)
    async with ledger(database_url, fill_lines_max=LINES_MAX) as books:
        await books.apply(policy(kind="seasonal", release_on="2026-12-01"), receipt(WAITING + 1), *orders())
        before = len(await books.messages())
        while (await turn_of_season(await books.connection(), rules, NOW + timedelta(days=10))).more:
            pass
        assert await told(books, before) == [("in_stock", 1, 0)]


async def test_backorders_that_close_while_steps_go_on_are_told_all_the_same(database_url: str) -> None:
    """A cancellation that frees units for a long queue closes backorders too: that is told though steps go on."""
    async with ledger(database_url, fill_lines_max=LINES_MAX) as books:
        big = build.order("SO-BIG", priority=9, lines=[build.order_line(quantity=40)])
        await books.apply(policy(cancellation_rate_limit=0.1), receipt(WAITING), ("order-created", big), *orders())
        before = len(await books.messages())
        await books.apply(("order-cancelled", build.cancellation("X-1", "SO-BIG")))
        assert sorted(await told(books, before), key=str) == [
            ("demand_signal", "closed_cancellation_rate", WAITING),
            ("out_of_stock", 0, 0),
        ]
