"""Workers that are killed while they tell of delays, let silence speak and release what waited do each once."""

from __future__ import annotations

import signal
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import build
from audit import audit
from bo_worker.app import utc_now
from children import child, side_by_side
from world import World, fresh_world, message, placed, received, running

if TYPE_CHECKING:
    from bo_worker.messages.record import Message
    from bo_worker.stack.servers import Servers

LATE, LINES, HELD = 60, 8, 30
SETTINGS = {"consolidate_days": 30, "on_track_days": 10, "batch_records_max": 40}
LATE_ORDERS = {f"SO-{number}" for number in range(LATE)}
HELD_ORDERS = {f"HO-{number}" for number in range(HELD)}
DUE = """
    select exists (select from bo_worker.delay_watch where check_on <= $1::date or respond_by < $2)
        or exists (select from bo_worker.sales_order where hold_until < $1::date)
        or exists (select from bo_worker.promise where heard_on <= $1::date - 10)
"""
SILENT = """
    with watched as (update bo_worker.delay_watch set respond_by = respond_by - interval '30 days')
    update bo_worker.delay_notice set respond_by = respond_by - interval '30 days' where outcome is null
"""
HELD_FOR_LONG = "update bo_worker.sales_order set hold_until = hold_until - 90 where hold_until is not null"
HEARD_LONG_AGO = "update bo_worker.promise set heard_on = heard_on - 90 where order_id like 'HO-%'"


def coming(version: int, days: int) -> Message:
    """What is late in its second version, and what comes soon."""
    today = utc_now().date()
    late, soon = str(today + timedelta(days)), str(today + timedelta(3))
    lines = [
        build.purchase_order_line("1", "LATE", LATE * LINES, expected_from=late, expected_to=late),
        build.purchase_order_line("2", "SOON", HELD, expected_from=soon, expected_to=soon),
    ]
    return message("purchase-order-updated", build.purchase_order("PO-1", version, lines=lines))


def orders() -> list[Message]:
    """Orders that wait for what will be late, and orders that hold what is there, as the rest comes soon."""
    placed_at = utc_now().isoformat()
    late = [build.order_line(str(number), "LATE", 1) for number in range(LINES)]
    held = [build.order_line("1", "HERE", 1), build.order_line("2", "SOON", 1)]
    return [placed(build.order(order_id, lines=late, placed_at=placed_at)) for order_id in sorted(LATE_ORDERS)] + [
        placed(build.order(order_id, lines=held, placed_at=placed_at)) for order_id in sorted(HELD_ORDERS)
    ]


def told(world: World, *kinds: str) -> Counter[str]:
    """How often each order heard of some kinds."""
    outputs = {
        (output.topic, output.key, output.sequence): output.data for output in world.outputs if "kind" in output.data
    }
    return Counter(data["order_id"] for data in outputs.values() if data["kind"] in kinds)


async def killed(world: World, point: str, nth: int = 1) -> None:
    """Let a worker come to a point and die there, and another one do all that is left."""
    group = f"{world.settings.topic_prefix}{point}"
    async with child(world, point, nth, kafka_group_id=group) as dying:
        assert await dying.ended() == -signal.SIGKILL
    async with running(world):
        await world.settled()

        async def is_done() -> bool:
            return not await world.value(DUE, utc_now().date(), utc_now())

        await world.until(is_done)
        await world.settled()
    await audit(world)


async def test_a_worker_killed_while_it_tells_ends_silence_or_releases_is_succeeded_without_loss_or_doubles(
    stack: Servers, template_database: str
) -> None:
    async def scenario(side: str) -> None:
        async with fresh_world(stack, template_database, **SETTINGS) as world:
            line = build.receipt_line(sku="HERE", quantity=HELD)
            async with running(world):
                await world.send(coming(1, 10), received(build.receipt(lines=[line])))
                await world.settled()
                await world.send(*orders())
                await world.settled()
            assert await world.value("select sum(held)::int from bo_worker.order_line") == HELD

            await world.send(coming(2, 90))
            await killed(world, f"{side}_tell_delays", 2)  # The first of three parts is told by then.
            assert told(world, "delay_notice") == Counter(LATE_ORDERS)
            tokens = (
                "select count(*), count(distinct order_id), count(distinct token_hash) from bo_worker.delay_notice"
            )
            assert [tuple(row) for row in await world.fetch(tokens)] == [(LATE * LINES, LATE, LATE)]

            await world.fetch(SILENT)
            await killed(world, f"{side}_end_silence", 2)
            assert told(world, "order_cancelled") == Counter(LATE_ORDERS)
            outcomes = await world.fetch("select outcome, count(*)::int from bo_worker.delay_notice group by 1")
            assert [tuple(row) for row in outcomes] == [("cancelled_by_silence", LATE * LINES)]

            before = told(world, "still_on_track")
            await world.fetch(HELD_FOR_LONG)
            await killed(world, f"{side}_release_consolidated")
            assert told(world, "ship") == Counter(HELD_ORDERS)
            assert await world.value("select sum(released)::int from bo_worker.order_line") == HELD

            await world.fetch(HEARD_LONG_AGO)
            await killed(world, f"{side}_tell_on_track")
            assert told(world, "still_on_track") - before == Counter(HELD_ORDERS)

    await side_by_side(("in", "after"), scenario)
