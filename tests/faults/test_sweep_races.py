"""Three workers at work while one of them sweeps, and the sweep is hung up on: promises, plans and waitlists hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING

import orjson

import build
from audit import audit
from bo_worker.app import Worker
from bo_worker.store.leadership import SWEEP_LOCK
from promised import planned_units
from workload import drawn, trickle
from world import POLL_S, fresh_world, message, received, running

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.messages.record import Message
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 23
SKUS, TRUCKS = 4, 3
TOLD = ("order_backordered", "expected_date_changed")


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
        await audit_told_days(world)
        await audit_plans(world)
        audit_waitlist(world)


async def audit_told_days(world: World) -> None:
    """The last day that the customer of a waiting line heard is the one that the view shows."""
    told: dict[tuple[str, str], str | None] = {}
    for order_id in {output.key.decode() for output in world.outputs if output.topic == "customer-notification"}:
        for data in world.data_of("customer-notification", order_id):
            if data["kind"] in TOLD:
                told |= {(order_id, line["line_id"]): line["expected_to"] for line in data["lines"]}
    rows = await world.fetch("select order_id, line_id, expected_to from bo_worker.backorder_queue")
    found = {(row["order_id"], row["line_id"]): _text(row["expected_to"]) for row in rows}
    assert any(found.values())
    assert {place: told.get(place) for place in found} == found


async def audit_plans(world: World) -> None:
    """What trucks are planned to bring is what the plainest arithmetic hands out of it."""
    rows = await world.fetch("select purchase_order_id, order_id, lines::text from bo_worker.cross_dock_plan")
    planned: Counter[tuple[str, str, int]] = Counter()
    for purchase_order_id, order_id, lines in rows:
        for position, _, quantity, _, _, _, served in orjson.loads(lines):
            planned[purchase_order_id, order_id, position] += max(0, quantity - served)
    assert +planned == await planned_units(world.fetch)
    assert +planned


def audit_waitlist(world: World) -> None:
    """Nobody was told twice in one round: a notification has an id of its customer and the round."""
    told = {
        (output.key, output.sequence): output.data["notification_id"]
        for output in world.outputs
        if output.topic == "customer-notification" and output.data["kind"] == "back_in_stock"
    }
    assert told
    assert len(set(told.values())) == len(told)


async def _leader_ended(world: World) -> set[int]:
    """Hang up on the session that leads the sweep; return its process."""
    lock = f"locktype = 'advisory' and granted and ((classid::bigint << 32) | objid::bigint) = {SWEEP_LOCK}"
    rows = await world.fetch(
        f"select pid, pg_terminate_backend(pid) from pg_locks where {lock}"  # noqa: S608 - ours
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return {row["pid"] for row in rows}


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
