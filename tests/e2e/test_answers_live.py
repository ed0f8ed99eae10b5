"""Customers answer the notices of delays: what a running worker makes of each answer, good or bad."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from live_shop import decided, live_shop, turned_down

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.stack.servers import Servers
    from live_shop import LiveShop

LATER = "2026-12-01T00:00:00Z"
# What is kept as evidence of answers that were refused, by order.
TURNED_DOWN = {
    "SO-1": [
        *[(f"RS-{number}", "cancel", "wrong_token") for number in (1, 2, 3, 4)],
        ("RS-7", "switch", "substitute_missing"),
        ("RS-8", "keep", "answer_late"),
        ("RS-9", "keep", "token_used"),
    ],
    "SO-3": [],
    "SO-4": [("RS-11", "keep", "answer_late")],
}


def bad_answers(shop: LiveShop) -> list[build.Data]:
    mine, others = shop.token("SO-1"), shop.token("SO-2")
    forged = mine[:-1] + ("A" if mine[-1] != "A" else "B")
    return [
        shop.response("RS-1", "cancel", "SO-1", token="no token"),  # noqa: S106 - the wrong one
        shop.response("RS-2", "cancel", "SO-1", token=forged),
        shop.response("RS-3", "cancel", "SO-1", token=others),
        shop.response("RS-4", "cancel", "SO-1", line_id="9"),
        shop.response("RS-6", "cancel", "SO-9", token=others),
        shop.response("RS-7", "switch", "SO-1"),
        shop.response("RS-8", "keep", "SO-1", responded_at=LATER),
    ]


async def test_each_wrong_answer_has_its_code_and_harms_nobody_else(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database) as shop:
        orders = [f"SO-{number}" for number in range(1, 6)]
        await shop.is_coming("2026-12-05")
        await shop.hears("order-created", *(build.order(order_id, ship_to_country="BR") for order_id in orders))
        await shop.is_coming("2027-02-01", 2)
        heard = shop.kinds("SO-1")
        (*bad, last) = bad_answers(shop)
        refused = await shop.answers(*bad, shop.response("RS-5", "cancel", "SO-2"), last)
        assert refused == [
            *[(f"RS-{number}", "wrong_token") for number in (1, 2, 3, 4)],
            ("RS-6", "unknown_order"),
            ("RS-7", "substitute_missing"),
            ("RS-8", "answer_late"),
        ]
        assert (shop.kinds("SO-1"), shop.reasons("SO-2", "order_cancelled")) == (heard, ["customer"])

        # What was refused left both the token and the id of the answer unused.
        good = shop.response("RS-2", "keep", "SO-1", responded_at="2026-11-24T08:00:00Z")
        again = [good | {"response_id": "RS-9"}, good | {"choice": "cancel"}]
        assert await shop.answers(good, good, *again) == [("RS-2", "conflict"), ("RS-9", "token_used")]

        # It crosses with the units that it gives up.
        await shop.gets(6)
        assert await shop.answer("RS-10", "cancel", "SO-3") is None
        await shop.turn("2026-11-28")
        early = "2026-11-22T00:00:00Z"
        assert await shop.answer("RS-11", "keep", "SO-4", responded_at=early) == "answer_late"
        evidence = {order_id: await shop.evidence(order_id, tmp_path) for order_id in ("SO-1", "SO-3", "SO-4")}
        assert {order_id: decided(found) for order_id, found in evidence.items()} == {
            "SO-1": [("RS-2", "keep", "kept")],
            "SO-3": [("RS-10", "cancel", "filled")],
            "SO-4": [(None, None, "cancelled_by_silence")],
        }
        assert evidence["SO-1"]["notices"][0]["answered_at"] == "2026-11-24T08:00:00Z"
        assert {order_id: turned_down(found) for order_id, found in evidence.items()} == TURNED_DOWN
        filled = [("cross_dock", "SKU-1", 3)]
        assert [shop.instructed(order_id) for order_id in orders] == [filled, [], filled, [], []]
        assert [shop.reasons(order_id, "order_cancelled") for order_id in orders] == [
            *([], ["customer"], []),
            *[["no_consent"]] * 2,
        ]


async def switch(shop: LiveShop, response_id: str, order_id: str, sku: str, **fields: Any) -> str | None:
    return await shop.answer(response_id, "switch", order_id, substitute_sku=sku, **fields)


async def test_a_customer_switches_or_is_asked_again_where_the_substitute_is_gone_or_the_money_is_not_there(
    stack: Servers, template_database: str, tmp_path: Path
) -> None:
    async with live_shop(stack, template_database) as shop:
        await shop.hears("product-policy-updated", build.policy(substitutes=["SKU-2", "SKU-3"]))
        await shop.gets(3, "SKU-2", "R-2")
        await shop.gets(6, "SKU-3", "R-3")
        await shop.is_coming("2026-12-05")
        await shop.hears("order-created", build.order("SO-1"), build.order("SO-2"))
        priced = build.order_line(unit_price={"amount": "19.90", "currency": "USD"})
        money = {"authorization_id": "A-1", "capture_before": "2027-06-01T00:00:00Z"}
        await shop.hears("order-created", build.order("SO-3", lines=[priced], payment=money))
        await shop.is_coming("2026-12-20", 2)
        (offer,) = shop.told("SO-2", "substitute_offered")
        assert [one["sku"] for one in offer["substitutes"]] == ["SKU-2", "SKU-3"]

        assert await switch(shop, "RS-1", "SO-1", "SKU-2") is None
        assert shop.instructed("SO-1") == [("ship", "SKU-2", 3)]
        assert shop.kinds("SO-1")[-1] == "backorder_filled"
        first = shop.token("SO-2")
        assert await switch(shop, "RS-2", "SO-2", "SKU-2") is None
        assert shop.reasons("SO-2", "delay_notice") == ["supplier_late", "substitute_gone"]
        offered = shop.told("SO-2", "substitute_offered")[-1]["substitutes"]
        assert [one["sku"] for one in offered] == ["SKU-3"]
        assert await switch(shop, "RS-3", "SO-2", "SKU-3", token=first) == "token_used"
        assert await switch(shop, "RS-4", "SO-2", "SKU-3") is None
        assert shop.instructed("SO-2") == [("ship", "SKU-3", 3)]
        assert decided(await shop.evidence("SO-2", tmp_path)) == [
            ("RS-2", "switch", "substitute_gone"),
            ("RS-4", "switch", "switched"),
        ]

        failed = build.payment("P-1", "failed", order_id="SO-3", occurred_at="2026-11-21T11:00:00Z")
        await shop.hears("payment-updated", failed)
        await shop.turn("2026-11-25")
        assert await switch(shop, "RS-5", "SO-3", "SKU-3") is None
        asked = shop.told("SO-3", "payment_action_required")
        assert [one["respond_by"] for one in asked] == ["2026-11-24T12:00:00Z", None]
        assert (shop.instructed("SO-3"), len(shop.told("SO-3", "delay_notice"))) == ([], 1)
        paid = build.payment("P-2", order_id="SO-3", authorization_id="A-2", occurred_at="2026-11-25T11:00:00Z")
        await shop.hears("payment-updated", paid)
        await shop.turn("2026-11-26")
        assert shop.reasons("SO-3", "delay_notice") == ["supplier_late"] * 2
        assert await switch(shop, "RS-6", "SO-3", "SKU-3") is None
        assert shop.instructed("SO-3") == [("ship", "SKU-3", 3)]
        assert (shop.asked("SO-3"), await shop.line("SO-3", "1/1")) == ([], {"released": 3})
