"""What other services see: every encoding is taken in, and what goes out is what a subscriber was promised."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import orjson
import pytest

import build
from audit import audit
from bo_worker.messages.record import Message
from workload import drawn, real_orders
from world import fresh_world, placed, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
STRUCTURED = ("content-type", b"application/cloudevents+json; charset=utf-8")
EVENT = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "shop.order", "traceparent": TRACE}


def _encodings() -> dict[str, Message]:
    orders = {name: build.order(f"SO-{name}") for name in ("bare", "binary", "structured", "base64")}
    values = {name: orjson.dumps(order) for name, order in orders.items()}
    encoded = base64.b64encode(values["base64"]).decode()
    return {
        "bare": Message("order-created", b"SO-bare", values["bare"], [("traceparent", TRACE.encode())]),
        "binary": Message(
            "order-created",
            b"SO-binary",
            values["binary"],
            [
                ("ce_specversion", b"1.0"),
                ("ce_id", b"1"),
                ("ce_type", b"shop.order"),
                ("ce_source", b"/shop"),
                ("content-type", b"application/json"),
                ("ce_traceparent", TRACE.encode()),
            ],
        ),
        "structured": Message(
            "order-created",
            b"SO-structured",
            orjson.dumps(EVENT | {"data": orders["structured"]}),
            [STRUCTURED],
        ),
        "base64": Message(
            "order-created", b"SO-base64", orjson.dumps(EVENT | {"data_base64": encoded}), [STRUCTURED]
        ),
    }


async def test_every_encoding_is_taken_in_and_its_trace_goes_on(stack: Servers, template_database: str) -> None:
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(*_encodings().values())
        await world.settled()
        await audit(world)
        for name in _encodings():
            (output,) = world.of("customer-notification", f"SO-{name}")
            texts = output.texts
            assert texts.pop("ce_id") == output.data["notification_id"]
            assert texts.pop("ce_time").endswith("Z")
            assert texts == {
                "ce_specversion": "1.0",
                "ce_source": "/bo-worker",
                "ce_type": "bo.customer-notification.order_backordered.v1",
                "ce_subject": f"SO-{name}",
                "ce_dataschema": "urn:bo-worker:schema:customer-notification:v1",
                "ce_sequence": "1",
                "content-type": "application/json",
                "traceparent": TRACE,
            }


async def test_half_of_all_messages_may_come_twice(stack: Servers, template_database: str) -> None:
    inputs = drawn(5, 200)
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(*inputs[:120])
        await world.send(*inputs[::2])
        await world.send(*inputs[120:], *inputs[1:120:4])
        await world.settled()
        await audit(world)


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
