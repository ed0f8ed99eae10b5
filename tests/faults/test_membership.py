"""Workers come, go, die and freeze while there is work: each input has its effect once all the same."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import pytest

from audit import audit
from bo_worker.app import Worker
from workload import drawn, trickle
from world import opened_world, running, working, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

SEED = 11


async def test_workers_join_and_leave_under_load(stack: Servers, database_url: str, topic_prefix: str) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=20)
    async with opened_world(settings) as world, running(world), asyncio.TaskGroup() as group:
        load = group.create_task(trickle(world, drawn(SEED, 600)))
        for _ in range(4):
            guest = Worker(settings)
            async with running(world, guest):
                await world.until(lambda guest=guest: _owns_something(guest))
        await load
        await world.settled()
        await audit(world)


@pytest.mark.parametrize("point", ["revoked", "assigned"])
async def test_a_worker_that_dies_in_a_rebalance_is_succeeded(
    stack: Servers, database_url: str, topic_prefix: str, point: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=20)
    async with opened_world(settings) as world:
        inputs = drawn(SEED, 200)
        await world.send(*inputs[:100])
        async with working(world, point, 1 if point == "revoked" else 2) as dying:
            await world.settled()
            await world.send(*inputs[100:])
            # The newcomer makes the group share its partitions anew, and waits for the session of the dead.
            async with running(world):
                assert await dying.ended() == -signal.SIGKILL
                await world.settled()
        await audit(world)


@pytest.mark.parametrize("point", ["before_commit", "after_commit", "published"])
async def test_a_worker_that_was_frozen_beyond_its_session_writes_nothing_when_it_wakes_up(
    stack: Servers, database_url: str, topic_prefix: str, point: str
) -> None:
    settings = world_settings(
        stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=20, kafka_request_timeout_s=1
    )
    inputs = drawn(SEED, 200)
    async with opened_world(settings) as world:
        async with working(world, point, 0, signal.SIGSTOP) as zombie:
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


async def _owns_something(worker: Worker) -> bool:
    return bool(worker.intake.positions)
