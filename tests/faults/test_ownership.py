"""Of all the workers that believe to own a partition, one writes; and none is lost where the owner changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

import build
from audit import audit
from bo_worker.store.positions import claim_partitions
from world import opened_world, placed, running, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def test_a_worker_that_lost_one_of_its_partitions_skips_nothing_of_the_others(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    connection = await asyncpg.connect(database_url)
    async with opened_world(settings) as world, running(world):
        await world.send(placed(build.order("SO-0")))
        await world.settled()
        # Somebody else, in the belief that it is his, takes a partition and goes away.
        await claim_partitions(connection, [(f"{topic_prefix}order-created", 0)])
        await world.send(*(placed(build.order(f"SO-{number}")) for number in range(1, 20)))
        await world.settled()
        await audit(world)
    await connection.close()
