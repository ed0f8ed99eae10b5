"""A worker that is killed at any point loses nothing and does nothing twice: another one goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from audit import audit
from children import child, side_by_side
from supply_audit import audit_supply
from workload import drawn
from world import fresh_world, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

POINTS = ("assigned", "before_commit", "after_commit", "published", "deleted", "in_job", "after_job")


async def test_a_worker_killed_at_a_checkpoint_is_succeeded_without_loss_or_doubles(
    stack: Servers, template_database: str
) -> None:
    inputs = drawn(3, 200, changes=60)

    async def scenario(point: str) -> None:
        async with fresh_world(stack, template_database, batch_records_max=40) as world:
            for nth, part in ((1, inputs[:80]), (1 if point == "assigned" else 2, inputs[80:])):
                await world.send(*part)
                # A dead worker stays in its group until its session ends, so that each one joins another group.
                async with child(world, point, nth, kafka_group_id=f"{world.settings.topic_prefix}{nth}") as dying:
                    assert await dying.ended() == -signal.SIGKILL
            async with running(world):
                await world.settled()
            await audit(world)
            await audit_supply(world)

    await side_by_side(POINTS, scenario)
