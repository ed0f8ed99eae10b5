"""A delay on a running worker: the notice, and the customer's answer with the token that came with it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import build
from audit import audit
from bo_worker.app import Worker
from live_shop import Clock
from world import World, fresh_world, message, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def sent(world: World, topic: str, data: build.Data) -> None:
    await world.send(message(topic, data))
    await world.settled()


async def told(world: World, order_id: str, kind: str) -> list[dict[str, Any]]:
    """Wait until the customer of an order was told something, and return all that is of this kind."""

    async def is_told() -> bool:
        await world.read_outputs()
        return bool(named(world, order_id, kind))

    await world.until(is_told)
    return named(world, order_id, kind)


def named(world: World, order_id: str, kind: str) -> list[dict[str, Any]]:
    return [data for data in world.data_of("customer-notification", order_id) if data["kind"] == kind]


def coming(version: int, day: str) -> build.Data:
    line = build.purchase_order_line(quantity=9, expected_from=day, expected_to=day)
    return build.purchase_order("PO-1", version, lines=[line])


async def test_a_customer_who_is_told_of_a_delay_cancels_keeps_or_says_nothing(
    stack: Servers, template_database: str
) -> None:
    clock = Clock()
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=clock)):
        await sent(world, "purchase-order-updated", coming(1, "2026-12-05"))
        for order_id in ("SO-1", "SO-2", "SO-3"):
            await sent(world, "order-created", build.order(order_id, ship_to_country="US"))
        await sent(world, "purchase-order-updated", coming(2, "2027-01-20"))
        tokens = {
            order_id: (await told(world, order_id, "delay_notice"))[0]["token"] for order_id in ("SO-1", "SO-2")
        }
        at = {"responded_at": "2026-11-21T13:00:00Z"}
        for number, choice in ((1, "cancel"), (2, "keep")):
            order_id = f"SO-{number}"
            answer = build.response(f"RS-{number}", choice, order_id=order_id, token=tokens[order_id], **at)
            await sent(world, "customer-response", answer)
        assert [data["reason"] for data in await told(world, "SO-1", "order_cancelled")] == ["customer"]
        clock.now += timedelta(days=12)
        assert [data["reason"] for data in await told(world, "SO-3", "order_cancelled")] == ["no_consent"]
        await sent(world, "inventory-received", build.receipt(lines=[build.receipt_line(quantity=9)]))
        assert [len(named(world, order_id, "backorder_filled")) for order_id in tokens] == [0, 1]
        outcomes = await world.fetch("select order_id, outcome from bo_worker.delay_notice order by order_id")
        assert [tuple(row) for row in outcomes] == [
            ("SO-1", "cancelled"),
            ("SO-2", "kept"),
            ("SO-3", "cancelled_by_silence"),
        ]
        await audit(world)
