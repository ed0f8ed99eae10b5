"""Many orders and receipts at a time, drawn and real ones: nothing is lost, doubled or given to the wrong order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import build
from audit import audit
from bo_worker.app import Worker
from model import Model
from plain import in_any_order, plain_events, watch_commits
from workload import drawn, real_orders
from world import fresh_world, placed, received, running

if TYPE_CHECKING:
    from bo_worker.messages.record import Message
    from bo_worker.stack.servers import Servers


async def test_half_of_all_messages_may_come_twice(stack: Servers, template_database: str) -> None:
    inputs = drawn(5, 200, changes=60)
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(*inputs[:120])
        await world.send(*inputs[::2])
        await world.send(*inputs[120:], *inputs[1:120:4])
        await world.settled()
        await audit(world)


async def test_a_random_load_ends_as_the_plain_model_says(stack: Servers, template_database: str) -> None:
    async with fresh_world(stack, template_database, batch_records_max=7, fill_lines_max=10) as world:
        worker = Worker(world.settings)
        committed = watch_commits(worker)
        async with running(world, worker):
            await world.send(*drawn(17, 80, skus=4))
            await world.settled()
        await audit(world)
    model = Model()
    expected = [event for topic, data in committed for event in model.tell(topic, data)]
    assert in_any_order(plain_events(world.outputs)) == in_any_order(expected)


async def test_of_a_product_that_everybody_wants_exactly_what_there_is_is_given_away(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database) as world:
        wanted = [build.order(f"SO-{n}", lines=[build.order_line(quantity=1)]) for n in range(1500)]
        await world.send(*map(placed, wanted[:700]))
        await world.send(received(build.receipt(lines=[build.receipt_line(quantity=1000)])))
        await world.send(*map(placed, wanted[700:]))
        async with running(world, Worker(world.settings), Worker(world.settings)):
            await world.settled()
        await audit(world)
        assert await world.value("select sum(released)::int from bo_worker.order_line") == 1000
        assert await world.value("select sum(backordered)::int from bo_worker.order_line") == 500


@pytest.mark.parametrize("rank_by", ["placed_at", "need_by"])
async def test_real_orders_are_served_from_receipts_of_half_of_what_they_want(
    stack: Servers, template_database: str, rank_by: str
) -> None:
    orders = real_orders()
    async with fresh_world(stack, template_database, rank_by=rank_by) as world, running(world):
        await world.send(*map(placed, orders[:40]))
        await world.settled()
        await world.send(*_receipts_of_half(orders), *map(placed, orders[40:]))
        await world.settled()
        await audit(world)
        largest = max(orders, key=lambda order: len(order["lines"]))
        assert await world.value(
            "select count(*) from bo_worker.order_line where order_id = $1", largest["order_id"]
        ) == len(largest["lines"])


async def test_an_order_of_1112_lines_is_served_like_any_other(stack: Servers, template_database: str) -> None:
    lines = [line for order in real_orders() for line in order["lines"]][:1112]
    numbered = [line | {"line_id": str(number)} for number, line in enumerate(lines, 1)]
    wanted = build.order("SO-1112", lines=numbered)
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(placed(wanted))
        await world.settled()
        await world.send(*_receipts_of_half([wanted]), *_receipts_of_half([wanted], "again-"))
        await world.settled()
        await audit(world)
        (told, *filled) = world.data_of("customer-notification", "SO-1112")
        assert (told["kind"], len(told["lines"])) == ("order_backordered", 1112)
        assert filled[-1]["completes_order"]


def _receipts_of_half(orders: list[build.Data], name: str = "") -> list[Message]:
    """Receipts that bring half of what is wanted of each product, rounded up, in portions of 50 products."""
    wanted: dict[str, int] = {}
    for order in orders:
        for line in order["lines"]:
            wanted[line["sku"]] = wanted.get(line["sku"], 0) + line["quantity"]
    lines = [build.receipt_line(str(n), sku, (units + 1) // 2) for n, (sku, units) in enumerate(wanted.items())]
    return [
        received(build.receipt(f"R-{name}{first}", lines=lines[first : first + 50]))
        for first in range(0, len(lines), 50)
    ]
