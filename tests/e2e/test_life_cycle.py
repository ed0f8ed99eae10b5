"""What becomes of an order, from the message that brings it to the instruction that sends its units out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import build
from audit import audit
from world import opened_world, placed, received, running, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def test_a_backorder_is_filled_from_the_dock(stack: Servers, database_url: str, topic_prefix: str) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    async with opened_world(settings) as world, running(world):
        await world.send(placed(build.order()))
        await world.settled()
        await world.send(received(build.receipt()))
        await world.settled()
        await audit(world)
