"""What trucks are planned to serve: told when it changes, kept while they are on their way, and second to rank."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

import build
from bo_worker.config import load_settings
from bo_worker.domain.account import Terms
from bo_worker.domain.cross_dock import DockTerms
from bo_worker.messages.inbound import Decoded, decode
from bo_worker.service.promises import repeg_products
from bo_worker.service.work import Rules
from bo_worker.store.session import Session
from ledger import NOW, Ledger, data, ledger

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.record import Message

FIRST_DAY, LAST_DAY = "2026-12-01", "2026-12-05"


class Dock:
    """A ledger, and its sweep called by hand. `heard` counts the messages that were looked at."""

    def __init__(self, books: Ledger, rules: Rules) -> None:
        self.books = books
        self.rules = rules
        self.heard = 0

    async def apply(self, *inputs: tuple[str, build.Data]) -> None:
        await self.books.apply(*(_decoded(topic, content) for topic, content in inputs))

    async def sweep(self) -> int:
        """Look at promises and plans until nothing is due; return in how many transactions."""
        count = 0
        while (await repeg_products(await self.books.connection(), self.rules, NOW)).more:
            count += 1
        return count

    async def news(self) -> list[build.Data]:
        """The instructions and plans since the last time."""
        messages: list[Message] = await self.books.messages()
        new, self.heard = messages[self.heard :], len(messages)
        return data([message for message in new if message.topic == "fulfillment"])

    async def plans(self) -> list[tuple[Any, ...]]:
        """Sweep; return the plans told since the last time: order, status, revision, units by line."""
        await self.sweep()
        return [brief(told) for told in await self.news() if told["kind"] == "cross_dock_plan"]

    async def stored(self) -> list[tuple[str, str, int, bool]]:
        """Purchase order, order, revision and whether anything is planned."""
        rows = await (await self.books.connection()).fetch(
            "select purchase_order_id, order_id, revision, skus <> '{}' from bo_worker.cross_dock_plan order by 1, 2"
        )
        return [tuple(row) for row in rows]


def brief(told: build.Data) -> tuple[Any, ...]:
    units = {f"{line['line_id']}/{line['sku']}": line["quantity"] for line in told["lines"]}
    return (told["order_id"], told["status"], told["revision"], units)


def _decoded(topic: str, content: build.Data) -> Decoded:
    found = decode(build.record(topic, content), 1_000_000)
    assert isinstance(found, Decoded)
    return found


@asynccontextmanager
async def dock(database_url: str, *, fill_lines_max: int = 5_000, **criteria: Any) -> AsyncIterator[Dock]:
    terms = Terms(dock=DockTerms(**criteria))
    async with ledger(database_url, fill_lines_max=fill_lines_max, terms=terms) as books:
        yield Dock(books, Rules("placed_at", fill_lines_max, terms=terms))


def placed(order_id: str, *lines: build.Data, **fields: Any) -> tuple[str, build.Data]:
    return "order-created", build.order(order_id, lines=list(lines), **fields)


def wants(quantity: int, sku: str = "SKU-1", line_id: str = "1") -> build.Data:
    return build.order_line(line_id, sku, quantity)


def truck(
    quantity: int, version: int = 1, *, status: str = "in_transit", purchase_order_id: str = "PO-1", **fields: Any
) -> tuple[str, build.Data]:
    line = build.purchase_order_line(quantity=quantity, **fields)
    order = build.purchase_order(purchase_order_id, version, status=status, lines=[line])
    return "purchase-order-updated", order


def received(receipt_id: str, *lines: build.Data, **fields: Any) -> tuple[str, build.Data]:
    named = {"purchase_order_id": "PO-1"} | fields
    return "inventory-received", build.receipt(receipt_id, lines=list(lines), **named)


def brings(quantity: int, sku: str = "SKU-1", line_id: str = "1", **fields: Any) -> build.Data:
    return build.receipt_line(line_id, sku, quantity, **fields)


async def test_a_truck_on_its_way_is_planned_for_those_who_wait_the_last_one_in_part(database_url: str) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), placed("SO-2", wants(4)), placed("SO-3", wants(1)), truck(5))
        await found.sweep()
        told = [one for one in await found.news() if one["kind"] == "cross_dock_plan"]
        assert [brief(one) for one in told] == [
            ("SO-1", "planned", 1, {"1/SKU-1": 3}),
            ("SO-2", "planned", 1, {"1/SKU-1": 2}),
        ]
        assert {(one["purchase_order_id"], one["location"]) for one in told} == {("PO-1", "WH1")}
        assert {(one["expected_from"], one["expected_to"]) for one in told} == {(FIRST_DAY, LAST_DAY)}
        assert await found.sweep() == 0


async def test_what_is_only_confirmed_has_no_truck(database_url: str) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5, status="confirmed"))
        assert await found.plans() == []
        await found.apply(truck(5, 2))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3})]
        await found.apply(truck(5, 3, status="confirmed"))
        assert await found.plans() == [("SO-1", "withdrawn", 2, {"1/SKU-1": 3})]
        await found.apply(truck(5, 4))
        assert await found.plans() == [("SO-1", "planned", 3, {"1/SKU-1": 3})]


async def test_an_order_that_joins_the_end_of_the_queue_is_planned_too(database_url: str) -> None:
    async with dock(database_url) as found:
        await found.apply(truck(5))
        assert await found.plans() == []
        await found.apply(placed("SO-1", wants(3)))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3})]
        await found.apply(placed("SO-2", wants(9)))
        assert await found.plans() == [("SO-2", "planned", 1, {"1/SKU-1": 2})]


async def test_a_plan_is_revised_when_its_dates_change_and_withdrawn_when_its_order_is_cancelled(
    database_url: str,
) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5))
        await found.plans()
        await found.apply(truck(5, 2, expected_to="2026-12-09"))
        await found.sweep()
        (told,) = [one for one in await found.news() if one["kind"] == "cross_dock_plan"]
        assert (told["revision"], told["expected_to"]) == (2, "2026-12-09")
        await found.apply(truck(6, 3, expected_to="2026-12-09"))
        assert await found.plans() == []
        await found.apply(("order-cancelled", build.cancellation("X-1", "SO-1")))
        assert await found.plans() == [("SO-1", "withdrawn", 3, {"1/SKU-1": 3})]


async def test_one_plan_has_the_lines_of_all_skus_and_each_sku_changes_just_its_own(database_url: str) -> None:
    async with dock(database_url) as found:
        lines = [build.purchase_order_line("1", "SKU-1", 5), build.purchase_order_line("2", "SKU-2", 5)]
        order = build.purchase_order("PO-1", status="in_transit", lines=lines)
        await found.apply(placed("SO-1", wants(3), wants(2, "SKU-2", "2")), ("purchase-order-updated", order))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3, "2/SKU-2": 2})]
        await found.apply(placed("SO-9", wants(4, "SKU-2"), priority=9))
        assert await found.plans() == [
            ("SO-1", "planned", 2, {"1/SKU-1": 3, "2/SKU-2": 1}),
            ("SO-9", "planned", 1, {"1/SKU-2": 4}),
        ]


async def test_a_truck_that_comes_as_planned_ends_its_plans_without_a_word(database_url: str) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), placed("SO-2", wants(4)), truck(5))
        await found.plans()
        await found.apply(received("R-1", brings(4)))
        assert await found.plans() == []
        assert await found.stored() == [("PO-1", "SO-1", 1, False), ("PO-1", "SO-2", 1, True)]
        await found.apply(received("R-2", brings(1)))
        assert await found.plans() == []
        assert await found.stored() == []


async def test_a_better_ranked_order_gets_the_units_and_the_plan_of_the_other_gives_way(database_url: str) -> None:
    """Rank is the law also where the truck comes before the plan was looked at again."""
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5), placed("SO-2", wants(2)))
        await found.plans()
        await found.apply(placed("SO-9", wants(4), priority=9), received("R-1", brings(5)))
        docked = [(one["order_id"], one["lines"][0]["quantity"]) for one in await found.news() if "order_id" in one]
        assert docked == [("SO-9", 4), ("SO-1", 1)]
        assert await found.plans() == [
            ("SO-1", "withdrawn", 2, {"1/SKU-1": 2}),
            ("SO-2", "withdrawn", 2, {"1/SKU-1": 2}),
        ]
        assert await found.stored() == []


@pytest.mark.parametrize("status", ["closed", "cancelled"])
async def test_a_purchase_order_that_ends_withdraws_and_forgets_its_plans(database_url: str, status: str) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5))
        await found.plans()
        await found.apply(truck(5, 2, status=status))
        assert await found.plans() == [("SO-1", "withdrawn", 2, {"1/SKU-1": 3})]
        assert await found.stored() == []


async def test_more_plans_than_one_transaction_may_tell_are_told_in_several(database_url: str) -> None:
    async with dock(database_url, fill_lines_max=10) as found:
        await found.apply(*(placed(f"SO-{number:02}", wants(1)) for number in range(35)), truck(35))
        assert await found.sweep() > 3
        told = [brief(one) for one in await found.news() if one["kind"] == "cross_dock_plan"]
        assert sorted(told) == [(f"SO-{number:02}", "planned", 1, {"1/SKU-1": 1}) for number in range(35)]


async def test_a_truck_that_is_sent_elsewhere_is_planned_for_there(database_url: str) -> None:
    def goes_to(location: str, version: int) -> tuple[str, build.Data]:
        lines = [build.purchase_order_line(quantity=5), build.purchase_order_line("2", "SKU-2", 5)]
        order = build.purchase_order("PO-1", version, status="in_transit", location=location, lines=lines)
        return "purchase-order-updated", order

    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3), wants(2, "SKU-2", "2")), goes_to("WH1", 1))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3, "2/SKU-2": 2})]
        await found.apply(goes_to("WH2", 2))
        await found.sweep()
        told = [(one["location"], *brief(one)) for one in await found.news()]
        assert told == [("WH2", "SO-1", "planned", 2, {"1/SKU-1": 3, "2/SKU-2": 2})]
        assert await found.sweep() == 0
        await found.apply(goes_to("WH2", 3))
        assert await found.plans() == []


async def test_an_order_that_is_busy_is_waited_for_and_planned(database_url: str) -> None:
    async with dock(database_url) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5))
        session = Session(load_settings(database_url=database_url), "busy")
        try:
            other = await session.connected()
            transaction = other.transaction()
            await transaction.start()
            await other.execute("select from bo_worker.message_key where key = 'SO-1' for update")
            connection = await found.books.connection()
            await connection.execute("set lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await repeg_products(connection, found.rules, NOW)
            await transaction.rollback()
        finally:
            await session.discard()
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3})]


async def left(found: Dock) -> list[tuple[Any, ...]]:
    """How what came went: kind, order or receipt, units."""
    return [
        (one["kind"], one.get("order_id", one.get("receipt_id")), sum(line["quantity"] for line in one["lines"]))
        for one in await found.news()
        if one["kind"] != "cross_dock_plan"
    ]


async def test_beyond_so_many_orders_a_receipt_is_put_away_and_shipped(database_url: str) -> None:
    async with dock(database_url, orders_max=1) as found:
        await found.apply(placed("SO-1", wants(3)), placed("SO-2", wants(2)), truck(5))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3})]
        await found.apply(received("R-1", brings(5)))
        assert await left(found) == [("cross_dock", "SO-1", 3), ("ship", "SO-2", 2), ("put_away", "R-1", 2)]


async def test_a_small_share_of_a_line_is_put_away_and_shipped(database_url: str) -> None:
    async with dock(database_url, share_min=0.5) as found:
        await found.apply(placed("SO-1", wants(3)), placed("SO-2", wants(5)), truck(5))
        assert await found.plans() == [("SO-1", "planned", 1, {"1/SKU-1": 3})]
        await found.apply(received("R-1", brings(5)))
        assert await left(found) == [("cross_dock", "SO-1", 3), ("ship", "SO-2", 2), ("put_away", "R-1", 2)]


async def test_who_must_go_too_late_or_too_soon_is_put_away_and_shipped(database_url: str) -> None:
    async with dock(database_url, hours_min=2, hours_max=48) as found:
        soon, late, fine = "2026-12-01T01:00:00Z", "2026-12-20T00:00:00Z", "2026-12-04T12:00:00Z"
        orders = [placed(f"SO-{n}", wants(1), need_by=need) for n, need in enumerate((soon, late, fine))]
        await found.apply(*orders, placed("SO-3", wants(1)), truck(4))
        planned = [order_id for order_id, *_ in await found.plans()]
        assert planned == ["SO-2", "SO-3"]
        await found.apply(received("R-1", brings(4), received_at="2026-12-04T00:00:00Z"))
        assert await left(found) == [
            ("ship", "SO-0", 1),
            ("ship", "SO-1", 1),
            ("cross_dock", "SO-2", 1),
            ("cross_dock", "SO-3", 1),
            ("put_away", "R-1", 2),
        ]


async def test_a_lot_that_expires_too_soon_is_put_away_and_shipped(database_url: str) -> None:
    async with dock(database_url, shelf_days_min=10) as found:
        await found.apply(placed("SO-1", wants(3)), truck(5))
        stale = brings(2, lot="L1", expires_on="2026-11-30")
        fresh = brings(2, line_id="2", lot="L2", expires_on="2026-12-01")
        await found.apply(received("R-1", stale, fresh))
        assert await left(found) == [("cross_dock", "SO-1", 2), ("ship", "SO-1", 1), ("put_away", "R-1", 2)]
        assert await found.plans() == []  # All that was planned came, if by way of storage.
        assert await found.stored() == []
