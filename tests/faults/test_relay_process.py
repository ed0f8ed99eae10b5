"""The relay's process and the worker's die one without the other: nothing is lost, and none stays behind."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import psutil

from audit import audit
from command import variables, worker_command
from workload import drawn, trickle
from world import fresh_world, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers
    from command import WorkerCommand
    from world import World

SEED = 17


async def relay_of(worker: WorkerCommand) -> psutil.Process:
    await worker.until_said("worker_started")
    (relay,) = psutil.Process(worker.process.pid).children()
    return relay


async def until_gone(world: World, process: psutil.Process) -> None:
    """Wait until a process has ended, whether or not somebody asks how."""

    async def is_gone() -> bool:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE

    await world.until(is_gone)


async def apply_unpublished(world: World, worker: WorkerCommand, relay: psutil.Process) -> None:
    """Freeze the relay and let the worker apply something."""
    await worker.until_metric("bo_worker_relay_leader 1.0")
    relay.send_signal(signal.SIGSTOP)
    await world.send(*drawn(SEED, 50))
    ends = await world.input_ends()

    async def is_applied() -> bool:
        return await world.positions() == ends

    await world.until(is_applied)
    assert await world.value("select count(*) from bo_worker.outbox") > 0


async def test_a_worker_publishes_itself_when_the_process_of_its_relay_is_killed_under_load(
    stack: Servers, template_database: str
) -> None:
    async with (
        fresh_world(stack, template_database, batch_records_max=20) as world,
        worker_command(variables(world.settings)) as worker,
    ):
        relay = await relay_of(worker)
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, drawn(SEED, 300, changes=80)))
            await worker.until_metric('bo_worker_messages_published_total{topic="customer-notification"}')
            relay.kill()
            assert (await worker.until_said("relay_process_ended"))["status"] == -signal.SIGKILL
        await world.settled()
        await worker.until_metric("bo_worker_relay_leader 1.0")
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 0
        await audit(world)


async def test_what_a_killed_worker_has_committed_is_published_by_its_relay_which_then_ends(
    stack: Servers, template_database: str
) -> None:
    async with (
        fresh_world(stack, template_database) as world,
        worker_command(variables(world.settings)) as worker,
    ):
        relay = await relay_of(worker)
        await apply_unpublished(world, worker, relay)
        worker.tell(signal.SIGKILL)
        relay.send_signal(signal.SIGCONT)
        await until_gone(world, relay)
        assert await world.value("select count(*) from bo_worker.outbox") == 0
        async with running(world):
            await world.settled()
        await audit(world)


async def test_a_relay_that_hangs_is_ended_with_its_worker_and_leaves_its_work_to_others(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database, shutdown_deadline_s=3) as world:
        async with worker_command(variables(world.settings)) as worker:
            relay = await relay_of(worker)
            await apply_unpublished(world, worker, relay)
            worker.tell(signal.SIGTERM)
            assert await worker.ended() == 0
            await until_gone(world, relay)
        async with running(world):
            await world.settled()
        await audit(world)


async def test_a_worker_that_is_told_so_relays_in_its_own_process(stack: Servers, template_database: str) -> None:
    async with (
        fresh_world(stack, template_database) as world,
        worker_command(variables(world.settings, BO_RELAY_PROCESS="shared")) as worker,
    ):
        await world.send(*drawn(SEED, 10))
        await world.settled()
        assert psutil.Process(worker.process.pid).children() == []
        await audit(world)
