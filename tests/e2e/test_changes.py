"""What becomes of orders and stock that change: one story per capability, through the real servers and one worker."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

import build
import shapes
from audit import audit
from conftest import administer, database_named, topics_dropped
from world import DEAD_LETTER_TOPICS, World, message, opened_world, running, world_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.stack.servers import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")

Event = tuple[str, str, str, dict[str, int]]
"""Kind, message key, the location or "", units by line."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(stack: Servers, template_database: str) -> AsyncIterator[World]:
    """A world with one worker, which all stories share; each has its own products and orders."""
    name = f"bo_worker_changes_{secrets.token_hex(4)}"
    await administer(stack.database_url, f"create database {name} template {template_database}")
    database_url = database_named(stack.database_url, name)
    settings = world_settings(stack.bootstrap_servers, database_url, f"{name}.")
    async with opened_world(settings) as found, running(found):
        yield found
    await topics_dropped(stack, settings.topic_prefix)
    await administer(stack.database_url, f"drop database {name} with (force)")


async def told(world: World, topic: str, **data: Any) -> list[Event]:
    """Send an input; return what it brings about for warehouse and customers."""
    before = len(world.outputs)
    await world.send(message(topic, data))
    await world.settled()
    return sorted(
        (output.data["kind"], output.key.decode(), output.data.get("location", ""), units(output.data))
        for output in world.outputs[before:]
        if output.topic in {"fulfillment", "customer-notification"} and output.key is not None
    )


def units(data: dict[str, Any]) -> dict[str, int]:
    return {line.get("line_id", line["sku"]): line["quantity"] for line in data["lines"]}


async def refused(world: World, topic: str, **data: Any) -> str:
    """Send an input that can't be applied; return why, as its dead letter says."""
    poison = message(topic, data, ("note", b"\xff\x00"))
    world.poison.append(poison)
    before = len(world.outputs)
    await world.send(poison)
    await world.settled()
    (letter,) = world.outputs[before:]
    assert letter.topic == f"{topic}.dlq"
    return letter.why["dlq_error"]


async def ordered(world: World, order_id: str, *lines: build.Data, **fields: Any) -> list[Event]:
    return await told(world, "order-created", **build.order(order_id, lines=list(lines), **fields))


async def received(world: World, receipt_id: str, sku: str, quantity: int, location: str = "WH1") -> list[Event]:
    lines = [build.receipt_line("1", sku, quantity)]
    return await told(world, "inventory-received", **build.receipt(receipt_id, lines=lines, location=location))


async def test_what_a_customer_gives_up_serves_the_next(world: World) -> None:
    await received(world, "R-C1", "SKU-C", 5)
    await ordered(world, "SO-C1", build.order_line("1", "SKU-C", 5))
    await ordered(world, "SO-C2", build.order_line("1", "SKU-C", 4))
    some = build.cancellation("X-C1", "SO-C1", lines=[{"line_id": "1", "quantity": 3}])
    assert await told(world, "order-cancelled", **some) == [
        ("backorder_filled", "SO-C2", "", {"1": 3}),
        ("order_cancelled", "SO-C1", "", {"1": 3}),
        ("revoke", "SO-C1", "WH1", {"1": 3}),
        ("ship", "SO-C2", "WH1", {"1": 3}),
    ]
    assert await told(world, "order-cancelled", **some) == []
    assert await told(world, "order-cancelled", **build.cancellation("X-C2", "SO-C2")) == [
        ("order_cancelled", "SO-C2", "", {"1": 4}),
        ("revoke", "SO-C2", "WH1", {"1": 3}),
    ]
    ship, revoke = world.data_of("fulfillment", "SO-C2")
    assert revoke == {
        "fulfillment_id": revoke["fulfillment_id"],
        "kind": "revoke",
        "order_id": "SO-C2",
        "location": "WH1",
        "reason": "cancelled",
        "revokes": ship["fulfillment_id"],
        "lines": ship["lines"],
    }
    await audit(world)


async def test_an_amendment_changes_who_is_next_and_what_may_leave(world: World) -> None:
    await ordered(world, "SO-A1", build.order_line("1", "SKU-A", 2))
    await ordered(world, "SO-A2", build.order_line("1", "SKU-A", 2), build.order_line("2", "SKU-A2", 1))
    assert await told(world, "order-amended", **build.amendment("AM-A1", "SO-A2", priority=9)) == []
    later = build.amendment("AM-A2", "SO-A2", amended_at="2026-11-22T00:00:00Z", ship_complete=True)
    assert await told(world, "order-amended", **later) == []
    assert await received(world, "R-A1", "SKU-A", 3) == [
        ("backorder_filled", "SO-A1", "", {"1": 1}),
        ("cross_dock", "SO-A1", "WH1", {"1": 1}),
        ("put_away", "R-A1", "WH1", {"SKU-A": 2}),
    ]
    outdated = build.amendment("AM-A3", "SO-A2", ship_complete=False)
    assert await told(world, "order-amended", **outdated) == []
    latest = build.amendment("AM-A4", "SO-A2", amended_at="2026-11-23T00:00:00Z", ship_complete=False)
    assert await told(world, "order-amended", **latest) == [
        ("backorder_filled", "SO-A2", "", {"1": 2}),
        ("ship", "SO-A2", "WH1", {"1": 2}),
    ]
    await audit(world)


async def test_the_count_is_set_right_and_the_lowest_ranked_give_way(world: World) -> None:
    await received(world, "R-J1", "SKU-J", 4)
    await ordered(world, "SO-J1", build.order_line("1", "SKU-J", 2), priority=5)
    await ordered(world, "SO-J2", build.order_line("1", "SKU-J", 2))
    missing = build.adjustment("ADJ-J1", -3, sku="SKU-J", reason="damaged")
    assert await told(world, "inventory-adjusted", **missing) == [
        ("allocation_lost", "SO-J1", "", {"1": 1}),
        ("allocation_lost", "SO-J2", "", {"1": 2}),
        ("revoke", "SO-J1", "WH1", {"1": 1}),
        ("revoke", "SO-J2", "WH1", {"1": 2}),
    ]
    await audit(world)
    assert await refused(world, "inventory-adjusted", **build.adjustment("ADJ-J2", -2, sku="SKU-J")) == "below_zero"
    reversal = build.adjustment("ADJ-J3", -1, sku="SKU-J", reason="receipt_reversal")
    assert await told(world, "inventory-adjusted", **reversal) == [
        ("allocation_lost", "SO-J1", "", {"1": 1}),
        ("revoke", "SO-J1", "WH1", {"1": 1}),
    ]
    found = build.adjustment("ADJ-J4", 3, sku="SKU-J", location="WH2", reason="found")
    assert await told(world, "inventory-adjusted", **found) == [
        ("backorder_filled", "SO-J1", "", {"1": 2}),
        ("backorder_filled", "SO-J2", "", {"1": 1}),
        ("ship", "SO-J1", "WH2", {"1": 2}),
        ("ship", "SO-J2", "WH2", {"1": 1}),
    ]
    await audit(world)


async def test_an_order_that_ships_as_a_whole_and_lost_units_holds_what_comes_again(world: World) -> None:
    await received(world, "R-K1", "SKU-K", 3)
    await ordered(world, "SO-K1", build.order_line("1", "SKU-K", 3), ship_complete=True)
    lost = build.adjustment("ADJ-K1", -2, sku="SKU-K", reason="lost")
    assert await told(world, "inventory-adjusted", **lost) == [
        ("allocation_lost", "SO-K1", "", {"1": 2}),
        ("revoke", "SO-K1", "WH1", {"1": 2}),
    ]
    assert await received(world, "R-K2", "SKU-K", 1) == [("put_away", "R-K2", "WH1", {"SKU-K": 1})]
    await audit(world)
    assert await received(world, "R-K3", "SKU-K", 1) == [
        ("backorder_filled", "SO-K1", "", {"1": 2}),
        ("cross_dock", "SO-K1", "WH1", {"1": 1}),
        ("ship", "SO-K1", "WH1", {"1": 1}),
    ]
    await audit(world)


async def test_goods_leave_the_building_and_the_customer_can_follow_them(world: World) -> None:
    await received(world, "R-S1", "SKU-S", 5)
    await ordered(world, "SO-S1", build.order_line("1", "SKU-S", 4))
    tracking = {"carrier": "UPS", "tracking_number": "1Z-9", "tracking_url": "https://example.com/1Z-9"}
    part = build.shipment("S-S1", order_id="SO-S1", lines=[build.shipment_line(quantity=3)], **tracking)
    assert await told(world, "shipment-dispatched", **part) == [("shipped", "SO-S1", "", {"1": 3})]
    told_of = world.data_of("customer-notification", "SO-S1")[-1]
    order = build.order("SO-S1", lines=[build.order_line("1", "SKU-S", 4)])
    expected = shapes.notification("shipped", order, [(order["lines"][0], 3)], shipment_id="S-S1", **tracking)
    assert told_of == expected | {"notification_id": told_of["notification_id"]}
    too_many = build.shipment("S-S2", order_id="SO-S1", lines=[build.shipment_line(quantity=1)] * 2)
    assert await refused(world, "shipment-dispatched", **too_many) == "not_released"
    assert await refused(world, "shipment-dispatched", **build.shipment("S-S3", order_id="SO-9")) == "unknown_order"
    rest = build.shipment("S-S2", order_id="SO-S1", lines=[build.shipment_line(quantity=1)])
    assert await told(world, "shipment-dispatched", **rest) == [("shipped", "SO-S1", "", {"1": 1})]
    assert await told(world, "order-cancelled", **build.cancellation("X-S1", "SO-S1")) == []
    await audit(world)


async def test_a_policy_decides_who_may_wait_and_lets_go_what_it_kept(world: World) -> None:
    strict = build.policy("SKU-P", 2, backorder="deny", safety_stock=3)
    assert await told(world, "product-policy-updated", **strict) == []
    await received(world, "R-P1", "SKU-P", 4)
    lines = [build.order_line("a", "SKU-P", 2), build.order_line("b", "SKU-P", 1)]
    assert await ordered(world, "SO-P1", *lines) == [
        ("order_confirmed", "SO-P1", "", {"b": 1}),
        ("order_rejected", "SO-P1", "", {"a": 2}),
        ("ship", "SO-P1", "WH1", {"b": 1}),
    ]
    assert await told(world, "product-policy-updated", **build.policy("SKU-P", 1)) == []
    other = build.policy("SKU-P", 2, backorder="allow")
    assert await refused(world, "product-policy-updated", **other) == "conflict"
    limited = build.policy("SKU-P", 3, backorder_limit=2, safety_stock=3)
    assert await told(world, "product-policy-updated", **limited) == []
    assert await ordered(world, "SO-P2", build.order_line("1", "SKU-P", 2)) == [
        ("order_backordered", "SO-P2", "", {"1": 2})
    ]
    gone = build.policy("SKU-P", 4, discontinued=True, safety_stock=2)
    assert await told(world, "product-policy-updated", **gone) == [
        ("backorder_filled", "SO-P2", "", {"1": 1}),
        ("ship", "SO-P2", "WH1", {"1": 1}),
    ]
    last = build.policy("SKU-P", 5, discontinued=True, safety_stock=1)
    assert await told(world, "product-policy-updated", **last) == [
        ("backorder_filled", "SO-P2", "", {"1": 1}),
        ("ship", "SO-P2", "WH1", {"1": 1}),
    ]
    assert await ordered(world, "SO-P3", build.order_line("1", "SKU-P", 1, backorder="allow")) == [
        ("order_rejected", "SO-P3", "", {"1": 1})
    ]
    await audit(world)


async def test_a_shop_hears_of_every_change_of_a_product_and_of_nothing_else(world: World) -> None:
    """Each message replaces the one before: its key is the SKU, its topic compacted, its number the next."""
    await ordered(world, "SO-V1", build.order_line("1", "SKU-V", 3))
    await told(world, "order-amended", **build.amendment("AM-V1", "SO-V1", priority=2))
    await received(world, "R-V1", "SKU-V", 5)
    shipment = build.shipment("S-V1", order_id="SO-V1", lines=[build.shipment_line(quantity=3)])
    await told(world, "shipment-dispatched", **shipment)
    await told(world, "product-policy-updated", **build.policy("SKU-V", 1, safety_stock=2, backorder="deny"))
    await told(world, "product-policy-updated", **build.policy("SKU-V", 2, safety_stock=3, backorder="deny"))
    await told(world, "product-policy-updated", **build.policy("SKU-V", 3, discontinued=True, safety_stock=9))
    expected = [
        shapes.availability("SKU-V", {}, 3),
        shapes.availability("SKU-V", {"WH1": (5, 3, 2)}, 0),
        shapes.availability("SKU-V", {"WH1": (2, 0, 2)}, 0),
        shapes.availability("SKU-V", {"WH1": (2, 0, 0)}, 0) | {"state": "out_of_stock"},
        shapes.availability("SKU-V", {"WH1": (2, 0, 0)}, 0) | {"state": "discontinued"},
    ]
    outputs = world.of("availability-changed", "SKU-V")
    assert [(output.sequence, output.data) for output in outputs] == list(enumerate(expected, 1))
    topic = f"{world.settings.topic_prefix}availability-changed"
    assert await configuration(world, topic, "cleanup.policy") == "compact"
    await audit(world)


async def configuration(world: World, topic: str, name: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=world.settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        asked = ConfigResource(ConfigResourceType.TOPIC, topic, {name: None})
        ((*_, entries),) = (await admin.describe_configs([asked]))[0].resources
    finally:
        await admin.close()
    return str(next(entry[1] for entry in entries if entry[0] == name))


async def test_a_cancellation_that_came_too_early_and_wrong_is_a_dead_letter_when_its_order_comes(
    world: World,
) -> None:
    """Not a byte of it is lost, and its natural id is free for the right one."""
    asked = {"line_id": "9", "quantity": 1}
    wrong = message("order-cancelled", build.cancellation("X-E1", "SO-E1", lines=[asked]), ("note", b"\xff\x00"))
    world.poison.append(wrong)
    await world.send(wrong)
    # Messages of two topics come in any order, unless the first was taken in before the second is sent.
    await world.settled()
    assert await told(world, "order-amended", **build.amendment("AM-E1", "SO-E1", priority=4)) == []
    waiting = await world.fetch("select natural_id from bo_worker.early_message order by id")
    assert [natural_id for (natural_id,) in waiting] == ["X-E1", "AM-E1"]
    assert await ordered(world, "SO-E1", build.order_line("1", "SKU-E", 2)) == [
        ("order_backordered", "SO-E1", "", {"1": 2})
    ]
    (letter,) = [output for output in world.outputs if output.topic in DEAD_LETTER_TOPICS and output.key == b"SO-E1"]
    assert (letter.topic, letter.key, letter.value) == ("order-cancelled.dlq", wrong.key, wrong.value)
    assert letter.headers[:1] == (("note", b"\xff\x00"),)
    assert letter.why["dlq_error"] == "unknown_line"
    assert letter.why["dlq_topic"] == f"{world.settings.topic_prefix}order-cancelled"
    right = build.cancellation("X-E1", "SO-E1", lines=[asked | {"line_id": "1"}])
    assert await told(world, "order-cancelled", **right) == [("order_cancelled", "SO-E1", "", {"1": 1})]
    assert await told(world, "order-cancelled", **build.cancellation("X-E2", "SO-E2")) == []
    assert await ordered(world, "SO-E2", build.order_line("1", "SKU-E", 2)) == [
        ("order_cancelled", "SO-E2", "", {"1": 2})
    ]
    await audit(world)


async def test_where_need_is_the_rank_the_earliest_need_is_served_first_and_gives_way_last(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, rank_by="need_by")
    async with opened_world(settings) as world, running(world):
        for order_id, need_by in (("SO-1", None), ("SO-2", "2026-12-02T00:00:00Z"), ("SO-3", "2026-12-09T00:00:00Z")):
            await ordered(world, order_id, build.order_line(quantity=1), need_by=need_by)
        urgent = build.amendment("AM-1", "SO-3", need_by="2026-12-01T00:00:00Z")
        await told(world, "order-amended", **urgent)
        rows = await world.fetch("select order_id from bo_worker.backorder_queue order by rank")
        assert [order_id for (order_id,) in rows] == ["SO-3", "SO-2", "SO-1"]
        assert [key for kind, key, *_ in await received(world, "R-1", "SKU-1", 2) if kind == "cross_dock"] == [
            "SO-2",
            "SO-3",
        ]
        missing = build.adjustment("ADJ-1", -1)
        assert await told(world, "inventory-adjusted", **missing) == [
            ("allocation_lost", "SO-2", "", {"1": 1}),
            ("revoke", "SO-2", "WH1", {"1": 1}),
        ]
        await audit(world)
