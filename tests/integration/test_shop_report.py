"""The report of a shop, of a small history whose figures were computed by hand, in all its forms."""

from __future__ import annotations

import csv
import io
from datetime import date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.cli.shop_page import page
from bo_worker.cli.shop_tables import csv_text, sections
from bo_worker.config import load_settings
from bo_worker.store.audit import audit
from bo_worker.store.shop import Period, report_shop
from command import command, variables
from ledger import NOW, Ledger, ledger
from streams import one

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.messages.inbound import Decoded

PERIOD = Period(date(2026, 11, 20), date(2026, 11, 22))
EURO = {"amount": "19.99", "currency": "EUR"}
DOLLAR = {"amount": "0.1", "currency": "USD"}
VOID = {"br", "hr", "img", "input", "link", "meta"}


def placed(order_id: str, *lines: build.Data, **fields: Any) -> Decoded:
    customer = {"customer_id": "C-SECRET", "email": "secret@example.com"}
    return one("order-created", build.order(order_id, lines=list(lines), customer=customer, **fields))


def wanted(line_id: str, quantity: int, sku: str = "SKU-1", **fields: Any) -> build.Data:
    return build.order_line(line_id, sku, quantity, **fields)


def received(receipt_id: str, quantity: int, sku: str = "SKU-1") -> Decoded:
    return one("inventory-received", build.receipt(receipt_id, lines=[build.receipt_line("1", sku, quantity)]))


def given_up(name: str, order_id: str, line_id: str, quantity: int) -> Decoded:
    lines = [{"line_id": line_id, "quantity": quantity}]
    return one("order-cancelled", build.cancellation(name, order_id, lines=lines))


async def at(books: Ledger, when: str, *inputs: Decoded) -> None:
    """Apply each as a batch of its own at an instant."""
    books.now = datetime.fromisoformat(when)
    for given in inputs:
        await books.apply(given)


async def history(books: Ledger) -> None:
    """Two orders wait since before the period; then three days of orders, receipts and cancellations.

    In the period 4 orders come: of 23 units one is given up before; 22 are asked for, 6 are served, 9 wait and 7 are
    rejected. Of 14 units received in it, 8 go to those who wait.
    """
    await at(books, "2026-10-12T12:00:00Z", placed("SO-01", wanted("1", 4, unit_price=EURO)))
    await at(books, "2026-11-10T12:00:00Z", placed("SO-10", wanted("1", 4, unit_price=DOLLAR)))
    await at(books, "2026-11-20T00:00:00Z", received("R-1", 6))  # 4 for SO-01 after 38.5 days, 2 for SO-10 after 9.5
    await at(books, "2026-11-20T12:00:00Z", given_up("X-1", "SO-10", "1", 1), received("R-2", 6, "SKU-2"))
    await at(books, "2026-11-21T00:00:00Z", given_up("X-2", "SO-A", "1", 1))  # before its order
    first = placed("SO-A", wanted("1", 3, "SKU-2"), wanted("2", 5, unit_price=EURO))
    await at(books, "2026-11-21T00:00:00Z", first)  # 2 served, 5 wait
    await at(books, "2026-11-21T06:00:00Z", placed("SO-B", wanted("1", 4, "SKU-2")))  # 4 served: complete
    nothing_may_wait = [wanted("1", 2, "SKU-2", backorder="deny"), wanted("2", 1, "SKU-3")]
    await at(books, "2026-11-21T12:00:00Z", placed("SO-C", *nothing_may_wait, ship_complete=True))  # 3 rejected
    no_backorder = one("product-policy-updated", build.policy("SKU-4", backorder="deny"))
    last = placed("SO-D", wanted("1", 4, "SKU-4"), wanted("2", 4, "SKU-3"))
    await at(books, "2026-11-21T18:00:00Z", no_backorder, last)  # 4 rejected, 4 wait
    await at(books, "2026-11-22T00:00:00Z", received("R-3", 2), given_up("X-3", "SO-A", "2", 1))
    await at(books, "2026-11-23T00:00:00Z", given_up("X-4", "SO-D", "2", 1))  # after the period


async def figures(books: Ledger) -> dict[str, Any]:
    await history(books)
    found = await report_shop(await books.connection(), PERIOD, datetime.fromisoformat("2026-11-23T12:00:00Z"))
    assert await audit(await books.connection()) == []
    return found


async def test_figures_are_those_of_the_history(database_url: str) -> None:
    async with ledger(database_url) as books:
        found = await figures(books)
    assert found["intake"] == {"orders": 4, "lines": 7, "units": 23, "units_cancelled_before": 1}
    assert [list(row.values()) for row in found["service"]] == [
        ["units", 22, 6, 9, 7, 0.2727, 0.4091, 0.3182],
        ["lines", 7, 2, 2, 3, 0.2857, 0.2857, 0.4286],
        ["orders", 4, 1, 2, 2, 0.25, 0.5, 0.5],
    ]
    # 8 wait before; minus 6 filled and 1 given up; then 5 of SO-A and 4 of SO-D; then 2 filled and 1 given up.
    assert [list(row.values()) for row in found["days"]] == [
        [date(2026, 11, 20), 0, 0, 0, 0, 1],
        [date(2026, 11, 21), 4, 6, 9, 7, 10],
        [date(2026, 11, 22), 0, 0, 0, 0, 7],
    ]
    assert found["dock"] == {"received": 14, "cross_docked": 8, "share": 0.5714}
    assert [list(row.values()) for row in found["unmet"]] == [["product", 4, 1, 1], ["ship_complete", 3, 2, 1]]
    assert [tuple(row.values()) for row in found["unmet_products"]] == [
        ("SKU-4", 4, 1),
        ("SKU-2", 2, 1),
        ("SKU-3", 1, 1),
    ]


async def test_what_waits_is_told_with_its_age_and_its_value(database_url: str) -> None:
    async with ledger(database_url) as books:
        found = await figures(books)
    # Of R-3 one unit is for SO-10, after 11.5 days, and one for SO-A, after 1 day; SO-A then gives up 1 of 4.
    assert found["waiting"] == {"units": 6, "lines": 2, "orders": 2, "products": 2}
    assert found["ages"] == [
        {"age": "under 1 day", "waiting": 0, "filled": 0, "cancelled": 0},
        {"age": "1 to 7 days", "waiting": 6, "filled": 1, "cancelled": 1},
        {"age": "8 to 30 days", "waiting": 0, "filled": 3, "cancelled": 1},
        {"age": "over 30 days", "waiting": 0, "filled": 4, "cancelled": 0},
    ]
    assert [(row["order_id"], row["line_id"], row["units"], row["days"]) for row in found["oldest"]] == [
        ("SO-A", "2", 3, 2),
        ("SO-D", "2", 3, 1),
    ]
    # 1 unit after 1 day, 2 after 9.5, 1 after 11.5, 4 after 38.5.
    assert found["fill_time"] == {"units": 8, "median_days": 11.5, "p90_days": 38.5}
    assert found["value"] == [
        {"currency": "EUR", "units": 3, "value": Decimal("59.97")},
        {"currency": None, "units": 3, "value": None},
    ]


async def test_months_add_up_the_days_and_say_what_waited_was_worth(database_url: str) -> None:
    async with ledger(database_url) as books:
        await history(books)
        period = Period(date(2026, 10, 1), date(2026, 11, 22))
        found = await report_shop(await books.connection(), period, datetime.fromisoformat("2026-11-23T12:00:00Z"))
    assert [list(row.values()) for row in found["months"]] == [
        ["2026-10", 1, 0, 4, 0, 0.0, 1.0, 0.0, 4],
        ["2026-11", 5, 6, 13, 7, 0.2308, 0.5, 0.2692, 7],
    ]
    # In November SO-10 gives up 1 unit after 10 days, SO-A 1 after one day; SO-D does so after the period.
    assert [list(row.values()) for row in found["given_up"]] == [
        ["2026-10", 0, 0, 0, 0],
        ["2026-11", 0, 1, 1, 0],
    ]
    # SO-01 waits for 4 units at 19.99 at first. At the end SO-A waits for 3 of them; SO-D has no price.
    assert [list(row.values()) for row in found["value_by_month"]] == [
        ["2026-10", "EUR", 4, Decimal("79.96")],
        ["2026-10", "USD", 0, Decimal("0.0")],
        ["2026-11", "EUR", 3, Decimal("59.97")],
        ["2026-11", "USD", 0, Decimal("0.0")],
    ]
    names = [row["row"] for row in rows(csv_text(found)) if row["section"] == "value_by_month"]
    assert names[::2] == ["2026-10 EUR", "2026-10 USD", "2026-11 EUR", "2026-11 USD"]


async def test_an_age_class_begins_with_a_whole_day(database_url: str) -> None:
    async with ledger(database_url) as books:
        for days, just in ((1, 0), (1, 1), (8, 0), (8, 1), (31, 0), (31, 1)):
            books.now = NOW - timedelta(days=days) + timedelta(seconds=just)
            await books.apply(placed(f"SO-{days}-{just}", wanted("1", 1)))
        found = await report_shop(await books.connection(), PERIOD, NOW)
    assert [row["waiting"] for row in found["ages"]] == [1, 2, 2, 1]
    assert [row["days"] for row in found["oldest"]] == [31, 30, 8, 7, 1, 0]


async def test_an_empty_account_has_a_report_without_shares(database_url: str) -> None:
    async with ledger(database_url) as books:
        found = await report_shop(await books.connection(), PERIOD, NOW)
    assert found["service"][0]["fill_rate"] is None
    assert found["fill_time"] == {"units": 0, "median_days": None, "p90_days": None}
    assert found["dock"]["share"] is None
    assert [row["waiting"] for row in found["days"]] == [0, 0, 0]
    assert len(parsed(page(found)).tables) == sum(bool(section.rows) for section in sections(found))
    ended = await command("report", given=variables(load_settings(database_url=database_url)))
    assert (ended.code, ended.err) == (0, "")
    assert "Waiting now" in ended.out


async def test_a_page_of_years_has_no_more_columns_than_fit(database_url: str) -> None:
    async with ledger(database_url) as books:
        await history(books)
        years = Period(date(2024, 1, 1), date(2026, 12, 31))
        found = await report_shop(await books.connection(), years, books.now)
    assert len(found["days"]) == 1096
    assert sum(day["waited"] for day in found["days"]) == 17
    html = page(found)
    assert "18 days from" in html
    assert html.count("<rect") < 100
    assert parsed(html).images == 4


async def test_every_form_says_the_same_and_nothing_of_customers(database_url: str, tmp_path: Path) -> None:
    async with ledger(database_url) as books:
        await figures(books)
    given = variables(load_settings(database_url=database_url))
    period = ("--from", str(PERIOD.first), "--to", str(PERIOD.last))
    file = tmp_path / "report.html"
    as_json = await command("report", *period, "--json", "--html", str(file), given=given)
    as_csv = await command("report", *period, "--csv", given=given)
    as_table = await command("report", *period, given=given)
    assert [(ended.code, ended.err) for ended in (as_json, as_csv, as_table)] == [(0, "")] * 3
    figure = {(row["section"], row["row"], row["figure"]): row["value"] for row in rows(as_csv.out)}
    assert len(figure) == len(rows(as_csv.out))
    assert figure["service", "units", "fill_rate"] == str(as_json.json["service"][0]["fill_rate"]) == "0.2727"
    assert figure["value", "EUR", "value"] == as_json.json["value"][0]["value"] == "59.97"
    assert "27.3 %" in as_table.out
    html = file.read_text()
    assert "27.3 %" in html
    assert parsed(html).images == 4
    for text in (as_json.out, as_csv.out, as_table.out, html):
        assert "secret" not in text.lower()
    nowhere = await command("report", "--html", str(tmp_path / "no" / "where.html"), given=given)
    assert (nowhere.code, nowhere.out) == (1, "")
    assert "can't be written: No such file or directory" in nowhere.err


async def test_ids_are_harmless_in_a_page_and_in_a_spreadsheet(database_url: str) -> None:
    async with ledger(database_url) as books:
        found = await figures(books)
    bad = "<script>alert('&\"')</script>"
    found["oldest"][0]["order_id"] = found["unmet_products"][0]["sku"] = bad
    found["oldest"][1]["order_id"] = "=1+1"
    html = page(found)
    assert "<script" not in html
    assert parsed(html).texts.count(bad) == 3
    assert [row["value"] for row in rows(csv_text(found)) if row["figure"] == "order_id"] == [bad, "'=1+1"]
    assert orjson.dumps(found, default=str)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class Page(HTMLParser):
    """What stands in a page; tags must be closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tables: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.images = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        assert not {"src", "href", "onload", "onclick"} & found.keys()
        self.ids += [found["id"]] if "id" in found else []
        self.named += found.get("aria-labelledby", "").split()
        self.images += found.get("role") == "img"
        if tag == "table":
            self.tables.append(found["aria-label"])
        if tag not in VOID and not (self.get_starttag_text() or "").endswith("/>"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def parsed(html: str) -> Page:
    """Parse a page, whose ids are unique and whose images and sections have names."""
    found = Page()
    found.feed(html)
    found.close()
    assert found.open == []
    assert len(set(found.ids)) == len(found.ids)
    assert set(found.named) <= set(found.ids)
    return found
