"""Three workers at work while one of them sweeps, and the sweep is hung up on: promises, plans and waitlists hold."""

from __future__ import annotations

import asyncio
import random
import signal
from typing import TYPE_CHECKING

import build
from audit import audit
from bo_worker.app import Worker
from bo_worker.store.leadership import SWEEP_LOCK
from children import child, side_by_side
from promised import planned_units
from supply_audit import audit_supply, back_in_stock
from workload import drawn, trickle
from world import POLL_S, fresh_world, message, received, running

if TYPE_CHECKING:
    from bo_worker.messages.record import Message
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 23
SKUS, TRUCKS = 4, 3


def inputs() -> list[Message]:
    """A load on few products, with trucks that change while goods come from them."""
    draw = random.Random(SEED)  # noqa: S311 - a seeded generator, not a secret
    found = [
        one
        for place, one in enumerate(drawn(SEED, 250, skus=SKUS, changes=400))
        if one.topic != "inventory-received" or place % 2  # Some must still wait at the end.
    ]
    for number in range(60):
        found.insert(draw.randrange(len(found)), _truck(draw, number))
        if number % 3 == 0:
            line = build.receipt_line(sku=f"SKU-{draw.randrange(SKUS)}", quantity=draw.randint(1, 9))
            came = build.receipt(f"R-T{number}", lines=[line], purchase_order_id=f"TRUCK-{draw.randrange(TRUCKS)}")
            found.insert(draw.randrange(len(found)), received(came))
    return found


def _truck(draw: random.Random, version: int) -> Message:
    days = {"expected_from": "2098-12-01", "expected_to": f"2098-12-{draw.randint(1, 9):02}"}
    lines = [
        build.purchase_order_line(str(number), f"SKU-{number}", draw.randint(1, 60), **days) for number in range(SKUS)
    ]
    truck = build.purchase_order(f"TRUCK-{version % TRUCKS}", version, status="in_transit", lines=lines)
    return message("purchase-order-updated", truck)


async def test_three_workers_race_with_a_sweep_that_loses_its_session_again_and_again(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(
        stack, template_database, topic_partitions=3, batch_records_max=20, fill_lines_max=20
    ) as world:
        async with running(world, *(Worker(world.settings) for _ in range(3))):
            leaders = set()
            load = asyncio.create_task(trickle(world, inputs()))
            while not load.done():
                leaders |= await _leader_ended(world)
                await asyncio.sleep(10 * POLL_S)
            await load
            await world.settled()
        assert len(leaders) > 1
        assert await world.value("select deadlocks from pg_stat_database where datname = current_database()") == 0
        await audit(world)
        await audit_supply(world)
        assert await planned_units(world.fetch)
        assert back_in_stock(world)


async def test_a_worker_frozen_while_it_leads_the_sweep_writes_nothing_that_is_not_its_own_when_it_wakes_up(
    stack: Servers, template_database: str
) -> None:
    load = inputs()

    async def scenario(point: str) -> None:
        async with (
            fresh_world(
                stack,
                template_database,
                batch_records_max=20,
                kafka_request_timeout_s=1,
                database_statement_timeout_s=3,
            ) as world,
            child(world, point, 0, signal.SIGSTOP) as zombie,
        ):
            await world.send(*load[:100])
            await world.settled()
            zombie.signal(signal.SIGUSR1)
            await world.send(*load[100:200])
            await world.until(zombie.is_frozen)
            async with running(world):
                await world.settled()
                await world.send(*load[200:300])
                zombie.signal(signal.SIGCONT)
                await world.settled()
                zombie.signal(signal.SIGTERM)
                assert await zombie.ended() == 0
            await audit(world)
            await audit_supply(world)

    await side_by_side(("in_job", "after_job"), scenario)


async def _leader_ended(world: World) -> set[int]:
    """Hang up on the session that leads the sweep; return its process."""
    lock = f"locktype = 'advisory' and granted and ((classid::bigint << 32) | objid::bigint) = {SWEEP_LOCK}"
    rows = await world.fetch(
        f"select pid, pg_terminate_backend(pid) from pg_locks where {lock}"  # noqa: S608 - ours
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return {row["pid"] for row in rows}
