"""The customer's money on running workers: asked for in time, waited for, and given back in part."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import build
from audit import audit
from bo_worker.app import Worker
from command import command, variables
from live_shop import Clock
from world import World, fresh_world, message, received, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def placed(world: World, order_id: str, **fields: Any) -> None:
    priced = build.order_line("1", "SKU-1", 3, unit_price={"amount": "19.90", "currency": "EUR"})
    await world.send(message("order-created", build.order(order_id, lines=[priced], **fields)))
    await world.settled()


async def news(world: World, number: int, status: str, **fields: Any) -> None:
    at = f"2026-11-29T10:00:0{number}Z"
    values = build.payment(f"P-{number}", status, order_id="SO-1", occurred_at=at, **fields)
    await world.send(message("payment-updated", values))
    await world.settled()


async def came(world: World, receipt_id: str, quantity: int) -> None:
    await world.send(received(build.receipt(receipt_id, lines=[build.receipt_line(quantity=quantity)])))
    await world.settled()


async def until(world: World, condition: str) -> None:
    """Wait for something that the sweep does, and read what it told."""

    async def holds() -> bool:
        return bool(await world.value(f"select exists (select from bo_worker.order_payment where {condition})"))  # noqa: S608 - ours

    await world.until(holds)
    await world.settled()


def asked(world: World) -> list[tuple[str, str, str, str | None]]:
    found = []
    for one in world.data_of("payment", "SO-1"):
        money = one["amount"]
        assert money["currency"] == "EUR"
        found.append((one["kind"], money["amount"], one["authorization_id"], one["due_by"]))
    return found


def kinds(world: World, order_id: str) -> list[str]:
    return [one["kind"] for one in world.data_of("customer-notification", order_id)]


async def test_the_money_for_an_order_from_its_authorization_to_a_refund(
    stack: Servers, template_database: str
) -> None:
    clock = Clock()
    async with fresh_world(stack, template_database) as world, running(world, Worker(world.settings, clock=clock)):
        payment = {"authorization_id": "A-1", "capture_before": "2026-11-28T12:00:00Z"}
        await placed(world, "SO-1", payment=payment, ship_to_country="DE")
        await placed(world, "SO-2", placed_at="2026-11-21T11:00:00Z")
        clock.now += timedelta(days=6)
        await until(world, "asked_at is not null")
        assert asked(world) == [("authorize", "59.70", "A-1", None)]

        await news(world, 1, "failed")
        await came(world, "R-1", 2)
        assert kinds(world, "SO-1") == ["order_backordered", "payment_action_required"]
        assert world.data_of("customer-notification", "SO-1")[-1]["respond_by"] == "2026-11-30T12:00:00Z"
        shown = await command("show", "order", "SO-1", given=variables(world.settings))
        assert "2026-11-30" in shown.out
        clock.now += timedelta(days=3)
        await until(world, "status = 'failed' and due_at > deadline")
        assert kinds(world, "SO-2") == ["order_backordered", "backorder_filled"]
        await came(world, "R-2", 3)

        await news(world, 2, "authorized", authorization_id="A-2")
        assert kinds(world, "SO-1")[2:] == ["backorder_filled"]
        one = [{"line_id": "1", "quantity": 1}]
        await world.send(message("order-cancelled", build.cancellation("X-1", "SO-1", lines=one)))
        await world.settled()
        await news(world, 3, "captured")
        await world.send(message("order-cancelled", build.cancellation("X-2", "SO-1")))
        await world.settled()
        await news(world, 4, "refunded")
        assert asked(world)[1:] == [("void", "19.90", "A-2", None), ("refund", "39.80", "A-2", "2026-12-09")]
        assert kinds(world, "SO-1")[-1] == "refund_issued"

        await placed(world, "SO-3", payment=payment | {"authorization_id": "A-3"}, placed_at="2026-11-21T11:30:00Z")
        await until(world, "order_id = 'SO-3' and asked_at is not null")
        clock.now += timedelta(days=1)  # Nobody answers.
        await until(world, "order_id = 'SO-3' and status = 'failed' and due_at = deadline")
        clock.now += timedelta(days=33)
        await until(world, "order_id = 'SO-3' and due_at is null")
        assert kinds(world, "SO-3")[-1] == "order_cancelled"
        assert world.data_of("customer-notification", "SO-3")[-1]["reason"] == "payment_failed"
        await audit(world)
