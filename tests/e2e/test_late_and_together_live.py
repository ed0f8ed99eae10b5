"""What a running worker offers for long delays, and what becomes of orders that leave together and are amended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from live_shop import live_shop

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers
    from live_shop import LiveShop

PROMISED = "2026-12-05"


async def test_compensation_comes_with_the_second_delay_or_a_long_one_and_with_no_other(
    stack: Servers, template_database: str
) -> None:
    settings = {"compensation_from_notice": 2, "compensation_from_days": 30}
    async with live_shop(stack, template_database, **settings) as shop:
        delays = {"TWICE": ["2026-12-10", "2026-12-15"], "LONG": ["2027-01-04"], "SHORT": ["2027-01-03"]}
        for sku in delays:
            await shop.is_coming(PROMISED, sku=sku)
            lines = [build.order_line("1", sku, 3), build.order_line("2", "OTHER", 1)]
            await shop.hears("order-created", build.order(f"SO-{sku}", lines=lines))
        for sku, days in delays.items():
            for number, day in enumerate(days, 1):
                await shop.is_coming(day, 1 + number, sku=sku)
                assert await shop.answer(f"RS-{sku}-{number}", "keep", f"SO-{sku}") is None
        offers = {sku: shop.told(f"SO-{sku}", "compensation_offered") for sku in delays}
        assert {sku: [offer["reason"] for offer in found] for sku, found in offers.items()} == {
            "TWICE": ["repeated_delay"],
            "LONG": ["long_delay"],
            "SHORT": [],
        }
        offered = [(line["line_id"], line["quantity"]) for line in offers["TWICE"][0]["lines"]]
        assert offered == [("1", 3)]
        assert shop.kinds("SO-TWICE").count("delay_notice") == 2
        line = build.purchase_order_line(sku="SHORT")
        withdrawn = build.purchase_order("PO-SHORT", 3, status="cancelled", lines=[line])
        await shop.hears("purchase-order-updated", withdrawn)
        assert shop.reasons("SO-SHORT", "delay_notice") == ["supplier_late", "no_date"]
        assert shop.reasons("SO-SHORT", "compensation_offered") == ["repeated_delay"]


async def placed(shop: LiveShop, order_id: str, **fields: Any) -> None:
    lines = [build.order_line("1", f"A-{order_id}", 2), build.order_line("2", "LATER", 2)]
    await shop.hears("order-created", build.order(order_id, lines=lines, **fields))
    await shop.gets(2, f"A-{order_id}", f"R-{order_id}")


async def amended(shop: LiveShop, order_id: str, **fields: Any) -> None:
    await shop.hears("order-amended", build.amendment(f"AM-{order_id}", order_id, **fields))


async def test_an_order_that_waits_for_its_rest_is_amended_to_leave_as_a_whole_sooner_or_at_once(
    stack: Servers, template_database: str
) -> None:
    async with live_shop(stack, template_database, consolidate_days=5) as shop:
        await shop.is_coming("2026-11-25", sku="LATER", quantity=8)
        orders = ["SO-PLAIN", "SO-SPLIT", "SO-URGENT", "SO-WHOLE"]
        for order_id in orders:
            await placed(shop, order_id, ship_complete=order_id == "SO-SPLIT")
        heard = {order_id: shop.kinds(order_id) for order_id in orders}
        told = {True: ["order_backordered"], False: ["order_backordered", "still_on_track"]}
        assert heard == {order_id: told[order_id == "SO-SPLIT"] for order_id in orders}
        await amended(shop, "SO-WHOLE", ship_complete=True)
        await amended(shop, "SO-URGENT", priority=9)
        await amended(shop, "SO-SPLIT", ship_complete=False)
        assert shop.reasons("SO-SPLIT", "still_on_track") == ["consolidation"]
        assert [shop.instructed(order_id) for order_id in orders] == [[]] * 4

        await shop.gets(2, "LATER", "R-1")
        assert sorted(shop.instructed("SO-URGENT")) == [("cross_dock", "LATER", 2), ("ship", "A-SO-URGENT", 2)]
        assert shop.instructed("SO-PLAIN") == []
        # The supplier let the day pass, and on the next the window of all is over.
        await shop.turn("2026-11-26")
        for order_id in ("SO-PLAIN", "SO-SPLIT"):
            assert shop.instructed(order_id) == [("ship", f"A-{order_id}", 2)]
        await shop.turn("2026-11-27")
        assert (shop.instructed("SO-WHOLE"), await shop.line("SO-WHOLE")) == ([], {"held": 2})
        await shop.gets(6, "LATER", "R-2")
        assert sorted(shop.instructed("SO-WHOLE")) == [("cross_dock", "LATER", 2), ("ship", "A-SO-WHOLE", 2)]
        assert shop.kinds("SO-WHOLE").count("backorder_filled") == 1
        (first, last) = shop.world.data_of("fulfillment", "SO-PLAIN")
        assert [first["completes_order"], last["completes_order"]] == [False, True]


async def test_an_order_that_is_amended_to_leave_in_parts_sends_at_once_what_it_holds(
    stack: Servers, template_database: str
) -> None:
    async with live_shop(stack, template_database) as shop:
        await placed(shop, "SO-1", ship_complete=True)
        assert shop.instructed("SO-1") == []
        await amended(shop, "SO-1", ship_complete=False)
        assert shop.instructed("SO-1") == [("ship", "A-SO-1", 2)]
        assert shop.kinds("SO-1") == ["order_backordered", "backorder_filled"]
