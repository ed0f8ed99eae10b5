"""Workers come, go, die and freeze while there is work: each input has its effect once all the same."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from audit import audit
from bo_worker.app import Worker
from children import child, side_by_side
from workload import drawn, trickle
from world import fresh_world, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 11


async def test_workers_join_and_leave_under_load(stack: Servers, template_database: str) -> None:
    async with fresh_world(stack, template_database, batch_records_max=20) as world, running(world):
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, drawn(SEED, 400, changes=100)))
            for _ in range(4):
                await _visit(world)
        await world.settled()
        await audit(world)


async def test_a_worker_that_dies_in_a_rebalance_is_succeeded(stack: Servers, template_database: str) -> None:
    inputs = drawn(SEED, 200, changes=60)

    async def scenario(point: str) -> None:
        async with fresh_world(stack, template_database, batch_records_max=20) as world:
            await world.send(*inputs[:100])
            async with child(world, point, 1 if point == "revoked" else 2) as dying:
                await world.settled()
                await world.send(*inputs[100:])
                # The newcomer makes the group share its partitions anew, and waits for the session of the dead.
                async with running(world):
                    assert await dying.ended() == -signal.SIGKILL
                    await world.settled()
            await audit(world)

    await side_by_side(("revoked", "assigned"), scenario)


async def test_a_worker_frozen_beyond_its_session_writes_nothing_that_is_not_its_own_when_it_wakes_up(
    stack: Servers, template_database: str
) -> None:
    inputs = drawn(SEED, 200, changes=60)

    async def scenario(point: str) -> None:
        async with (
            fresh_world(stack, template_database, batch_records_max=20, kafka_request_timeout_s=1) as world,
            child(world, point, 0, signal.SIGSTOP) as zombie,
        ):
            await world.send(*inputs[:50])
            await world.settled()
            zombie.signal(signal.SIGUSR1)
            await world.send(*inputs[50:100])
            await world.until(zombie.is_frozen)
            async with running(world):
                await world.settled()
                await world.send(*inputs[100:])
                zombie.signal(signal.SIGCONT)
                await world.settled()
                zombie.signal(signal.SIGTERM)
                assert await zombie.ended() == 0
            await audit(world)

    await side_by_side(("before_commit", "after_commit", "published"), scenario)


async def _visit(world: World) -> None:
    """Run another worker until the group has given it something."""
    guest = Worker(world.settings)

    async def owns_something() -> bool:
        return bool(guest.intake.positions)

    async with running(world, guest):
        await world.until(owns_something)
