"""Money that a running worker asks for when units could leave, and gives back part by part, exact in any currency."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import build
from live_shop import live_shop

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers
    from live_shop import LiveShop

# Per unit, in a currency without decimals, with three of them, and with two.
PRICES = {"JPY": "333.5", "KWD": "0.3335", "USD": "3.335"}
RUNS_OUT = {"authorization_id": "A-1", "capture_before": "2026-11-23T12:00:00Z"}


def priced(currency: str, line_id: str = "1") -> build.Data:
    return build.order_line(line_id, "SKU-1", 3, unit_price={"amount": PRICES[currency], "currency": currency})


async def news(shop: LiveShop, order_id: str, number: int, status: str, **fields: Any) -> None:
    at = f"2026-11-26T08:00:0{number}Z"
    values = build.payment(f"P-{order_id}-{number}", status, order_id=order_id, occurred_at=at, **fields)
    await shop.hears("payment-updated", values)


async def gives_up(shop: LiveShop, order_id: str, number: int, line_id: str = "1") -> None:
    lines = [{"line_id": line_id, "quantity": 1}]
    await shop.hears("order-cancelled", build.cancellation(f"X-{order_id}-{number}", order_id, lines=lines))


async def test_money_is_asked_for_when_units_could_leave_and_refunded_in_parts_that_add_up(
    stack: Servers, template_database: str
) -> None:
    async with live_shop(stack, template_database, payment_authorize="shipment") as shop:
        for currency in ("JPY", "KWD"):
            order = build.order(f"SO-{currency}", lines=[priced(currency)], payment=RUNS_OUT, ship_to_country="JP")
            await shop.hears("order-created", order)
        both = build.order("SO-TWO", lines=[priced("JPY"), priced("USD", "2")], payment=RUNS_OUT)
        await shop.hears("order-created", both)
        orders = ("SO-JPY", "SO-KWD", "SO-TWO")
        await shop.turn("2026-11-26")
        assert [shop.asked(order_id) for order_id in orders] == [[], [], []]

        await shop.gets(12)
        assert [shop.asked(order_id) for order_id in orders] == [
            [("authorize", "1001", "JPY")],
            [("authorize", "1.001", "KWD")],
            [("authorize", "1001", "JPY"), ("authorize", "10.01", "USD")],
        ]
        assert {data["reason"] for order_id in orders for data in shop.world.data_of("payment", order_id)} == {
            "shipment"
        }
        assert [shop.instructed(order_id) for order_id in orders] == [[], [], []]
        for order_id in orders:
            await news(shop, order_id, 1, "authorized", authorization_id="A-2")
            assert sum(units for _, _, units in shop.instructed(order_id)) == (6 if order_id == "SO-TWO" else 3)
            await news(shop, order_id, 2, "captured", authorization_id="A-2")

        for number in (1, 2, 3):
            await gives_up(shop, "SO-JPY", number)
            await gives_up(shop, "SO-KWD", number)
            await gives_up(shop, "SO-TWO", number, "1" if number == 1 else "2")
        refunds = {order_id: shop.asked(order_id)[1:] for order_id in ("SO-JPY", "SO-KWD")}
        assert refunds["SO-JPY"] == [("refund", money, "JPY") for money in ("334", "333", "334")]
        assert refunds["SO-KWD"] == [("refund", money, "KWD") for money in ("0.334", "0.333", "0.334")]
        for order_id, total in (("SO-JPY", "1001"), ("SO-KWD", "1.001")):
            assert sum(Decimal(money) for _, money, _ in refunds[order_id]) == Decimal(total)
            await news(shop, order_id, 3, "refunded", authorization_id="A-2")
            (issued,) = shop.told(order_id, "refund_issued")
            assert [line["quantity"] for line in issued["lines"]] == [3]
        assert shop.asked("SO-TWO")[2:] == [
            ("refund", "334", "JPY"),
            ("refund", "3.34", "USD"),
            ("refund", "3.33", "USD"),
        ]
        assert {data["due_by"] for data in shop.world.data_of("payment", "SO-JPY")[1:]} == {"2026-12-07"}
        assert await shop.line("SO-JPY") == {"cancelled": 3}


async def test_a_request_at_shipment_that_nobody_answers_gives_the_units_to_the_next_in_rank(
    stack: Servers, template_database: str
) -> None:
    async with live_shop(stack, template_database, payment_authorize="shipment") as shop:
        await shop.hears("order-created", build.order("SO-1", lines=[priced("KWD")], payment=RUNS_OUT))
        await shop.hears("order-created", build.order("SO-2", placed_at="2026-11-21T11:00:00Z"))
        await shop.turn("2026-11-26")
        await shop.gets(3)
        await shop.turn("2026-11-27")
        assert shop.reasons("SO-1", "payment_action_required") == ["authorization_expired"]
        assert shop.instructed("SO-2") == []
        await shop.turn("2026-11-30")
        assert (shop.instructed("SO-1"), shop.instructed("SO-2")) == ([], [("ship", "SKU-1", 3)])
