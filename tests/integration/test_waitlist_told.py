"""The waitlist on a real Postgres: the job of the sweep is called directly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest_asyncio

import build
from bo_worker.service.waitlist import tell_waitlist
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from bo_worker.store.waitlist import find_waitlist_due
from ledger import NOW, Ledger, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import asyncpg
    import pytest

    from streams import Input

RULES = Rules("placed_at", 5_000)


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url, fill_lines_max=3) as found:
        yield found


def joined(entry_id: str, minute: int = 0, **fields: Any) -> Input:
    return "waitlist-joined", build.waitlist_entry(entry_id, joined_at=f"2026-11-21T09:{minute:02}:00Z", **fields)


def received(receipt_id: str, quantity: int) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)])


def placed(order_id: str, quantity: int, **fields: Any) -> Input:
    return "order-created", build.order(order_id, lines=[build.order_line(quantity=quantity, **fields)])


async def swept(books: Ledger, rules: Rules = RULES) -> int:
    """Call the job until nothing is due; return in how many transactions."""
    connection, count = await books.connection(), 0
    while (await tell_waitlist(connection, rules, NOW)).more:
        count += 1
    return count


async def told(books: Ledger) -> list[tuple[str, int]]:
    """Who was told, and of how many units, in the order of telling. Numbers and ids are checked on the way."""
    await books.published()
    found = [orjson.loads(message.value or b"") for message in await books.messages() if is_told(message.topic)]
    found = [data for data in found if data["kind"] == "back_in_stock"]
    assert len({data["notification_id"] for data in found}) == len(found)
    assert await audit(await books.connection()) == []
    return [(data["entry_id"], data["lines"][0]["quantity"]) for data in found]


def is_told(topic: str) -> bool:
    return topic == "customer-notification"


async def test_customers_are_told_in_order_of_joining_while_units_are_free(books: Ledger) -> None:
    await books.apply(joined("W-3", 1), joined("W-1", 2), joined("W-2", 1), joined("W-4", 0))
    assert await swept(books) == 0
    await books.apply(received("R-1", 3))
    await swept(books)
    assert await told(books) == [("W-4", 1), ("W-2", 1), ("W-3", 1)]
    await books.apply(received("R-2", 5))
    await swept(books)
    assert (await told(books))[3:] == [("W-1", 1)]


async def test_who_joins_while_units_are_free_is_told_at_once_and_only_once(books: Ledger) -> None:
    await books.apply(received("R-1", 3))
    await books.apply(joined("W-1"), joined("W-1"))
    assert await swept(books) == 1
    await books.apply(joined("W-1"), received("R-2", 3))
    await swept(books)
    assert await told(books) == [("W-1", 1)]
    assert books.committed[-1].outcomes["waitlist-joined", "duplicate"] == 1


async def test_an_entry_with_other_content_is_a_conflict_and_changes_nothing(books: Ledger) -> None:
    await books.apply(joined("W-1"))
    await books.apply(joined("W-1", quantity=7))
    assert books.committed[-1].dead_letters == {("waitlist-joined", "conflict"): 1}
    await books.apply(received("R-1", 9))
    await swept(books)
    assert await told(books) == [("W-1", 1)]


async def test_they_are_told_again_once_stock_was_gone_and_came_back(books: Ledger) -> None:
    await books.apply(joined("W-1"), received("R-1", 2))
    await swept(books)
    await books.apply(placed("SO-1", 1))
    await books.apply(received("R-2", 1))
    await swept(books)
    assert await told(books) == [("W-1", 1)]
    await books.apply(placed("SO-2", 2))
    await swept(books)
    await books.apply(joined("W-0", 0), received("R-3", 1))
    await swept(books)
    assert (await told(books))[1:] == [("W-0", 1)]
    await books.apply(received("R-4", 1))
    await swept(books)
    assert (await told(books))[2:] == [("W-1", 1)]


async def test_units_go_to_the_queue_before_anybody_is_told(books: Ledger) -> None:
    await books.apply(joined("W-1", 1), joined("W-2", 2), joined("W-3", 3), placed("SO-1", 4))
    await books.apply(received("R-1", 4))
    await swept(books)
    assert await told(books) == []
    await books.apply(placed("SO-2", 1))
    await books.apply(received("R-2", 3))
    await swept(books)
    assert await told(books) == [("W-1", 1), ("W-2", 1)]


async def test_nobody_is_told_before_a_large_receipt_is_settled_to_the_end(books: Ledger) -> None:
    """Eight waiting lines, three at most in a transaction."""
    await books.apply(*(joined(f"W-{number}") for number in range(5)))
    await books.apply(*(placed(f"SO-{number}", 1) for number in range(8)))
    await books.apply(received("R-1", 8))
    await swept(books)
    assert await told(books) == []
    await books.apply(*(placed(f"SO-{number}", 1) for number in range(8, 16)))
    await books.apply(received("R-2", 10))
    await swept(books)
    assert await told(books) == [("W-0", 1), ("W-1", 1)]


async def test_an_entry_that_wants_more_than_is_free_is_told_and_nobody_behind_it(books: Ledger) -> None:
    await books.apply(joined("W-1", 1, quantity=2), joined("W-2", 2, quantity=9), joined("W-3", 3))
    await books.apply(received("R-1", 4))
    await swept(books)
    assert await told(books) == [("W-1", 2), ("W-2", 9)]
    await books.apply(received("R-2", 1))
    await swept(books)
    assert (await told(books))[2:] == [("W-3", 1)]


async def test_safety_stock_is_not_free(books: Ledger) -> None:
    await books.apply(("product-policy-updated", build.policy(safety_stock=3)), joined("W-1"), received("R-1", 3))
    assert await swept(books) == 0
    await books.apply(("product-policy-updated", build.policy(version=2, safety_stock=2)))
    await swept(books)
    assert await told(books) == [("W-1", 1)]


async def test_ten_thousand_are_told_in_steps_in_order(books: Ledger) -> None:
    await books.apply(*(joined(f"W-{number:05}") for number in range(10_000)))
    await books.apply(received("R-1", 9_999))
    assert await swept(books, Rules("placed_at", 2_000)) == 5
    assert await told(books) == [(f"W-{number:05}", 1) for number in range(9_999)]


async def test_what_a_crash_left_untold_is_told_by_the_next_call(books: Ledger) -> None:
    few = Rules("placed_at", 2)
    await books.apply(*(joined(f"W-{number}") for number in range(5)), received("R-1", 9))
    connection = await books.connection()
    transaction = connection.transaction()
    await transaction.start()
    assert (await tell_waitlist(connection, few, NOW)).messages == 2
    await transaction.rollback()
    assert await told(books) == []
    assert (await tell_waitlist(connection, few, NOW)).messages == 2
    await swept(books, few)
    assert await told(books) == [(f"W-{number}", 1) for number in range(5)]


async def test_a_sale_between_finding_and_telling_leaves_nobody_told(
    books: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def find_and_sell(connection: asyncpg.Connection) -> str | None:
        sku = await find_waitlist_due(connection)
        monkeypatch.undo()
        await books.apply(placed("SO-1", 2))
        return sku

    await books.apply(joined("W-1", 1), joined("W-2", 2), received("R-1", 2))
    monkeypatch.setattr("bo_worker.service.waitlist.find_waitlist_due", find_and_sell)
    await swept(books)
    assert await told(books) == []
    await books.apply(received("R-2", 1))
    await swept(books)
    assert await told(books) == [("W-1", 1)]


async def test_a_product_that_nobody_asked_for_keeps_no_rounds(books: Ledger) -> None:
    await books.apply(received("R-1", 2))
    row = await (await books.connection()).fetchrow("select has_waitlist, stock_round from bo_worker.product")
    assert row is not None
    assert tuple(row) == (False, 0)
    assert await swept(books) == 0
