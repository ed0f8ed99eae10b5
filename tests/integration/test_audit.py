"""The audit names every counter that is not what its rows say, by how much, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

import build
from bo_worker.store.audit import AUDITS, Difference, audit
from ledger import Ledger, ledger
from streams import one

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.inbound import Decoded


PRICE = {"amount": "9.95", "currency": "EUR"}


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    """Some of everything: units that wait, are held, released, shipped, cancelled, lost, or safety stock.

    SKU-1 has 8 on hand, 4 of them allocated: SO-1 has 2 released and 2 shipped, SO-4 holds 2. Of SKU-2 SO-2 waits
    for 3 that are paid, SO-4 for 1. SO-3 waits for SKU-3, of which all 5 are safety stock. SO-5 lost its units
    of SKU-4.
    """
    async with ledger(database_url) as found:
        await found.apply(
            one("product-policy-updated", build.policy("SKU-3", safety_stock=5)),
            received("R-1", "SKU-1", 10),
            received("R-3", "SKU-3", 5),
            received("R-4", "SKU-4", 2),
            placed("SO-1", build.order_line(quantity=4)),
            placed(
                "SO-2",
                build.order_line(sku="SKU-2", quantity=5, unit_price=PRICE),
                payment={"authorization_id": "A-1"},
            ),
            placed("SO-3", build.order_line(sku="SKU-3", quantity=1)),
            placed("SO-4", build.order_line(quantity=2), build.order_line("2", "SKU-2", 1), ship_complete=True),
            placed("SO-5", build.order_line(sku="SKU-4", quantity=2)),
        )
        await found.apply(
            one("shipment-dispatched", build.shipment(order_id="SO-1", lines=[build.shipment_line(quantity=2)])),
            one("order-cancelled", build.cancellation(order_id="SO-2", lines=[{"line_id": "1", "quantity": 2}])),
            one("inventory-adjusted", build.adjustment(sku="SKU-4", quantity_delta=-2)),
        )
        assert found.committed[-1].dead_letters == {}
        yield found


def received(receipt_id: str, sku: str, quantity: int) -> Decoded:
    return one("inventory-received", build.receipt(receipt_id, lines=[build.receipt_line("1", sku, quantity)]))


def placed(order_id: str, *lines: build.Data, **fields: Any) -> Decoded:
    return one("order-created", build.order(order_id, lines=list(lines), **fields))


async def test_where_the_account_is_true_there_is_no_difference(books: Ledger) -> None:
    assert await audit(await books.connection()) == []


def stock(what: str, expected: int, found: int) -> set[Difference]:
    """An allocated quantity that neither the claims nor the journal account for."""
    return {
        Difference("stock_counters", what, expected, found),
        Difference("journal_stock", f"{what}, by the journal", expected, found),
    }


def waiting(sku: str, expected: int, found: int) -> set[Difference]:
    """A waiting quantity that neither the lines nor the journal account for."""
    return {
        Difference("waiting", f"{sku}: waiting", expected, found),
        Difference("journal_waiting", f"{sku}: waiting, by the journal", expected, found),
    }


BROKEN: dict[str, tuple[str, set[Difference]]] = {
    "allocated": (
        "update stock set allocated = 5 where sku = 'SKU-1'",
        stock("SKU-1 at WH1: allocated", 4, 5),
    ),
    "on hand": (
        "update stock set on_hand = 9 where sku = 'SKU-1'",
        {Difference("journal_stock", "SKU-1 at WH1: on hand, by the journal", 8, 9)},
    ),
    "on hand, below what is allocated": (
        "alter table stock drop constraint never_oversold; update stock set on_hand = 3 where sku = 'SKU-1'",
        {Difference("journal_stock", "SKU-1 at WH1: on hand, by the journal", 8, 3)},
    ),
    "stock that is gone": (
        "delete from stock where sku = 'SKU-1'",
        {
            *stock("SKU-1 at WH1: allocated", 4, 0),
            Difference("journal_stock", "SKU-1 at WH1: on hand, by the journal", 8, 0),
        },
    ),
    "what is on its way": (
        "update product set incoming = 7 where sku = 'SKU-1'",
        {Difference("incoming", "SKU-1: incoming", 0, 7)},
    ),
    "a promise to a line that does not wait": (
        (
            "insert into promise (order_id, position, sku, level, made_on, promised_to)"
            " values ('SO-1', 1, 'SKU-1', 0.9, '2026-11-21', '2026-12-01')"
        ),
        {Difference("promises", "line 1 of order SO-1: promised, and does not wait", 0, 1)},
    ),
    "stock from nowhere": (
        "insert into stock values ('SKU-9', 'WH9', 2, 0)",
        {Difference("journal_stock", "SKU-9 at WH9: on hand, by the journal", 0, 2)},
    ),
    "a claim": (
        "update claim set released = 1 where order_id = 'SO-1'",
        {
            Difference("stock_counters", "SKU-1 at WH1: allocated", 3, 4),
            Difference("line_buckets", "line 1 of order SO-1: released", 1, 2),
        },
    ),
    "a claim that is gone": (
        "delete from claim where order_id = 'SO-1'",
        {
            Difference("stock_counters", "SKU-1 at WH1: allocated", 2, 4),
            Difference("line_buckets", "line 1 of order SO-1: released", 0, 2),
            Difference("line_buckets", "line 1 of order SO-1: shipped", 0, 2),
        },
    ),
    "a claim from nowhere": (
        "insert into claim values ('SO-9', 1, 1, 'SKU-9', 'WH9', 0, 1, 0)",
        {Difference("stock_counters", "SKU-9 at WH9: allocated", 1, 0)},
    ),
    "released and shipped": (
        "update order_line set released = 1, shipped = 3 where order_id = 'SO-1'",
        {
            Difference("line_buckets", "line 1 of order SO-1: released", 2, 1),
            Difference("line_buckets", "line 1 of order SO-1: shipped", 2, 3),
        },
    ),
    "held": (
        "update order_line set held = 1, cancelled = 1 where order_id = 'SO-4' and position = 1",
        {Difference("line_buckets", "line 1 of order SO-4: held", 2, 1)},
    ),
    "backordered": (
        "update order_line set backordered = 2, cancelled = 3 where order_id = 'SO-2'",
        {
            Difference("waiting", "SKU-2: waiting", 3, 4),
            Difference("paid_back", "line 1 of order SO-2: units given up that are paid back", 3, 2),
        },
    ),
    "a line that is gone": (
        "delete from order_line where order_id = 'SO-2'",
        {Difference("waiting", "SKU-2: waiting", 1, 4)},
    ),
    "waiting": ("update product set waiting = 5 where sku = 'SKU-2'", waiting("SKU-2", 4, 5)),
    "a product that is gone": ("delete from product where sku = 'SKU-2'", waiting("SKU-2", 4, 0)),
    "a shipment that was not written down": (
        "delete from journal where change = 'shipped'",
        {
            Difference("journal_stock", "SKU-1 at WH1: on hand, by the journal", 10, 8),
            Difference("journal_stock", "SKU-1 at WH1: allocated, by the journal", 6, 4),
        },
    ),
    "a correction that was not written down": (
        "delete from journal where change = 'adjusted'",
        {Difference("journal_stock", "SKU-4 at WH1: on hand, by the journal", 2, 0)},
    ),
    "a loss that was not written down": (
        "delete from journal where change = 'lost'",
        {
            Difference("journal_stock", "SKU-4 at WH1: allocated, by the journal", 2, 0),
            Difference("journal_waiting", "SKU-4: waiting, by the journal", 0, 2),
        },
    ),
    "a cancellation that was not written down": (
        "delete from journal where change = 'dropped'",
        {Difference("journal_waiting", "SKU-2: waiting, by the journal", 6, 4)},
    ),
    "what began to wait and was not written down": (
        "delete from journal where change = 'backordered' and order_id = 'SO-4'",
        {Difference("journal_waiting", "SKU-2: waiting, by the journal", 3, 4)},
    ),
    "a claim that was not written down": (
        "delete from journal where change = 'claimed' and order_id = 'SO-4'",
        {Difference("journal_stock", "SKU-1 at WH1: allocated, by the journal", 2, 4)},
    ),
    "more received than came": (
        "update journal set quantity = 11 where change = 'received' and sku = 'SKU-1'",
        {
            Difference("journal_stock", "SKU-1 at WH1: on hand, by the journal", 9, 8),
            Difference("receipts", "SKU-1 of inventory-received/R-1: cross-docked and put away", 11, 10),
        },
    ),
    "units of a receipt that went nowhere": (
        "delete from journal where change = 'put_away' and sku = 'SKU-4'",
        {Difference("receipts", "SKU-4 of inventory-received/R-4: cross-docked and put away", 2, 0)},
    ),
    "units that are free while somebody waits": (
        "update product set safety_stock = 2 where sku = 'SKU-3'",
        {Difference("idle_units", "SKU-3 at WH1: free while line 1 of order SO-3 waits", 0, 3)},
    ),
    "units that are held for nothing": (
        "update sales_order set ship_complete = false where order_id = 'SO-4'",
        {Difference("held", "line 1 of order SO-4: held though nothing keeps it", 0, 2)},
    ),
    "units given up of which nobody was told to pay them back": (
        "update order_payment set paid_back = '{}'",
        {Difference("paid_back", "line 1 of order SO-2: units given up that are paid back", 2, 0)},
    ),
    "a line that is suspended though its order is paid": (
        "update order_line set pin = '!' where order_id = 'SO-2'",
        {Difference("suspended", "line 1 of order SO-2: suspended though nothing keeps it", 0, 3)},
    ),
    "a question about a delay that nobody follows": (
        """insert into delay_notice (order_id, number, position, quantity, told_at, reason, options, respond_by, rule,
            silence, token_hash) values ('SO-3', 1, 1, 3, now(), 'no_date', '{keep}', now(), 'us', 'keep', '')""",
        {Difference("delay_notices", "notices of line 1 of order SO-3: open", 0, 1)},
    ),
    "units told of that no entry was told of": (
        "update product set waitlist_told = 2 where sku = 'SKU-1'",
        {Difference("waitlist", "SKU-1: units told of on the waitlist", 0, 2)},
    ),
}


@pytest.mark.parametrize("counter", BROKEN)
async def test_exactly_what_is_not_true_any_more_is_named_with_its_figures(books: Ledger, counter: str) -> None:
    break_it, differences = BROKEN[counter]
    connection = await books.connection()
    await connection.execute(f"set search_path = bo_worker; {break_it}")
    found = await audit(connection)
    assert set(found) == differences
    assert len(found) == len(differences)


AT_WORK = {
    "the queue of a product that is being served": "update product set safety_stock = 2, unfinished = 'a cause'",
    "a receipt that is being put away": (
        "delete from journal where change = 'put_away' and sku = 'SKU-4';"
        "insert into unfinished_cause values ('inventory-received/R-4', '', '', null, '')"
    ),
    "an order that is being released": (
        "update sales_order set ship_complete = false where order_id = 'SO-4';"
        "update claim set pending_cause = 'a cause' where order_id = 'SO-4'"
    ),
}


@pytest.mark.parametrize("case", AT_WORK)
async def test_what_is_still_at_work_is_no_difference(books: Ledger, case: str) -> None:
    """A large cause is settled in many transactions, and the audit may run between any two of them."""
    connection = await books.connection()
    await connection.execute(f"set search_path = bo_worker; {AT_WORK[case]}")
    assert await audit(connection) == []


async def test_every_audit_finds_something_that_another_does_not() -> None:
    """So that none of them can rot unseen."""
    named = {difference.audit for _, differences in BROKEN.values() for difference in differences}
    assert named == {name.removeprefix("audit_") for name in AUDITS}
