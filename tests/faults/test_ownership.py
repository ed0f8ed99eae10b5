"""Of all the workers that believe to own a partition, one writes; and nothing is lost where the owner changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import build
from audit import audit
from bo_worker.store.positions import claim_partitions
from world import fresh_world, placed, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def test_a_worker_that_lost_one_of_its_partitions_skips_nothing_of_the_others(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database) as world, running(world):
        await world.send(placed(build.order("SO-0")))
        await world.settled()
        # Somebody else, in the belief that it is his, takes a partition and goes away.
        topic = f"{world.settings.topic_prefix}order-created"
        await claim_partitions(await world.connected(), [(topic, 0)])
        await world.send(*(placed(build.order(f"SO-{number}")) for number in range(1, 20)))
        await world.settled()
        await audit(world)
