"""Workers that are killed ask for the customer's money neither twice nor too little."""

from __future__ import annotations

import random
import signal
from decimal import Decimal
from typing import TYPE_CHECKING

import build
from audit import audit
from children import child, side_by_side
from world import World, fresh_world, message, placed, received, running

if TYPE_CHECKING:
    from bo_worker.messages.record import Message
    from bo_worker.stack.servers import Servers

POINTS = ("before_commit", "after_commit", "published", "in_job", "after_job")
SEED = 41
ORDERS = 60
RUN_OUT, LONG_VALID = "2026-11-01T00:00:00Z", "2099-01-01T00:00:00Z"


def inputs() -> list[Message]:
    """Orders whose money is there, or was; a third of them get news; parts of most of them are given up."""
    draw = random.Random(SEED)  # noqa: S311 - a seeded generator, not a secret
    found = [_order(draw, number) for number in range(ORDERS)]
    for number in range(ORDERS // 4):
        line = build.receipt_line(sku=f"SKU-{draw.randrange(3)}", quantity=draw.randint(1, 9))
        found.append(received(build.receipt(f"R-{number}", lines=[line])))
    for number in range(ORDERS):
        lines = [{"line_id": str(draw.randint(1, 2)), "quantity": draw.randint(1, 3)}]
        cancellation = build.cancellation(f"X-{number}", f"SO-{draw.randrange(ORDERS)}", lines=lines)
        found.append(message("order-cancelled", cancellation))
    for number in range(0, ORDERS, 3):
        status = draw.choice(("failed", "authorized", "captured"))
        news = build.payment(f"P-{number}", status, order_id=f"SO-{number}", authorization_id=f"A-{number}")
        found.append(message("payment-updated", news))
    draw.shuffle(found)
    return found


def _order(draw: random.Random, number: int) -> Message:
    lines = [
        build.order_line(
            line_id,
            f"SKU-{draw.randrange(3)}",
            draw.randint(1, 6),
            unit_price={"amount": draw.choice(("0.3333", "19.90", "7.005")), "currency": "EUR"},
        )
        for line_id in ("1", "2")
    ]
    payment = {"authorization_id": "A", "capture_before": RUN_OUT if number % 3 == 1 else LONG_VALID}
    return placed(build.order(f"SO-{number}", lines=lines, payment=payment))


async def nothing_due(world: World) -> bool:
    """Whether the sweep has asked for all money that has run out."""
    query = "select not exists (select from bo_worker.order_payment where due_at <= now())"
    return bool(await world.value(query))


async def audit_payments(world: World) -> None:
    """Of orders that were authorized all the time, what is asked back is the rounded sum of what is given up."""
    await audit(world)
    rows = await world.fetch(
        "select order_id, round(sum(price_amount::numeric * cancelled), 2) as total"
        " from bo_worker.order_line group by order_id"
    )
    totals = {row["order_id"]: row["total"] for row in rows}
    for number in range(2, ORDERS, 3):
        requests = {one["payment_request_id"]: one for one in world.data_of("payment", f"SO-{number}")}
        asked = [Decimal(one["amount"]["amount"]) for one in requests.values()]
        assert {one["kind"] for one in requests.values()} <= {"void"}
        assert sum(asked) == totals[f"SO-{number}"], f"SO-{number}"
    for number in range(1, ORDERS, 3):
        requests = {one["payment_request_id"]: one for one in world.data_of("payment", f"SO-{number}")}
        assert [one["kind"] for one in requests.values()] in ([], ["authorize"])


async def test_a_worker_killed_while_it_asks_for_money_is_succeeded_without_loss_or_doubles(
    stack: Servers, template_database: str
) -> None:
    load = inputs()

    async def scenario(point: str) -> None:
        async with fresh_world(stack, template_database, batch_records_max=20) as world:
            await world.send(*load)
            async with child(
                world, point, 2 if "commit" in point else 1, kafka_group_id=f"{world.settings.topic_prefix}1"
            ) as dying:
                assert await dying.ended() == -signal.SIGKILL
            async with running(world):
                await world.settled()
                await world.until(lambda: nothing_due(world))
                await world.settled()
            await audit_payments(world)

    await side_by_side(POINTS, scenario)
