"""A truck on its way, from the plans of whom it will serve to the dock, on running workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from audit import audit
from world import World, fresh_world, message, placed, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


def order(order_id: str, quantity: int, **fields: Any) -> build.Data:
    return build.order(order_id, lines=[build.order_line(quantity=quantity)], **fields)


def told(world: World, order_id: str) -> list[tuple[str, int | None, int]]:
    """What the warehouse was told of an order: the kind or the state of a plan, its revision, units."""
    return [
        (data.get("status", data["kind"]), data.get("revision"), data["lines"][0]["quantity"])
        for data in world.data_of("fulfillment", order_id)
    ]


async def test_a_truck_is_planned_and_at_the_dock_rank_is_the_law(stack: Servers, template_database: str) -> None:
    far = {"expected_from": "2036-12-01", "expected_to": "2036-12-05"}
    line = build.purchase_order_line(quantity=6, **far)
    on_its_way = build.purchase_order("PO-1", status="in_transit", lines=[line])
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(placed(order("SO-1", 4)), placed(order("SO-2", 2)))
        await world.settled()
        await world.send(message("purchase-order-updated", on_its_way))
        await world.settled()
        assert told(world, "SO-1") == [("planned", 1, 4)]
        assert told(world, "SO-2") == [("planned", 1, 2)]
        await world.send(placed(order("SO-9", 3, priority=9)))
        await world.settled()
        assert told(world, "SO-9") == [("planned", 1, 3)]
        assert told(world, "SO-1") == [("planned", 1, 4), ("planned", 2, 3)]
        assert told(world, "SO-2") == [("planned", 1, 2), ("withdrawn", 2, 2)]
        goods = build.receipt("R-1", lines=[build.receipt_line(quantity=6)], purchase_order_id="PO-1")
        await world.send(received(goods))
        await world.settled()
        assert told(world, "SO-9")[1:] == [("cross_dock", None, 3)]
        assert told(world, "SO-1")[2:] == [("cross_dock", None, 3)]
        assert told(world, "SO-2")[2:] == []
        assert await world.value("select count(*) from bo_worker.cross_dock_plan") == 0
        await audit(world)
