"""What customers switched to, on a real Postgres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest_asyncio

import build
from bo_worker.domain.cause import Cause
from bo_worker.domain.pay_back import pay_back
from bo_worker.domain.settle import settle
from bo_worker.domain.substitute import switch_line
from bo_worker.service.work import Rules, Work, save_work
from bo_worker.store.audit import audit
from bo_worker.store.keys import lock_keys
from bo_worker.store.orders import load_orders
from bo_worker.store.policies import find_substitutes
from bo_worker.store.products import lock_products
from bo_worker.store.shop import Period, report_shop
from ledger import Ledger, data, ledger
from streams import one

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.messages.inbound import Decoded

RULES = Rules("placed_at", 5_000)
PRICE = {"amount": "19.90", "currency": "USD"}


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        yield found


def placed(order_id: str, *lines: build.Data, **fields: Any) -> Decoded:
    return one("order-created", build.order(order_id, lines=list(lines), **fields))


def wanted(line_id: str, quantity: int, sku: str = "SKU-1", **fields: Any) -> build.Data:
    return build.order_line(line_id=line_id, sku=sku, quantity=quantity, **fields)


def received(receipt_id: str, quantity: int, sku: str = "SKU-1", **fields: Any) -> Decoded:
    return one(
        "inventory-received",
        build.receipt(receipt_id, lines=[build.receipt_line(sku=sku, quantity=quantity)], **fields),
    )


def named(*skus: str, sku: str = "SKU-1") -> Decoded:
    return one("product-policy-updated", build.policy(sku, substitutes=list(skus)))


async def switch(books: Ledger, order_id: str, line_id: str, sku: str, by: str = "RS-1") -> bool:
    """Let a customer take `sku` for what waits of a line, in one transaction; tell whether that could be."""
    connection = await books.connection()
    work = Work(RULES.new_account(books.now))
    account = work.account
    account.cause = Cause("customer-response", by)
    async with connection.transaction():
        work.keys = await lock_keys(connection, [order_id])
        account.orders = await load_orders(connection, [order_id], whole=True)
        order = account.orders[order_id]
        skus = {line.sku for line in order.lines}
        account.products = await lock_products(connection, skus | await find_substitutes(connection, skus))
        work.hold_lines()
        line = next(line for line in order.lines if line.line_id == line_id)
        effect = switch_line(account, order, line, sku)
        if effect is not None:
            settle(account, effect)
            pay_back(account, order)
            await save_work(connection, work, books.now)
    return effect is not None


async def status(books: Ledger, order_id: str) -> list[tuple[Any, ...]]:
    """The lines of an order: id, SKU, pin, price, and the buckets that are not empty."""
    rows = await (await books.connection()).fetch(
        "select * from bo_worker.order_line where order_id = $1 order by position", order_id
    )
    buckets = ("backordered", "held", "released", "shipped", "cancelled")
    return [
        (
            row["line_id"],
            row["sku"],
            row["pin"],
            row["price_amount"],
            {name: row[name] for name in buckets if row[name]},
        )
        for row in rows
    ]


async def heard(books: Ledger) -> list[str]:
    """What customers heard, kind by kind."""
    found = await books.messages()
    return [message["kind"] for message in data([one for one in found if one.topic == "customer-notification"])]


async def test_a_line_that_was_switched_to_is_stored_with_the_price_of_the_old_one(books: Ledger) -> None:
    await books.apply(
        named("SKU-2"), placed("SO-1", wanted("1", 3, location="WH1", unit_price=PRICE), wanted("2", 1))
    )
    await books.apply(received("R-1", 3, "SKU-2"))
    assert await switch(books, "SO-1", "1", "SKU-2")
    assert await status(books, "SO-1") == [
        ("1", "SKU-1", "WH1", "19.90", {"cancelled": 3}),
        ("2", "SKU-1", "", None, {"backordered": 1}),
        ("1/1", "SKU-2", "WH1", "19.90", {"released": 3}),
    ]
    assert await heard(books) == ["order_backordered", "backorder_filled"]
    whole = await load_orders(await books.connection(), ["SO-1"], whole=True)
    assert whole["SO-1"].taken_over() == {1: 3}
    assert await audit(await books.connection()) == []


async def test_a_line_that_was_switched_to_ships_is_cancelled_and_switched_as_any_other(books: Ledger) -> None:
    await books.apply(named("SKU-2"), placed("SO-1", wanted("1", 3)), received("R-1", 3, "SKU-2"))
    assert await switch(books, "SO-1", "1", "SKU-2")
    assert not await switch(books, "SO-1", "1", "SKU-2", by="RS-2")
    leaving = build.shipment(order_id="SO-1", lines=[{"line_id": "1/1", "location": "WH1", "quantity": 1}])
    await books.apply(one("shipment-dispatched", leaving))
    lost = build.adjustment(sku="SKU-2", quantity_delta=-1)
    await books.apply(one("inventory-adjusted", lost))
    await books.apply(one("product-policy-updated", build.policy("SKU-2", substitutes=["SKU-3"])))
    await books.apply(received("R-2", 1, "SKU-3"))
    assert await switch(books, "SO-1", "1/1", "SKU-3", by="RS-3")
    assert await status(books, "SO-1") == [
        ("1", "SKU-1", "", None, {"cancelled": 3}),
        ("1/1", "SKU-2", "", None, {"released": 1, "shipped": 1, "cancelled": 1}),
        ("1/1/1", "SKU-3", "", None, {"released": 1}),
    ]
    await books.apply(one("order-cancelled", build.cancellation(order_id="SO-1")))
    assert (await status(books, "SO-1"))[1:] == [
        ("1/1", "SKU-2", "", None, {"shipped": 1, "cancelled": 2}),
        ("1/1/1", "SKU-3", "", None, {"cancelled": 1}),
    ]
    assert await audit(await books.connection()) == []


async def test_a_switch_that_comes_too_late_leaves_no_trace(books: Ledger) -> None:
    await books.apply(named("SKU-2"), placed("SO-1", wanted("1", 3)), received("R-1", 3, "SKU-2"))
    await books.apply(placed("SO-2", wanted("1", 1, "SKU-2")))
    before = await books.rows()
    assert not await switch(books, "SO-1", "1", "SKU-2")
    assert await books.rows() == before


async def test_the_money_of_what_was_switched_stays_until_that_is_given_up(books: Ledger) -> None:
    paid = {"payment": {"authorization_id": "A-1", "capture_before": "2026-12-28T09:30:00Z"}}
    order = placed("SO-1", wanted("1", 3, unit_price=PRICE), wanted("2", 1, unit_price=PRICE), **paid)
    await books.apply(named("SKU-2"), order, received("R-1", 3, "SKU-2"))
    assert await switch(books, "SO-1", "1", "SKU-2")
    assert await asked_back(books) == []
    cancelled = build.cancellation(order_id="SO-1", lines=[{"line_id": "1/1", "quantity": 1}])
    await books.apply(one("order-cancelled", cancelled))
    assert await asked_back(books) == [("void", "19.90")]
    await books.apply(one("order-cancelled", build.cancellation("X-2", order_id="SO-1")))
    assert await asked_back(books) == [("void", "19.90"), ("void", "59.70")]
    assert await audit(await books.connection()) == []


async def asked_back(books: Ledger) -> list[tuple[str, str]]:
    found = data([one for one in await books.messages() if one.topic == "payment"])
    return [(one["kind"], one["amount"]["amount"]) for one in found]


async def test_what_was_switched_to_was_not_asked_for_when_the_order_came(books: Ledger) -> None:
    await books.apply(named("SKU-2"), placed("SO-1", wanted("1", 3)), received("R-1", 3, "SKU-2"))
    await switch(books, "SO-1", "1", "SKU-2")
    day = books.now.date()
    found = await report_shop(await books.connection(), Period(day, day), books.now)
    assert found["intake"] == {"orders": 1, "lines": 1, "units": 3, "units_cancelled_before": 0}
    assert [row["served"] for row in found["service"]] == [0, 0, 0]
