"""Kinds of products and days that pass, on a running worker whose clock is moved.

The stories share the worker; each has products and orders of its own, and counts its days from the one it begins on.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

import build
from audit import audit
from bo_worker.app import Worker
from live_shop import Clock, LiveShop
from world import fresh_world, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bo_worker.stack.servers import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")

Told = tuple[str, str | None, str | None]


class Shop(LiveShop):
    """A shop whose days are counted from now."""

    @property
    def now(self) -> datetime:
        return self.clock.now

    def day(self, after: int) -> str:
        return f"{self.now.date() + timedelta(days=after)}"

    async def sells(self, sku: str, kind: str, **fields: Any) -> None:
        await self.hears("product-policy-updated", build.policy(sku, kind=kind, **fields))

    async def places(self, order_id: str, *lines: build.Data, **fields: Any) -> None:
        at = {"placed_at": self.now.isoformat()}
        await self.hears("order-created", build.order(order_id, lines=list(lines), **at | fields))

    async def expects(self, sku: str, after: int, version: int = 1, quantity: int = 9, **fields: Any) -> None:
        """Let purchase order PO-SKU say that units come on one day."""
        line = build.purchase_order_line(
            sku=sku, quantity=quantity, expected_from=self.day(after), expected_to=self.day(after)
        )
        await self.hears("purchase-order-updated", build.purchase_order(f"PO-{sku}", version, lines=[line], **fields))

    async def receives(self, sku: str, quantity: int, **fields: Any) -> None:
        line = build.receipt_line(sku=sku, quantity=quantity)
        at = {"received_at": self.now.isoformat()}
        await self.hears("inventory-received", build.receipt(f"R-{sku}/{quantity}", lines=[line], **at | fields))

    async def days_pass(self, days: int, *, until: Callable[[], Awaitable[bool]]) -> None:
        """Move the clock, and wait for what the sweep does about it."""
        self.clock.pass_days(days)
        await self.world.until(until)
        await self.world.settled()

    def promised(self, order_id: str) -> list[Told]:
        """Kind and days of what a customer was told of the first line."""
        return [
            (data["kind"], data["lines"][0]["expected_from"], data["lines"][0]["expected_to"])
            for data in self.world.data_of("customer-notification", order_id)
        ]

    def moved(self, key: str) -> list[tuple[str, dict[str, int]]]:
        """Kinds of what the warehouse was told, with units by line or SKU."""
        return [
            (data["kind"], {line.get("line_id", line["sku"]): line["quantity"] for line in data["lines"]})
            for data in self.world.data_of("fulfillment", key)
        ]

    def purchasing(self, sku: str) -> list[tuple[str, str, int]]:
        return [(data["kind"], data["reason"], data["quantity"]) for data in self.world.data_of("procurement", sku)]

    def availability(self, sku: str) -> dict[str, Any]:
        return self.world.data_of("availability-changed", sku)[-1]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(stack: Servers, template_database: str) -> AsyncIterator[Shop]:
    async with fresh_world(stack, template_database, consolidate_days=5) as world:
        clock = Clock()
        async with running(world, Worker(world.settings, clock=clock)):
            yield Shop(world, clock)
            await world.settled()
            await audit(world)


def wants(quantity: int, sku: str, line_id: str = "1", **fields: Any) -> build.Data:
    return build.order_line(line_id, sku, quantity, **fields)


async def test_orders_that_wait_when_a_supplier_takes_over_are_ordered_from_it_and_shipped(shop: Shop) -> None:
    await shop.places("SO-W1", wants(3, "W"))
    await shop.places("SO-W2", wants(1, "W"))
    await shop.sells("W", "drop_ship", lead_time_days=4)
    await shop.places("SO-W3", wants(2, "W"))
    reorders = [data for data in shop.world.data_of("procurement", "W") if data["kind"] == "reorder"]
    asked = sorted((data["order_id"], data["quantity"], data["reason"]) for data in reorders)
    assert asked == [("SO-W1", 3, "drop_ship"), ("SO-W2", 1, "drop_ship"), ("SO-W3", 2, "drop_ship")]
    for number, quantity in ((1, 3), (2, 1), (3, 2)):
        left = build.shipment_line("1", "W", quantity)
        await shop.hears(
            "shipment-dispatched", build.shipment(f"S-W{number}", order_id=f"SO-W{number}", lines=[left])
        )
        assert shop.kinds(f"SO-W{number}") == ["order_backordered", "shipped"]
        assert await shop.line(f"SO-W{number}") == {"shipped": quantity}


async def deliveries(shop: Shop, supplier_id: str, *days_late: int) -> None:
    """Let a supplier have delivered, so many days after its word."""
    numbers = range(1, len(days_late) + 1)
    lines = [
        build.purchase_order_line(str(number), "OLD", 1, expected_from=shop.day(-late), expected_to=shop.day(-late))
        for number, late in zip(numbers, days_late, strict=True)
    ]
    old = build.purchase_order(f"PO-{supplier_id}", supplier_id=supplier_id, lines=lines)
    await shop.hears("purchase-order-updated", old)
    came = [build.receipt_line(str(number), "OLD", 1, purchase_order_line_id=str(number)) for number in numbers]
    at = {"received_at": shop.now.isoformat(), "purchase_order_id": f"PO-{supplier_id}"}
    await shop.hears("inventory-received", build.receipt(f"R-{supplier_id}", lines=came, **at))


async def test_of_a_manufacturer_the_word_of_the_supplier_is_the_day_and_nothing_else(shop: Shop) -> None:
    """Of a product that is sold in the ordinary way, the same supplier would not be believed."""
    await deliveries(shop, "SUP-M", *[3] * 9)
    await shop.sells("M", "manufacturer", lead_time_days=2)
    await shop.sells("N", "standard", lead_time_days=2)
    for sku in ("M", "N"):
        await shop.places(f"SO-{sku}", wants(2, sku))
        await shop.expects(sku, 20, supplier_id="SUP-M")
    assert shop.promised("SO-N")[0] == ("order_backordered", shop.day(2), shop.day(2))
    assert shop.promised("SO-N")[1] == ("expected_date_changed", shop.day(20), shop.day(23))
    assert shop.promised("SO-M") == [
        ("order_backordered", None, None),
        ("expected_date_changed", shop.day(20), shop.day(20)),
    ]
    await shop.expects("M", 25, 2, supplier_id="SUP-M")
    assert shop.promised("SO-M")[2:] == [
        ("expected_date_changed", shop.day(25), shop.day(25)),
        ("delay_notice", shop.day(25), shop.day(25)),
    ]
    for sku in ("M", "N"):
        await shop.receives(sku, 9, purchase_order_id=f"PO-{sku}")
        assert shop.promised(f"SO-{sku}")[-1][0] == "backorder_filled"


async def test_without_a_day_only_those_wait_who_agree_to_it_and_others_join_the_waitlist(shop: Shop) -> None:
    await shop.sells("I", "indefinite", lead_time_days=2)
    await shop.places("SO-I1", wants(2, "I"))
    assert shop.kinds("SO-I1") == ["order_rejected"]
    assert ("demand_signal", "out_of_stock", 2) in shop.purchasing("I")
    assert shop.availability("I")["state"] == "out_of_stock"
    await shop.hears("waitlist-joined", build.waitlist_entry("W-I", "I", quantity=2))
    await shop.places("SO-I2", wants(2, "I", backorder="allow"))
    await shop.expects("I", 3)
    assert shop.promised("SO-I2") == [("order_backordered", None, None)]
    await shop.receives("I", 5, purchase_order_id="PO-I")
    assert shop.kinds("SO-I2") == ["order_backordered", "backorder_filled"]
    assert shop.kinds("W-I") == ["back_in_stock"]
    assert shop.availability("I")["state"] == "in_stock"


async def test_what_a_supplier_ships_itself_touches_no_stock_and_nothing_waits_for_it(shop: Shop) -> None:
    await shop.sells("D", "drop_ship", lead_time_days=3)
    await shop.receives("HERE", 4)
    await shop.places("SO-D1", wants(2, "D"), wants(2, "HERE", "2"))
    (ordered,) = shop.world.data_of("procurement", "D")
    assert (ordered["kind"], ordered["reason"], ordered["quantity"]) == ("reorder", "drop_ship", 2)
    assert (ordered["order_id"], ordered["needed_by"]) == ("SO-D1", shop.day(3))
    assert shop.promised("SO-D1") == [("order_backordered", shop.day(3), shop.day(3))]
    assert shop.moved("SO-D1") == [("ship", {"2": 2})]
    await shop.places("SO-D2", wants(1, "D"), wants(2, "HERE", "2"), ship_complete=True)
    assert shop.moved("SO-D2") == []
    await shop.receives("D", 9)
    assert shop.availability("D")["available"] == 0
    assert shop.kinds("SO-D1") == ["order_backordered"]
    for number, quantity in ((1, 2), (2, 1)):
        left = build.shipment_line("1", "SUP-1", quantity)
        await shop.hears("shipment-dispatched", build.shipment(f"S-{number}", order_id=f"SO-D{number}", lines=[left]))
    assert shop.kinds("SO-D1") == ["order_backordered", "shipped"]
    assert shop.kinds("SO-D2") == ["order_backordered", "shipped", "backorder_filled"]
    assert shop.moved("SO-D2") == [("ship", {"2": 2})]
    stock = await shop.world.fetch("select on_hand, allocated, available from bo_worker.stock_status where sku = 'D'")
    assert [tuple(row) for row in stock] == [(9, 0, 0)]


async def test_what_is_made_to_order_is_asked_for_by_each_order_and_promised_the_lead_time(shop: Shop) -> None:
    await shop.sells("T", "made_to_order", lead_time_days=12)
    for number in (1, 2):
        await shop.places(f"SO-T{number}", wants(number, "T"))
        assert shop.promised(f"SO-T{number}") == [("order_backordered", shop.day(12), shop.day(12))]
    asked = [(data["reason"], data["order_id"], data["quantity"]) for data in shop.world.data_of("procurement", "T")]
    assert asked == [("made_to_order", "SO-T1", 1), ("made_to_order", "SO-T2", 2)]
    await shop.expects("T", 9, quantity=1)
    assert shop.promised("SO-T1")[1:] == [("expected_date_changed", shop.day(9), shop.day(9))]
    assert len(shop.promised("SO-T2")) == 1
    await shop.receives("T", 1, purchase_order_id="PO-T")
    assert shop.moved("SO-T1") == [("cross_dock", {"1": 1})]
    assert shop.moved("SO-T2") == []
    await shop.receives("T", 2)
    assert shop.moved("SO-T2") == [("cross_dock", {"1": 2})]


async def test_pre_orders_are_taken_up_to_a_limit_for_the_release_and_served_by_what_comes_early(shop: Shop) -> None:
    release = shop.day(6)
    await shop.sells("E", "pre_order", release_on=release, backorder_limit=4)
    await shop.places("SO-E2", wants(2, "E"))
    await shop.places("SO-E1", wants(2, "E"), priority=1)
    await shop.places("SO-E3", wants(1, "E"))
    assert shop.promised("SO-E2") == shop.promised("SO-E1") == [("order_backordered", release, release)]
    assert [data["reason"] for data in shop.world.data_of("customer-notification", "SO-E3")] == ["backorder_limit"]
    assert shop.availability("E")["state"] == "out_of_stock"
    await shop.receives("E", 3)
    assert shop.moved("SO-E1") == [("cross_dock", {"1": 2})]
    assert shop.moved("SO-E2") == [("cross_dock", {"1": 1})]
    assert shop.availability("E")["state"] == "pre_order"

    async def is_released() -> bool:
        return bool(await shop.world.value("select phase = 'open' from bo_worker.product where sku = 'E'"))

    await shop.days_pass(6, until=is_released)
    assert shop.availability("E")["state"] == "backorderable"
    await shop.receives("E", 1)
    assert shop.moved("SO-E2")[1:] == [("cross_dock", {"1": 1})]


async def test_backorders_close_when_too_many_give_up_and_open_only_well_below_the_limit(shop: Shop) -> None:
    """Seven of thirty would close nothing, but are too many to open again."""
    await shop.sells("C", "standard", cancellation_rate_limit=0.25)
    first = shop.now.date()

    async def reviewed() -> bool:
        due = "select not exists (select from bo_worker.product where sku = 'C' and review_on <= $1)"
        return bool(await shop.world.value(due, shop.now.date()))

    async def gives_up(number: int, quantity: int) -> None:
        cancelled = build.cancellation(
            f"X-C{number}", f"SO-C{number}", lines=[{"line_id": "1", "quantity": quantity}]
        )
        await shop.hears("order-cancelled", cancelled)

    await shop.places("SO-C1", wants(10, "C"))
    await gives_up(1, 5)
    await shop.days_pass(1, until=reviewed)
    await shop.places("SO-C2", wants(30, "C"))
    assert shop.availability("C")["state"] == "backorderable"
    await gives_up(2, 7)
    assert shop.purchasing("C")[-1] == ("demand_signal", "closed_cancellation_rate", 28)
    assert shop.availability("C")["state"] == "out_of_stock"
    await shop.places("SO-C3", wants(1, "C", backorder="allow"))
    assert shop.kinds("SO-C3") == ["order_rejected"]
    await shop.days_pass(27, until=reviewed)
    assert (shop.now.date() - first).days == 28
    assert shop.availability("C")["state"] == "out_of_stock"
    await shop.days_pass(1, until=reviewed)
    assert shop.purchasing("C")[-1] == ("demand_signal", "opened", 28)
    assert shop.availability("C")["state"] == "backorderable"
    await shop.places("SO-C4", wants(1, "C"))
    assert shop.kinds("SO-C4") == ["order_backordered"]


async def test_a_customer_is_asked_before_the_told_day_passes_where_the_past_of_the_supplier_says_so(
    shop: Shop,
) -> None:
    """Two of twenty deliveries came later than a day after the word: one five days, one twenty.

    What is late already is expected three days later than that, so that it need not be told anew every day.
    """
    await deliveries(shop, "SUP-L", *[0] * 17, 1, 5, 20)
    await shop.expects("L", 2, supplier_id="SUP-L")
    await shop.places("SO-L", wants(2, "L"))
    word, told, late = shop.day(2), shop.day(7), shop.day(25)
    assert shop.promised("SO-L") == [("order_backordered", word, told)]

    async def asked() -> bool:
        return bool(
            await shop.world.value("select exists (select from bo_worker.delay_notice where order_id = 'SO-L')")
        )

    await shop.days_pass(4, until=asked)
    assert shop.day(0) < told
    notice = next(
        data for data in shop.world.data_of("customer-notification", "SO-L") if data["kind"] == "delay_notice"
    )
    assert (notice["reason"], notice["lines"][0]["expected_to"]) == ("supplier_late", late)
    assert notice["options"] == ["keep", "cancel"]


async def test_where_nothing_told_of_a_delay_the_customer_is_asked_as_the_day_ends(shop: Shop) -> None:
    """A day ends at midnight UTC; goods that come in its last minute come in time."""
    await shop.expects("P", 3)
    await shop.places("SO-P", wants(2, "P"))
    day = shop.now.date() + timedelta(days=3)
    promised = ("order_backordered", f"{day}", f"{day}")

    async def looked_at() -> bool:
        return bool(await shop.world.value("select ended_on >= $1 from bo_worker.delay_walk", shop.now.date()))

    async def asked() -> bool:
        return bool(
            await shop.world.value("select exists (select from bo_worker.delay_notice where order_id = 'SO-P')")
        )

    last_second = datetime.combine(day, time(23, 59, 59), UTC)
    shop.clock.now = last_second
    await shop.days_pass(0, until=looked_at)
    assert shop.promised("SO-P") == [promised]
    shop.clock.now += timedelta(seconds=1)
    await shop.days_pass(0, until=asked)
    assert shop.promised("SO-P") == [promised, ("expected_date_changed", None, None), ("delay_notice", None, None)]
    assert shop.world.data_of("customer-notification", "SO-P")[-1]["reason"] == "no_date"
    assert ("expedite", "promise_at_risk", 2) in shop.purchasing("P")
    await shop.receives("P", 9, purchase_order_id="PO-P")
    assert shop.kinds("SO-P")[3:] == ["backorder_filled"]
