"""Customers who wait hear why and that their day holds, and get their order in one piece, from running workers."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import build
from audit import audit
from bo_worker.app import Worker
from live_shop import Clock
from world import World, fresh_world, message, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def ordered(world: World, purchase_order_id: str, sku: str, day: str) -> None:
    line = build.purchase_order_line(sku=sku, quantity=2, expected_from=day, expected_to=day)
    await world.send(message("purchase-order-updated", build.purchase_order(purchase_order_id, lines=[line])))
    await world.settled()


async def came(world: World, purchase_order_id: str, sku: str) -> None:
    line = build.receipt_line(sku=sku, quantity=2)
    fields = {"purchase_order_id": purchase_order_id, "received_at": "2026-11-23T08:00:00Z"}
    await world.send(received(build.receipt(f"R-{purchase_order_id}", lines=[line], **fields)))
    await world.settled()


async def placed(world: World, order_id: str, *skus: str) -> None:
    lines = [build.order_line(str(number), sku, 2) for number, sku in enumerate(skus, 1)]
    await world.send(message("order-created", build.order(order_id, lines=lines)))
    await world.settled()


async def heard(world: World, order_id: str, count: int) -> list[tuple[str, str | None]]:
    """Kinds and reasons of what a customer heard, once there are so many."""

    async def is_told() -> bool:
        await world.read_outputs()
        return len(world.data_of("customer-notification", order_id)) >= count

    await world.until(is_told)
    return [(data["kind"], data["reason"]) for data in world.data_of("customer-notification", order_id)]


def instructed(world: World, order_id: str) -> list[tuple[str, list[Any]]]:
    """Kinds and SKUs of what the warehouse was told about an order."""
    return [
        (data["kind"], [line["sku"] for line in data["lines"]]) for data in world.data_of("fulfillment", order_id)
    ]


async def test_an_order_leaves_in_one_piece_or_when_its_time_is_over(stack: Servers, template_database: str) -> None:
    clock, settings = Clock(), {"consolidate_days": 5}
    async with (
        fresh_world(stack, template_database, **settings) as world,
        running(world, Worker(world.settings, clock=clock)),
    ):
        for number in (1, 2):
            await ordered(world, f"PO-A{number}", f"A{number}", "2026-11-23")
            await ordered(world, f"PO-B{number}", f"B{number}", "2026-11-26")
            await placed(world, f"SO-{number}", f"A{number}", f"B{number}")
            await came(world, f"PO-A{number}", f"A{number}")
        why = [("order_backordered", None), ("still_on_track", "consolidation")]
        assert await heard(world, "SO-1", 2) == await heard(world, "SO-2", 2) == why
        assert instructed(world, "SO-1") == instructed(world, "SO-2") == []
        await came(world, "PO-B1", "B1")
        assert await heard(world, "SO-1", 3) == [*why, ("backorder_filled", None)]
        assert sorted(instructed(world, "SO-1")) == [("cross_dock", ["B1"]), ("ship", ["A1"])]
        clock.now += timedelta(days=6)
        told = await heard(world, "SO-2", 5)
        assert told[:2] == why
        assert sorted(kind for kind, _ in told[2:]) == [
            "backorder_filled",
            "delay_notice",
            "expected_date_changed",
        ]
        assert instructed(world, "SO-2") == [("ship", ["A2"])]
        await world.settled()
        await audit(world)


async def test_a_customer_hears_each_week_that_the_day_holds(stack: Servers, template_database: str) -> None:
    clock, settings = Clock(), {"on_track_days": 7}
    async with (
        fresh_world(stack, template_database, **settings) as world,
        running(world, Worker(world.settings, clock=clock)),
    ):
        await ordered(world, "PO-1", "SKU-1", "2026-12-20")
        await placed(world, "SO-1", "SKU-1")
        for week in (1, 2):
            clock.now += timedelta(days=7)
            told = await heard(world, "SO-1", 1 + week)
            assert told == [("order_backordered", None), *[("still_on_track", None)] * week]
        await came(world, "PO-1", "SKU-1")
        assert (await heard(world, "SO-1", 4))[3:] == [("backorder_filled", None)]
        await audit(world)
