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


@pytest.mark.parametrize(
    ("point", "nth"),
    [
        ("assigned", 1),
        ("before_commit", 1),
        ("before_commit", 3),
        ("after_commit", 1),
        ("after_commit", 3),
        ("published", 1),
        ("published", 3),
        ("deleted", 1),
        ("deleted", 3),
    ],
)
async def test_a_worker_killed_at_a_checkpoint_is_succeeded_without_loss_or_doubles(
    stack: Servers, database_url: str, topic_prefix: str, point: str, nth: int
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=40)
    async with opened_world(settings) as world:
        await world.send(*drawn(SEED, 200))
        # The dead worker stays in its group until its session times out, so the next one joins another group.
        async with working(world, point, nth, kafka_group_id=f"{topic_prefix}dead") as dying:
            assert await dying.ended() == -signal.SIGKILL
        async with running(world):
            await world.settled()
        await audit(world)
