"""`show order --why` on a real Postgres: what it says of orders that wait and of one that was served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

import build
from bo_worker.config import load_settings
from bo_worker.domain.account import Terms
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.store.explaining import LINES_MAX, report_order_with_reasons
from command import command, variables
from ledger import Ledger, ledger
from streams import one

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.inbound import Decoded


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        yield found


def placed(order_id: str, minute: int, *lines: build.Data, **fields: Any) -> Decoded:
    given = build.order(order_id, placed_at=f"2026-11-21T09:{minute:02}:00Z", lines=list(lines), **fields)
    return one("order-created", given)


def received(receipt_id: str, quantity: int, location: str = "WH1") -> Decoded:
    lines = [build.receipt_line(quantity=quantity)]
    return one("inventory-received", build.receipt(receipt_id, location=location, lines=lines))


async def happened(books: Ledger) -> None:
    """Two orders share a receipt, the second in part; a third came first in rank, but later; units lie elsewhere."""
    await books.apply(placed("SO-1", 1, build.order_line(quantity=2, location="WH1")))
    await books.apply(
        placed(
            "SO-2",
            2,
            build.order_line(quantity=5, location="WH1"),
            build.order_line("2", "SKU-2"),
            ship_complete=True,
        )
    )
    await books.apply(received("R-1", 4))
    await books.apply(placed("SO-3", 3, build.order_line(quantity=6, location="WH1"), priority=5))
    await books.apply(received("R-2", 20, "WH2"))
    line = build.purchase_order_line(quantity=8)
    await books.apply(one("purchase-order-updated", build.purchase_order(lines=[line])))


async def test_an_order_is_explained_in_short_sentences(books: Ledger, database_url: str) -> None:
    await happened(books)
    given = variables(load_settings(database_url=database_url))
    ended = await command("show", "order", "SO-2", "--why", given=given)
    assert (ended.code, ended.err) == (0, "")
    said = ended.out[ended.out.index("Why line 1") :].splitlines()
    moment = next(line for line in said if "was given" in line)
    assert moment.startswith("  It was given 2 units at WH1 on 20")
    assert moment.endswith(": receipt R-1 brought units.")
    said.remove(moment)
    assert said == [
        "Why line 1 (SKU-1)",
        "  3 units wait.",
        "  It is pinned to WH1, and the free units lie elsewhere.",
        "  All units there are claimed by others.",
        "  Nothing that is on its way covers 1 of its units.",
        "  Its order leaves only as a whole.",
        "  Ahead of it for the same stock: 6 units of 1 order: SO-3 (6).",
        "  2 units come with purchase order PO-9 line 1 to WH1, 2026-12-01 to 2026-12-05.",
        "  Cheapest: ordered without a location, it is served at once (3 at WH2).",
        "  Or: move 9 units to WH1 from where they are free (9 at WH2); one less is too few.",
        "  Or: amend its order to priority 6, and 3 units arrive at WH1; one less is too few.",
        "  Or: 9 units arrive at WH1; one less is too few.",
        "  It holds 2 units until the rest of its order can leave.",
        "  Its rank is priority 0, placed 2026-11-21 09:02:00.",
        "  Lines that wait for such units now: 1 behind it, 1 before it.",
        "  SO-3 line 1 ranks before it but came later.",
        "Why line 2 (SKU-2)",
        "  3 units wait.",
        "  There is no stock of it.",
        "  Nothing that is on its way covers 3 of its units.",
        "  Its order leaves only as a whole.",
        "  Nobody who competes for the same stock is ahead.",
        "  Cheapest: 3 units arrive anywhere; one less is too few.",
    ]


async def test_programs_get_the_same_as_json_and_nothing_of_it_unasked(books: Ledger, database_url: str) -> None:
    await happened(books)
    given = variables(load_settings(database_url=database_url))
    first, second = (await command("show", "order", "SO-2", "--why", "--json", given=given)).json["lines"]
    why = first["why"]["waiting"]
    assert [remedy["kind"] for remedy in why["remedies"]] == ["unpin", "transfer", "priority", "arrival"]
    assert (why["units"], why["uncovered"], why["ahead"]["orders"]) == (3, 1, 1)
    assert why["ahead"]["first"][0]["order_id"] == "SO-3"
    assert second["why"]["served"] == []
    (served,) = first["why"]["served"]
    assert (served["kind"], served["natural_id"], served["quantity"]) == ("receipt", "R-1", 2)
    plain = (await command("show", "order", "SO-2", "--json", given=given)).json["lines"]
    assert all("why" not in line for line in plain)


async def test_what_is_said_to_serve_a_line_serves_it(books: Ledger) -> None:
    await happened(books)
    connection = await books.connection()
    for units, left in ((8, 1), (1, 0)):
        await books.apply(received(f"R-of-{units}", units))
        report = await report_order_with_reasons(connection, "SO-2")
        assert report is not None
        line = report["lines"][0]
        assert line["backordered"] == left
        found = line["why"]["waiting"]
        assert (found["remedies"][-1]["quantity"] if found else 0) == left
    assert await report_order_with_reasons(connection, "SO-9") is None


async def test_units_that_may_not_leave_yet_are_explained_with_what_keeps_them(database_url: str) -> None:
    terms = Terms(choices=ChoiceTerms(consolidate_days=10))
    async with ledger(database_url, terms=terms) as books:
        soon = build.purchase_order_line(quantity=3, expected_from="2026-11-25", expected_to="2026-11-25")
        await books.apply(one("purchase-order-updated", build.purchase_order(lines=[soon])))
        there = build.order_line("2", "SKU-2", 2, unit_price={"amount": "10.00", "currency": "USD"})
        money = {"authorization_id": "A-1", "capture_before": "2999-01-01T00:00:00Z"}
        await books.apply(
            one("inventory-received", build.receipt(lines=[build.receipt_line(sku="SKU-2", quantity=4)]))
        )
        await books.apply(placed("SO-1", 1, build.order_line(), there, payment=money))
        await books.apply(placed("SO-2", 2, build.order_line("1", "SKU-9"), there, ship_complete=True))
        failed = build.payment("P-1", "failed", order_id="SO-1")
        given = variables(load_settings(database_url=database_url))

        async def said(order_id: str) -> list[str]:
            ended = await command("show", "order", order_id, "--why", given=given)
            return [line.strip() for line in ended.out.splitlines() if "It holds" in line]

        together = "It holds 2 units until 2026-12-01 at the latest, as more of its order is promised by then."
        assert await said("SO-1") == [together]
        await books.apply(one("payment-updated", failed))
        assert await said("SO-1") == [together, "It holds 2 units until its order is paid."]
        await books.apply(received("R-2", 3))
        unpaid = await command("show", "order", "SO-1", "--why", "--json", given=given)
        why = [line["why"] for line in unpaid.json["lines"]]
        assert [(one["held"], one["held_for"], one["hold_until"]) for one in why] == [
            (3, ["unpaid"], None),
            (2, ["unpaid"], None),
        ]
        assert await said("SO-2") == ["It holds 2 units until the rest of its order can leave."]


async def test_an_order_of_very_many_lines_is_explained_in_part(books: Ledger, database_url: str) -> None:
    lines = [build.order_line(str(number), quantity=1) for number in range(LINES_MAX + 2)]
    denied = build.order_line("denied", "SKU-7", 1, backorder="deny")
    await books.apply(placed("SO-1", 1, denied, *lines))
    given = variables(load_settings(database_url=database_url))
    said = (await command("show", "order", "SO-1", "--why", given=given)).out.splitlines()
    assert sum(line.startswith("Why line") for line in said) == LINES_MAX
    assert said[-1].startswith("3 more lines are not explained")
