"""A worker that is killed at any point loses nothing and does nothing twice: another one goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from audit import audit
from workload import drawn
from world import opened_world, running, working, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

SEED = 3


@pytest.mark.parametrize("point", ["assigned", "before_commit", "after_commit", "published", "deleted"])
async def test_a_worker_killed_at_a_checkpoint_is_succeeded_without_loss_or_doubles(
    stack: Servers, database_url: str, topic_prefix: str, point: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=40)
    inputs = drawn(SEED, 200)
    async with opened_world(settings) as world:
        for nth, part in enumerate((inputs[::2], inputs[1::2]), 1):
            await world.send(*part)
            # A dead worker stays in its group until its session times out, so the next one joins another group.
            async with working(world, point, 1 if point == "assigned" else nth, kafka_group_id=f"{topic_prefix}dead-{nth}") as dying:
                assert await dying.ended() == -signal.SIGKILL
        async with running(world):
            await world.settled()
        await audit(world)
