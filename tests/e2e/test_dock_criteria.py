"""What leaves from the dock and what is put away first, on a running worker that was given every criterion.

The stories share the worker; each has products, orders and a truck of its own, and meets just one of the criteria.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

import build
from audit import audit
from bo_worker.app import Worker
from world import World, fresh_world, message, placed, received, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.stack.servers import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
CRITERIA = {
    "cross_dock_orders_max": 2,
    "cross_dock_share_min": 0.5,
    "cross_dock_hours_min": 2,
    "cross_dock_hours_max": 48,
    "cross_dock_shelf_days_min": 10,
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(stack: Servers, template_database: str) -> AsyncIterator[World]:
    async with (
        fresh_world(stack, template_database, **CRITERIA) as found,
        running(found, Worker(found.settings, clock=lambda: NOON)),
    ):
        yield found
        await found.settled()
        await audit(found)


async def ordered(world: World, sku: str, *wanted: int, **fields: Any) -> None:
    """Place orders SKU/1, SKU/2, … one after the other in rank, each for so many units."""
    orders = [
        build.order(f"{sku}/{number}", lines=[build.order_line("1", sku, quantity)], **fields)
        for number, quantity in enumerate(wanted, 1)
    ]
    await world.send(*map(placed, orders))
    await world.settled()


async def on_its_way(world: World, sku: str, quantity: int) -> None:
    line = build.purchase_order_line(sku=sku, quantity=quantity, expected_from="2026-12-04", expected_to="2026-12-04")
    truck = build.purchase_order(f"PO-{sku}", status="in_transit", lines=[line])
    await world.send(message("purchase-order-updated", truck))
    await world.settled()


async def came(world: World, sku: str, *lines: build.Data) -> None:
    """Let the truck come; what is sent off and what is put away are together what was received."""
    fields = {"purchase_order_id": f"PO-{sku}", "received_at": "2026-12-04T00:00:00Z"}
    receipt_id = f"R-{sku}"
    await world.send(received(build.receipt(receipt_id, lines=list(lines), **fields)))
    await world.settled()
    moved = [
        line["quantity"]
        for output in world.outputs
        if output.topic == "fulfillment" and output.data.get("receipt_id") == receipt_id
        for line in output.data["lines"]
    ]
    assert sum(moved) == sum(line["quantity"] for line in lines)


def told(world: World, key: str) -> list[tuple[str, int]]:
    """What the warehouse was told of an order or receipt: kind, or what became of the plan, and units."""
    return [
        (data.get("status", data["kind"]), sum(line["quantity"] for line in data["lines"]))
        for data in world.data_of("fulfillment", key)
    ]


async def test_an_order_that_leaves_too_soon_or_too_late_after_the_arrival_is_put_away(world: World) -> None:
    """The truck comes at some time on the fourth; at its arrival it is midnight."""
    needs = ["2026-12-04T01:00:00Z", "2026-12-20T00:00:00Z", "2026-12-05T12:00:00Z", "2026-12-06T12:00:00Z", None]
    for number, need_by in enumerate(needs, 1):
        order = build.order(f"H/{number}", lines=[build.order_line("1", "H", 1)], need_by=need_by)
        await world.send(placed(order))
    await world.settled()
    await on_its_way(world, "H", 5)
    assert [told(world, f"H/{number}") for number in range(1, 6)] == [
        [],
        [],
        [("planned", 1)],
        [("planned", 1)],
        [],
    ]
    await came(world, "H", build.receipt_line("1", "H", 5))
    assert [told(world, f"H/{number}")[-1] for number in range(1, 6)] == [
        ("ship", 1),
        ("ship", 1),
        ("cross_dock", 1),
        ("ship", 1),
        ("cross_dock", 1),
    ]
    assert told(world, "R-H") == [("put_away", 3)]


async def test_a_small_share_of_a_line_is_put_away(world: World) -> None:
    await ordered(world, "S", 3, 5)
    await on_its_way(world, "S", 5)
    assert (told(world, "S/1"), told(world, "S/2")) == ([("planned", 3)], [])
    await came(world, "S", build.receipt_line("1", "S", 5))
    assert told(world, "S/1")[1:] == [("cross_dock", 3)]
    assert told(world, "S/2") == [("ship", 2)]
    assert told(world, "R-S") == [("put_away", 2)]


async def test_only_so_many_orders_leave_from_the_dock_and_rank_says_which_and_who_is_served(world: World) -> None:
    await ordered(world, "O", 2, 2, 2)
    await on_its_way(world, "O", 6)
    assert [told(world, f"O/{number}") for number in (1, 2, 3)] == [[("planned", 2)], [("planned", 2)], []]
    urgent = build.order("O/9", lines=[build.order_line("1", "O", 2)], priority=9)
    await world.send(placed(urgent))
    await world.settled()
    assert told(world, "O/9") == [("planned", 2)]
    assert told(world, "O/2")[1:] == [("withdrawn", 2)]
    await came(world, "O", build.receipt_line("1", "O", 6))
    assert [told(world, f"O/{number}")[-1] for number in (9, 1, 2)] == [
        ("cross_dock", 2),
        ("cross_dock", 2),
        ("ship", 2),
    ]
    assert told(world, "O/3") == []
    assert told(world, "R-O") == [("put_away", 2)]
    assert await world.value("select sum(backordered) from bo_worker.backorder_queue where sku = 'O'") == 2


async def test_a_lot_that_expires_too_soon_is_put_away(world: World) -> None:
    """A plan knows of no lots yet. The fresh one goes first, as it may leave at once."""
    await ordered(world, "L", 3, 1)
    await on_its_way(world, "L", 5)
    assert (told(world, "L/1"), told(world, "L/2")) == ([("planned", 3)], [("planned", 1)])
    stale = build.receipt_line("1", "L", 3, lot="L-OLD", expires_on="2026-12-13")
    fresh = build.receipt_line("2", "L", 2, lot="L-NEW", expires_on="2026-12-14")
    await came(world, "L", stale, fresh)
    assert told(world, "L/1")[1:] == [("cross_dock", 2), ("ship", 1)]
    assert told(world, "L/2")[1:] == [("ship", 1)]
    (stored,) = world.data_of("fulfillment", "R-L")
    assert stored["lines"] == [{"sku": "L", "quantity": 3, "lot": "L-OLD"}]
