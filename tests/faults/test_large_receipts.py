"""A receipt that fills more lines than one transaction may take: in steps, resumed after a crash, nobody passes."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import build
from audit import audit
from bo_worker.service.apply import apply_batch
from bo_worker.service.unfinished import go_on
from bo_worker.service.work import Lessons
from children import child, side_by_side
from direct import direct_workers
from world import fresh_world, placed, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

WAITING = 1200
ARRIVING = 1000


async def test_a_receipt_killed_in_the_middle_is_finished_and_no_order_passes_the_queue(
    stack: Servers, template_database: str
) -> None:
    async def scenario(steps: int) -> None:
        async with fresh_world(stack, template_database, fill_lines_max=200, batch_records_max=1000) as world:
            await world.send(*(placed(_order(f"SO-{number:04}")) for number in range(WAITING)))
            async with child(
                world, "after_step", steps, kafka_group_id=f"{world.settings.topic_prefix}dead"
            ) as dying:
                await world.settled()
                await world.send(received(build.receipt(lines=[build.receipt_line(quantity=ARRIVING)])))
                assert await dying.ended() == -signal.SIGKILL
            assert await world.value("select count(*) from bo_worker.unfinished_cause") == 1
            await world.send(placed(_order("SO-9999")))
            async with running(world):
                await world.settled()
            await audit(world)
            served = await world.fetch(
                "select order_id from bo_worker.order_line where released = 1 order by order_id"
            )
            assert [order_id for (order_id,) in served] == [f"SO-{number:04}" for number in range(ARRIVING)]
            (told,) = world.data_of("customer-notification", "SO-9999")
            assert told["kind"] == "order_backordered"

    # The first of the steps that serve the queue, one of the last, and one of those that release what was served.
    await side_by_side((1, 8, 12), scenario)


async def test_units_that_another_receipt_releases_meanwhile_do_not_keep_a_receipt_unfinished(
    database_url: str,
) -> None:
    lines = [build.order_line("1", "SKU-A", 1), build.order_line("2", "SKU-B", 1)]
    orders = [placed(build.order(f"SO-{number}", lines=lines)) for number in range(30)]
    async with direct_workers(database_url, 2, fill_lines_max=10) as (connection, (one, two)):
        await one.apply(*orders)
        large = one.batch(received(build.receipt("R-A", lines=[build.receipt_line("1", "SKU-A", 30)])))
        large.lessons.in_steps = True
        rules, clock = one.worker.applier._rules, one.worker.applier._clock
        await apply_batch(connection, large, rules, clock(), lambda _: None)
        await go_on(connection, "inventory-received/R-A", Lessons(), rules, clock())
        # The first orders hold units of one product, and are about to be told, when the other one comes.
        await two.apply(received(build.receipt("R-B", lines=[build.receipt_line("1", "SKU-B", 3)])))
        await one.worker.applier.finish_all()
        await one.relay()
        rows = await connection.fetch(
            "select line_id, sum(released)::int from bo_worker.order_line group by 1 order by 1"
        )
        claims = await connection.fetch("select * from bo_worker.claim where pending_cause is not null")
    assert [tuple(row) for row in rows] == [("1", 30), ("2", 3)]
    assert claims == []


def _order(order_id: str) -> build.Data:
    return build.order(order_id, lines=[build.order_line(quantity=1)])
