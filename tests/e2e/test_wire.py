"""What other services see: every encoding is taken in, and what goes out is what a subscriber was promised."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import orjson

import build
from audit import audit
from bo_worker.messages.record import Message
from world import fresh_world, running

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
