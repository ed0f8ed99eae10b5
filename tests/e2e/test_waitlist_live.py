"""The waitlist on a running worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from audit import audit
from bo_worker.app import Worker
from world import World, fresh_world, message, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def sent(world: World, topic: str, data: build.Data) -> None:
    await world.send(message(topic, data))
    await world.settled()


def told(world: World, entry_id: str) -> list[tuple[str, Any, int]]:
    return [
        (data["kind"], data["order_id"], data["lines"][0]["quantity"])
        for data in world.data_of("customer-notification", entry_id)
    ]


async def test_who_joined_hears_when_the_queue_leaves_units_free(stack: Servers, template_database: str) -> None:
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings)):
        await sent(world, "order-created", build.order(lines=[build.order_line(quantity=3)]))
        await sent(world, "waitlist-joined", build.waitlist_entry("W-1", quantity=2))
        await sent(world, "waitlist-joined", build.waitlist_entry("W-2"))
        await sent(world, "inventory-received", build.receipt("R-1", lines=[build.receipt_line(quantity=3)]))
        assert told(world, "W-1") == []
        await sent(world, "inventory-received", build.receipt("R-2", lines=[build.receipt_line(quantity=2)]))
        assert told(world, "W-1") == [("back_in_stock", None, 2)]
        assert told(world, "W-2") == []
        await sent(world, "inventory-received", build.receipt("R-3", lines=[build.receipt_line(quantity=5)]))
        assert told(world, "W-1") == [("back_in_stock", None, 2)]
        assert told(world, "W-2") == [("back_in_stock", None, 1)]
        await audit(world)
