"""Supply that is asked for by each order for itself, also where it came to wait before, on a real Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
import pytest_asyncio

import build
from bo_worker.service import own_supply
from bo_worker.service.own_supply import order_supply_due
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, Ledger, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from streams import Input

RULES = Rules("placed_at", 5_000)

Asked = tuple[str, str, int, str | None]


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        await found.forget()
        yield found
        assert await audit(await found.connection()) == []


def placed(order_id: str, *quantities: int, **fields: Any) -> Input:
    lines = [build.order_line(str(number), quantity=quantity) for number, quantity in enumerate(quantities, 1)]
    return "order-created", build.order(order_id, lines=lines, **fields)


def policy(version: int, kind: str) -> Input:
    return "product-policy-updated", build.policy("SKU-1", version, kind=kind, lead_time_days=5)


def received(quantity: int) -> Input:
    return "inventory-received", build.receipt(lines=[build.receipt_line(quantity=quantity)])


async def asked(books: Ledger) -> list[Asked]:
    """Reason, order, units and location of each request for supply so far; no id comes twice."""
    found = [orjson.loads(one.value or b"") for one in await books.messages() if one.topic == "procurement"]
    reorders = [data for data in found if data["kind"] == "reorder"]
    assert len({data["procurement_id"] for data in reorders}) == len(reorders)
    return [(data["reason"], data["order_id"], data["quantity"], data.get("location")) for data in reorders]


async def sweep(books: Ledger) -> None:
    while (await order_supply_due(await books.connection(), RULES, NOW)).more:
        pass


@pytest.mark.parametrize("kind", ["made_to_order", "drop_ship"])
async def test_orders_that_waited_before_such_a_policy_ask_for_supply_once(books: Ledger, kind: str) -> None:
    await books.apply(placed("SO-1", 3, 2), received(1), placed("SO-2", 4))
    await books.apply(policy(1, kind), placed("SO-3", 1))
    assert await asked(books) == [(kind, "SO-3", 1, None)]
    await sweep(books)
    before = [(kind, "SO-3", 1, None), (kind, "SO-1", 4, None), (kind, "SO-2", 4, None)]
    assert await asked(books) == before
    await books.apply(policy(2, kind), policy(3, "standard"), placed("SO-4", 6))
    await sweep(books)
    assert await asked(books) == before
    await books.apply(policy(4, kind))
    await sweep(books)
    assert await asked(books) == [*before, (kind, "SO-4", 6, None)]


async def test_what_does_not_wait_any_more_is_not_asked_for(books: Ledger) -> None:
    await books.apply(placed("SO-1", 3), placed("SO-2", 2))
    await books.apply(policy(1, "drop_ship"), ("order-cancelled", build.cancellation(order_id="SO-2")))
    await sweep(books)
    assert await asked(books) == [("drop_ship", "SO-1", 3, None)]


async def test_a_policy_that_is_taken_back_before_anything_was_asked_asks_for_nothing(books: Ledger) -> None:
    await books.apply(placed("SO-1", 3))
    await books.apply(policy(1, "made_to_order"), policy(2, "standard"))
    await sweep(books)
    assert await asked(books) == []


async def test_a_long_queue_is_asked_for_in_parts(books: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_supply, "_LINES_MAX", 7)
    await books.apply(*(placed(f"SO-{number:02}", 1) for number in range(21)))
    await books.apply(policy(1, "made_to_order"))
    await sweep(books)
    assert sorted(await asked(books)) == [("made_to_order", f"SO-{number:02}", 1, None) for number in range(21)]


async def test_units_that_an_order_loses_are_asked_for_anew(books: Ledger) -> None:
    await books.apply(policy(1, "made_to_order"), received(5), placed("SO-1", 7))
    assert await asked(books) == [("made_to_order", "SO-1", 2, None)]
    await books.apply(("inventory-adjusted", build.adjustment(quantity_delta=-3)))
    assert await asked(books) == [("made_to_order", "SO-1", 2, None), ("made_to_order", "SO-1", 3, None)]


async def test_units_that_are_lost_while_an_order_holds_them_are_asked_for_too(books: Ledger) -> None:
    await books.apply(policy(1, "made_to_order"), received(5), placed("SO-1", 4, 3, ship_complete=True))
    await books.apply(("inventory-adjusted", build.adjustment(quantity_delta=-3)))
    await sweep(books)
    assert [quantity for _, _, quantity, _ in await asked(books)] == [2, 1, 2]


async def test_units_that_are_lost_before_their_order_has_asked_are_asked_for_once(books: Ledger) -> None:
    await books.apply(received(5), placed("SO-1", 8))
    await books.apply(policy(1, "made_to_order"))
    await books.apply(("inventory-adjusted", build.adjustment(quantity_delta=-2)))
    await sweep(books)
    assert await asked(books) == [("made_to_order", "SO-1", 5, None)]
    await books.apply(("inventory-adjusted", build.adjustment("ADJ-2", -1)))
    await sweep(books)
    assert await asked(books) == [("made_to_order", "SO-1", 5, None), ("made_to_order", "SO-1", 1, None)]


async def test_what_an_order_lost_is_not_asked_for_again_under_the_next_such_policy(books: Ledger) -> None:
    await books.apply(policy(1, "made_to_order"), received(5), placed("SO-1", 5))
    await books.apply(("inventory-adjusted", build.adjustment(quantity_delta=-2)))
    await sweep(books)
    await books.apply(policy(2, "standard"), policy(3, "made_to_order"))
    await sweep(books)
    assert await asked(books) == [("made_to_order", "SO-1", 2, None)]
