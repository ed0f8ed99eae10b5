"""Promised days pass without a message: customers hear of later ones, not every day, and never of one in the past."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import pytest

import build
from bo_worker.domain.account import Terms
from bo_worker.service.due import JOBS
from bo_worker.service.work import Rules
from bo_worker.store.audit import audit
from ledger import NOW, ledger

if TYPE_CHECKING:
    from ledger import Ledger
    from streams import Input

RULES = Rules("placed_at", 5_000)
TODAY = NOW.date()
ASKING = ("tell_delays", "end_silence")  # They ask customers whether to wait longer: another story.


async def sweep(books: Ledger, rules: Rules = RULES) -> int:
    """Do all that is due; return in how many transactions."""
    connection, count = await books.connection(), 0
    for name, job in JOBS.items():
        while name not in ASKING and (await job(connection, rules, books.now)).more:
            count += 1
            assert count < 100, "it is never done"
    return count


async def days_pass(books: Ledger, days: int, rules: Rules = RULES) -> None:
    """Let days pass one by one, the sweep at work on each of them."""
    for _ in range(days):
        books.now += timedelta(days=1)
        await sweep(books, rules)
        assert await sweep(books, rules) == 0
        assert await audit(await books.connection()) == []


async def told(books: Ledger, order_id: str = "SO-1") -> list[tuple[str, str | None, str | None]]:
    """Kinds and days of what a customer was told of the first line."""
    found = []
    for message in await books.messages():
        data: dict[str, Any] = orjson.loads(message.value or b"{}")
        if message.topic == "customer-notification" and data["order_id"] == order_id:
            line = data["lines"][0]
            found.append((data["kind"], line["expected_from"], line["expected_to"]))
    return found


def day(after: int) -> str:
    return f"{TODAY + timedelta(days=after)}"


def moved(first: int, last: int) -> tuple[str, str, str]:
    return ("expected_date_changed", day(first), day(last))


def sold(**fields: Any) -> Input:
    return "product-policy-updated", build.policy(**fields)


def placed(quantity: int) -> Input:
    return "order-created", build.order("SO-1", lines=[build.order_line(quantity=quantity)])


def ordered(quantity: int, after: int, version: int = 1) -> Input:
    line = build.purchase_order_line(quantity=quantity, expected_from=day(after), expected_to=day(after))
    return "purchase-order-updated", build.purchase_order("PO-1", version, lines=[line])


def came(quantity: int, on: date, receipt_id: str = "R-1") -> Input:
    fields = {"purchase_order_id": "PO-1", "received_at": f"{on}T09:00:00Z"}
    return "inventory-received", build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)], **fields)


@pytest.mark.parametrize("kind", ["standard", "made_to_order", "drop_ship"])
async def test_a_lead_time_that_passes_is_promised_once_more(database_url: str, kind: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(sold(kind=kind, lead_time_days=10), placed(2))
        await sweep(books)
        await days_pass(books, 25)
        assert await told(books) == [("order_backordered", day(10), day(10)), moved(21, 21), moved(32, 32)]


async def test_a_lead_time_of_a_day_is_not_promised_anew_every_day(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(sold(lead_time_days=1), placed(2))
        await days_pass(books, 4)
        await books.apply(sold(lead_time_days=1, version=2, safety_stock=1))
        await days_pass(books, 7)
        assert await told(books) == [("order_backordered", day(1), day(1)), moved(9, 9), moved(17, 17)]


async def test_a_lead_time_that_is_taken_back_or_becomes_shorter_moves_the_days_that_were_promised_by_it(
    database_url: str,
) -> None:
    async with ledger(database_url) as books:
        await books.apply(sold(lead_time_days=30), placed(2))
        await books.apply(sold(lead_time_days=12, version=2))
        await sweep(books)
        await books.apply(sold(version=3))
        await sweep(books)
        assert await told(books) == [
            ("order_backordered", day(30), day(30)),
            moved(12, 12),
            ("expected_date_changed", None, None),
        ]


async def test_a_lead_time_past_the_end_of_the_season_is_no_promise(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(sold(kind="seasonal", lead_time_days=10, season_ends_on=day(15)), placed(2))
        await days_pass(books, 20)
        assert await told(books) == [
            ("order_backordered", day(10), day(10)),
            ("expected_date_changed", None, None),
        ]


async def test_what_has_not_come_is_promised_as_what_had_not_come_by_then(database_url: str) -> None:
    """Of 43 deliveries 40 came on the day, and the others 8, 8 and 12 days later."""
    async with ledger(database_url) as books:
        await delivered(books, [*[0] * 40, 8, 8, 12])
        await books.apply(ordered(5, 2), placed(3))
        await days_pass(books, 17)
        assert (await told(books))[1:] == [moved(3, 17)]
        await days_pass(books, 1)
        assert await told(books) == [
            ("order_backordered", day(2), day(2)),
            moved(3, 17),
            ("expected_date_changed", None, None),
        ]


async def delivered(books: Ledger, late_days: list[int]) -> None:
    """Let the supplier have a past."""
    connection = await books.connection()
    await connection.execute("insert into bo_worker.supplier (supplier_id, deliveries_due) values ('SUP-1', false)")
    await connection.execute(
        "insert into bo_worker.delivery (purchase_order_id, line_id, sku, supplier_id, due_on, received_on)"
        " select 'PO-OLD-' || number, '1', 'SKU-9', 'SUP-1', date '2026-01-01', date '2026-01-01' + late"
        " from unnest($1::integer[]) with ordinality as past (late, number)",
        late_days,
    )


async def test_the_rest_of_a_delivery_is_put_off_by_a_week_and_given_up_after_a_month(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(ordered(10, 2), placed(8))
        await days_pass(books, 2)
        await books.apply(came(3, books.now.date()))
        await days_pass(books, 60)
        assert [one for one in await told(books) if one[0] != "backorder_filled"] == [
            ("order_backordered", day(2), day(2)),
            moved(3, 10),
            moved(11, 18),
            moved(19, 26),
            moved(27, 34),
            ("expected_date_changed", None, None),
        ]
        assert await counted(books) == 0
        await books.apply(came(1, books.now.date(), "R-2"))
        await sweep(books)
        assert await counted(books) == 6
        assert (await told(books))[-1] == moved(62, 69)


async def test_a_late_delivery_that_comes_in_part_brings_the_rest_on_a_day_to_come(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(ordered(10, 1), placed(8))
        await days_pass(books, 5)
        assert (await told(books))[-1] == ("expected_date_changed", None, None)
        await books.apply(came(3, books.now.date()))
        await sweep(books)
        assert (await told(books))[-1] == moved(5, 12)


async def test_a_version_with_a_day_that_has_passed_puts_off_the_rest(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(ordered(10, 4), placed(8), came(3, TODAY))
        await sweep(books)
        books.now += timedelta(days=3)
        await books.apply(ordered(10, 1, version=2))
        await sweep(books)
        assert (await told(books))[-1] == moved(3, 10)


async def test_a_supplier_without_history_is_given_its_delay_for_the_rest(database_url: str) -> None:
    terms = Terms(default_days=12)
    rules = Rules("placed_at", 5_000, terms=terms)
    async with ledger(database_url, terms=terms) as books:
        await books.apply(ordered(10, 2), placed(8), came(3, TODAY))
        await days_pass(books, 15, rules)
        assert (await told(books))[-1] == moved(15, 27)
        await days_pass(books, 11, rules)
        assert (await told(books))[-1] == moved(15, 27)


async def test_what_is_known_better_of_a_supplier_leaves_what_was_put_off(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(ordered(10, 1), placed(8), came(3, TODAY))
        await days_pass(books, 4)
        connection = await books.connection()
        await connection.execute("insert into bo_worker.supplier values ('SUP-1', true)")
        await sweep(books)
        assert [one for one in await told(books) if one[0] == "expected_date_changed"] == [moved(2, 9)]


async def test_nobody_but_the_manufacturer_names_a_day_for_the_rest(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(sold(kind="manufacturer"), ordered(10, 2), placed(8))
        await days_pass(books, 2)
        await books.apply(came(3, books.now.date()))
        await days_pass(books, 9)
        news = [one for one in await told(books) if one[0] == "expected_date_changed"]
        assert news == [("expected_date_changed", None, None)]
        await books.apply(came(1, books.now.date(), "R-2"))
        await sweep(books)
        await books.apply(ordered(10, 30, version=2))
        await sweep(books)
        news = [one for one in await told(books) if one[0] == "expected_date_changed"]
        assert news == [("expected_date_changed", None, None), moved(30, 30)]


@pytest.mark.parametrize("policy_first", [True, False])
async def test_the_days_of_a_manufacturer_are_its_word_whatever_comes_first(
    database_url: str, *, policy_first: bool
) -> None:
    """A policy and a purchase order know no order between them."""
    terms = Terms(default_days=14)
    async with ledger(database_url, terms=terms) as books:
        inputs = [sold(kind="manufacturer"), ordered(10, 2)]
        await books.apply(inputs[not policy_first])
        await books.apply(inputs[policy_first])
        await sweep(books, Rules("placed_at", 5_000, terms=terms))
        await books.apply(placed(8))
        assert await told(books) == [("order_backordered", day(2), day(2))]
        await books.apply(sold(version=2))
        await sweep(books, Rules("placed_at", 5_000, terms=terms))
        assert (await told(books))[1:] == [moved(2, 16)]


@pytest.mark.parametrize("inputs", [[ordered(10, 5)], [sold(lead_time_days=5)]], ids=["supply", "lead time"])
async def test_who_loses_units_hears_the_day_of_others_though_it_is_the_one_known_before(
    database_url: str, inputs: list[Input]
) -> None:
    async with ledger(database_url) as books:
        await books.apply(*inputs, placed(3))
        await books.apply(("inventory-received", build.receipt("R-0", lines=[build.receipt_line(quantity=3)])))
        await sweep(books)
        await books.apply(("inventory-adjusted", build.adjustment("ADJ-1", -2)))
        await sweep(books)
        assert (await told(books))[2:] == [("allocation_lost", None, None), moved(5, 5)]
        await days_pass(books, 4)
        assert len(await told(books)) == 4


async def test_who_loses_units_that_are_held_has_heard_of_a_day_already(database_url: str) -> None:
    async with ledger(database_url) as books:
        lines = [build.order_line("1", quantity=3), build.order_line("2", "SKU-2", 1)]
        await books.apply(ordered(10, 5), ("order-created", build.order("SO-1", lines=lines, ship_complete=True)))
        await books.apply(("inventory-received", build.receipt("R-0", lines=[build.receipt_line(quantity=3)])))
        await sweep(books)
        await books.apply(("inventory-adjusted", build.adjustment("ADJ-1", -2)))
        await sweep(books)
        assert [kind for kind, *_ in await told(books)] == ["order_backordered"]


async def test_purchasing_hears_that_the_rest_did_not_come(database_url: str) -> None:
    async with ledger(database_url) as books:
        await books.apply(ordered(10, 1), placed(8), came(3, TODAY))
        await days_pass(books, 2)
        heard = [
            orjson.loads(message.value or b"") for message in await books.messages() if message.topic == "procurement"
        ]
        last = [(one["quantity"], one["days_gained"]) for one in heard if one["reason"] == "promise_at_risk"]
        assert last == [(5, 7)]


async def counted(books: Ledger) -> int:
    found: int = await (await books.connection()).fetchval("select incoming from bo_worker.product")
    return found
