"""What is on its way, and what waiting customers are promised because of it, on running workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import build
from audit import audit
from bo_worker.app import Worker
from bo_worker.store.reports import report_promises
from command import command, variables
from live_shop import Clock
from world import World, fresh_world, message, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

LATE = [f"LATE-{number}" for number in range(9)]


async def ordered(world: World, purchase_order_id: str, version: int = 1, **fields: Any) -> None:
    await world.send(message("purchase-order-updated", build.purchase_order(purchase_order_id, version, **fields)))
    await world.settled()


async def placed(world: World, order_id: str, quantity: int = 3, **fields: Any) -> None:
    fields.setdefault("lines", [build.order_line("1", "SKU-1", quantity)])
    await world.send(message("order-created", build.order(order_id, **fields)))
    await world.settled()


async def came(world: World, purchase_order_id: str, quantity: int, sku: str, at: str) -> None:
    line = build.receipt_line(sku=sku, quantity=quantity)
    fields = {"purchase_order_id": purchase_order_id, "received_at": at}
    await world.send(received(build.receipt(f"R-{purchase_order_id}", lines=[line], **fields)))
    await world.settled()


def told(world: World, order_id: str) -> list[tuple[str, str | None, str | None]]:
    """Kinds and dates of what a customer was told of the first line, but for questions whether to wait longer."""
    return [
        (data["kind"], data["lines"][0]["expected_from"], data["lines"][0]["expected_to"])
        for data in world.data_of("customer-notification", order_id)
        if data["kind"] != "delay_notice"
    ]


async def overdue(world: World) -> bool:
    return bool(await world.value("select exists (select from bo_worker.supply where is_overdue)"))


async def queue(world: World) -> list[tuple[str, str | None]]:
    rows = await world.fetch("select order_id, expected_to::text from bo_worker.backorder_queue order by rank")
    return [(row[0], row[1]) for row in rows]


async def test_who_waits_is_promised_what_is_on_its_way_in_rank(stack: Servers, template_database: str) -> None:
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=Clock())):
        await ordered(world, "PO-1", lines=[build.purchase_order_line(quantity=5)])
        late = build.purchase_order_line(quantity=5, expected_from="2026-12-10", expected_to="2026-12-12")
        await ordered(world, "PO-2", lines=[late])
        for order_id in ("SO-1", "SO-2", "SO-3", "SO-4"):
            await placed(world, order_id, 3)
        assert told(world, "SO-1") == [("order_backordered", "2026-12-01", "2026-12-05")]
        assert told(world, "SO-2") == [("order_backordered", "2026-12-10", "2026-12-12")]
        assert told(world, "SO-3") == [("order_backordered", "2026-12-10", "2026-12-12")]
        assert told(world, "SO-4") == [("order_backordered", None, None)]
        availability = world.data_of("availability-changed", "SKU-1")[-1]
        assert availability["incoming"] == 10
        assert availability["next_receipt_on"] == "2026-12-05"
        assert availability["available_to_promise"] == []
        await placed(world, "SO-5", 1, priority=9)
        assert told(world, "SO-5") == [("order_backordered", "2026-12-01", "2026-12-05")]
        await world.settled()
        assert await queue(world) == [
            ("SO-5", "2026-12-05"),
            ("SO-1", "2026-12-05"),
            ("SO-2", "2026-12-12"),
            ("SO-3", "2026-12-12"),
            ("SO-4", None),
        ]
        await audit(world)


async def test_a_customer_hears_once_when_the_promise_moves(stack: Servers, template_database: str) -> None:
    clock = Clock()
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=clock)):
        await placed(world, "SO-1", 3)
        await ordered(world, "PO-1")
        later = build.purchase_order_line(expected_from="2026-12-03", expected_to="2026-12-09")
        await ordered(world, "PO-1", 3, lines=[later])
        await ordered(world, "PO-1", 2)
        assert told(world, "SO-1") == [
            ("order_backordered", None, None),
            ("expected_date_changed", "2026-12-01", "2026-12-05"),
            ("expected_date_changed", "2026-12-03", "2026-12-09"),
        ]
        clock.pass_days(30)
        await world.until(lambda: overdue(world))
        await world.settled()
        assert told(world, "SO-1")[3:] == [("expected_date_changed", None, None)]
        assert world.data_of("availability-changed", "SKU-1")[-1]["incoming"] == 0
        receipt = build.receipt("R-1", lines=[build.receipt_line(quantity=1)], purchase_order_id="PO-1")
        await world.send(received(receipt))
        await world.settled()
        assert world.data_of("availability-changed", "SKU-1")[-1]["incoming"] == 99
        await audit(world)


async def test_a_supplier_that_is_late_is_believed_less_and_the_report_counts_right(
    stack: Servers, template_database: str
) -> None:
    clock = Clock()
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=clock)):
        await ordered(world, "PO-OLD", lines=[build.purchase_order_line(quantity=5)])
        await placed(world, "SO-1", 3)
        days = {"expected_from": "2026-11-18", "expected_to": "2026-11-18"}
        for name in LATE:
            await ordered(world, name, lines=[build.purchase_order_line(sku="SKU-2", quantity=1, **days)])
            await came(world, name, 1, "SKU-2", "2026-11-21T08:00:00Z")

        async def has_moved() -> bool:
            return bool(await world.value("select exists (select from bo_worker.promise where moves > 0)"))

        await world.until(has_moved)
        await ordered(world, "PO-NEW", lines=[build.purchase_order_line(sku="SKU-3", quantity=5)])
        await placed(world, "SO-2", lines=[build.order_line(sku="SKU-3")])
        await placed(world, "SO-3", 2)
        await world.send(message("order-cancelled", build.cancellation(order_id="SO-3")))
        await world.settled()
        assert [(kind, day) for kind, _, day in told(world, "SO-1")] == [
            ("order_backordered", "2026-12-05"),
            ("expected_date_changed", "2026-12-08"),
        ]
        assert told(world, "SO-2")[0] == ("order_backordered", "2026-12-01", "2026-12-08")
        clock.pass_days(16)
        await came(world, "PO-OLD", 5, "SKU-1", "2026-12-07T08:00:00Z")
        await came(world, "PO-NEW", 5, "SKU-3", "2026-12-07T08:00:00Z")
        clock.pass_days(2)
        (level,) = await report_promises(await world.connected(), clock.now.date())
        assert level == {
            "level": world.settings.promise_level,
            "made": 3,
            "open": 0,
            "held": 1,
            "broken": 1,
            "withdrawn": 1,
            "judged": 2,
            "share_held": 0.5,
            "mean_days_late": 2.0,
            "worst_days_late": 2,
            "moves_per_promise": 0.33,
        }
        printed = await command("report", "promises", "--json", given=variables(world.settings))
        assert printed.json["levels"][0]["made"] == 3
        table = await command("report", "promises", given=variables(world.settings))
        assert table.out.splitlines()[1].split()[:4] == ["level", "made", "open", "held"]
        await audit(world)


async def test_when_a_season_begins_stock_that_lies_there_leaves(stack: Servers, template_database: str) -> None:
    clock = Clock()
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=clock)):
        season = build.policy(kind="seasonal", release_on="2026-12-01", season_ends_on="2026-12-24")
        await world.send(message("product-policy-updated", season))
        received = build.receipt("R-1", lines=[build.receipt_line(quantity=5)])
        await world.send(message("inventory-received", received))
        await world.settled()
        await placed(world, "SO-1", 3)
        assert told(world, "SO-1") == [("order_backordered", "2026-12-01", "2026-12-01")]
        clock.pass_days(10)
        await world.until(lambda: nobody_waits(world))
        await world.settled()
        assert [kind for kind, *_ in told(world, "SO-1")] == ["order_backordered", "backorder_filled"]
        assert world.data_of("availability-changed", "SKU-1")[-1]["available"] == 2
        await audit(world)


async def nobody_waits(world: World) -> bool:
    return await queue(world) == []
