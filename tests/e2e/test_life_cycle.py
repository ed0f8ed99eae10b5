"""What becomes of an order, from the message that brings it to the instructions and notifications that follow.

The stories share one running worker; each has products and ids of its own. What a story does is told to a plain model
as well, and all that comes out is compared with it.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

import build
from audit import audit
from model import Model
from plain import in_any_order, plain_events
from world import World, fresh_world, message, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.stack.servers import Servers

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Story:
    """One story: everything in it has the story's own name in front, so that stories do not meet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.name = secrets.token_hex(3)
        self.model = Model()

    async def order(self, order_id: str, *lines: build.Data, **fields: Any) -> list[str]:
        named = [line | {"sku": f"{self.name}-{line['sku']}"} for line in lines]
        return await self.tell("order-created", build.order(f"{self.name}-{order_id}", lines=named, **fields))

    async def receipt(self, receipt_id: str, *lines: build.Data, **fields: Any) -> list[str]:
        named = [line | {"sku": f"{self.name}-{line['sku']}"} for line in lines]
        return await self.tell(
            "inventory-received", build.receipt(f"{self.name}-{receipt_id}", lines=named, **fields)
        )

    async def tell(self, topic: str, data: build.Data) -> list[str]:
        """Send an input, compare what came out under its keys with the model; return the kinds of what is new."""
        before = len(self.world.outputs)
        await self.world.send(message(topic, data))
        await self.world.settled()
        found = plain_events(self.world.outputs[before:])
        expected = self.model.tell(topic, data)
        # The sequence of one cause's events is not promised.
        assert in_any_order(found) == in_any_order(expected)
        return sorted(event["kind"] for _, _, event in expected)

    def instructions(self, order_id: str) -> list[tuple[str, str, int]]:
        """The instructions for an order: kind, location, units."""
        return [
            (data["kind"], data["location"], sum(line["quantity"] for line in data["lines"]))
            for data in self.world.data_of("fulfillment", f"{self.name}-{order_id}")
        ]


def wants(quantity: int, line_id: str = "1", sku: str = "A", **fields: Any) -> build.Data:
    return build.order_line(line_id, sku, quantity, **fields)


def brings(quantity: int, line_id: str = "1", sku: str = "A", **fields: Any) -> build.Data:
    return build.receipt_line(line_id, sku, quantity, **fields)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_world(stack: Servers, template_database: str) -> AsyncIterator[World]:
    """A world with a running worker; the audit at its end is about all stories together."""
    async with fresh_world(stack, template_database) as world, running(world):
        yield world
        await world.settled()
        await audit(world)


@pytest_asyncio.fixture(loop_scope="module")
async def story(shared_world: World) -> Story:
    return Story(shared_world)


async def test_an_order_that_is_covered_ships_at_once(story: Story) -> None:
    assert await story.receipt("R-1", brings(10)) == ["put_away"]
    assert await story.order("SO-1", wants(3)) == ["order_confirmed", "ship"]


async def test_a_backorder_is_filled_from_the_dock_and_the_rest_is_put_away(story: Story) -> None:
    assert await story.order("SO-1", wants(3)) == ["order_backordered"]
    assert await story.receipt("R-1", brings(10, lot="L1"), dock_door="D4") == [
        "backorder_filled",
        "cross_dock",
        "put_away",
    ]
    assert story.instructions("SO-1") == [("cross_dock", "WH1", 3)]


async def test_receipts_smaller_and_equal_to_what_waits_go_out_whole(story: Story) -> None:
    await story.order("SO-1", wants(5))
    assert await story.receipt("R-1", brings(2)) == ["backorder_filled", "cross_dock"]
    assert await story.receipt("R-2", brings(3)) == ["backorder_filled", "cross_dock"]
    assert await story.receipt("R-3", brings(1)) == ["put_away"]


async def test_what_arrives_damaged_serves_nobody(story: Story) -> None:
    await story.order("SO-1", wants(2))
    assert await story.receipt("R-1", brings(0, damaged_quantity=5)) == []
    assert await story.receipt("R-2", brings(1, damaged_quantity=1)) == ["backorder_filled", "cross_dock"]


async def test_as_few_locations_as_possible_serve_a_line(story: Story) -> None:
    await story.receipt("R-1", brings(10), location="WH1")
    await story.receipt("R-2", brings(15), location="WH2")
    await story.order("SO-1", wants(13))
    await story.order("SO-2", wants(11))
    assert story.instructions("SO-1") == [("ship", "WH2", 13)]
    assert story.instructions("SO-2") == [("ship", "WH1", 10), ("ship", "WH2", 1)]


async def test_a_pinned_line_waits_for_its_own_location(story: Story) -> None:
    await story.receipt("R-1", brings(10), location="WH1")
    assert await story.order("SO-1", wants(4, location="WH2")) == ["order_backordered"]
    assert await story.order("SO-2", wants(4)) == ["order_confirmed", "ship"]
    assert await story.receipt("R-2", brings(4), location="WH2") == ["backorder_filled", "cross_dock"]


async def test_priority_then_age_decides_who_is_served_first(story: Story) -> None:
    await story.order("SO-1", wants(2))
    await story.order("SO-2", wants(2), placed_at="2026-11-20T00:00:00Z")
    await story.order("SO-3", wants(2), priority=5)
    await story.receipt("R-1", brings(3))
    assert [story.instructions(order_id) for order_id in ("SO-1", "SO-2", "SO-3")] == [
        [],
        [("cross_dock", "WH1", 1)],
        [("cross_dock", "WH1", 2)],
    ]


async def test_a_ship_complete_order_leaves_in_one_go(story: Story) -> None:
    await story.receipt("R-1", brings(1, "1", "A"))
    await story.order("SO-1", wants(1, "1", "A"), wants(1, "2", "B"), ship_complete=True)
    assert await story.order("SO-2", wants(1, "1", "A")) == ["order_backordered"]
    assert await story.receipt("R-2", brings(1, "1", "B")) == ["backorder_filled", "cross_dock", "ship"]
    assert await story.receipt("R-3", brings(1, "1", "A")) == ["backorder_filled", "cross_dock"]


async def test_a_line_that_may_not_wait_is_rejected_and_its_neighbour_is_not(story: Story) -> None:
    await story.receipt("R-1", brings(2))
    assert await story.order("SO-1", wants(3, backorder="deny"), wants(2, "2")) == [
        "order_confirmed",
        "order_rejected",
        "ship",
    ]
    assert await story.order("SO-2", wants(1, "1", "B"), wants(1, "2", backorder="deny"), ship_complete=True) == [
        "order_rejected"
    ]


async def test_lines_of_one_product_count_together(story: Story) -> None:
    await story.receipt("R-1", brings(5))
    assert await story.order("SO-1", wants(2, "1"), wants(2, "2"), wants(2, "3")) == ["order_backordered", "ship"]
    assert await story.receipt("R-2", brings(1, "1"), brings(1, "2", lot="L2")) == [
        "backorder_filled",
        "cross_dock",
        "put_away",
    ]


async def test_an_order_that_comes_twice_is_served_once_and_with_other_content_never(story: Story) -> None:
    await story.receipt("R-1", brings(10))
    assert await story.order("SO-1", wants(3)) == ["order_confirmed", "ship"]
    assert await story.order("SO-1", wants(3)) == []
    other = build.order(f"{story.name}-SO-1", lines=[wants(4)])
    await story.world.send(message("order-created", other))
    await story.world.settled()
    (letter,) = [letter for letter in story.world.dead_letters() if letter.key == other["order_id"].encode()]
    assert letter.why["dlq_error"] == "conflict"
    story.world.poison.append(message("order-created", other))
