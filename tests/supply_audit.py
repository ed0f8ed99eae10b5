"""The audit of what the sweep tells, days, plans and waitlists, against what is stored and plain arithmetic."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import orjson

from promised import planned_units

if TYPE_CHECKING:
    from world import World

DATED: Final = ("order_backordered", "expected_date_changed")


async def audit_supply(world: World) -> None:
    """Audit a world that has settled."""
    await _audit_told_days(world)
    await _audit_plans(world)
    told = back_in_stock(world)
    assert len(set(told)) == len(told), "a customer was told twice in one round"


def back_in_stock(world: World) -> list[str]:
    """The ids of what waitlists were told; each is derived from the entry and the round."""
    told = {
        (output.key, output.sequence): output.data["notification_id"]
        for output in world.outputs
        if output.topic == "customer-notification" and output.data["kind"] == "back_in_stock"
    }
    return list(told.values())


async def _audit_told_days(world: World) -> None:
    """The last day that the customer of a waiting line heard is the one that the view shows."""
    told: dict[tuple[str, str], str | None] = {}
    for order_id in {output.key.decode() for output in world.outputs if output.topic == "customer-notification"}:
        for data in world.data_of("customer-notification", order_id):
            if data["kind"] in DATED:
                told |= {(order_id, line["line_id"]): line["expected_to"] for line in data["lines"]}
    rows = await world.fetch("select order_id, line_id, expected_to::text from bo_worker.backorder_queue")
    found = {(row["order_id"], row["line_id"]): row["expected_to"] for row in rows}
    assert {place: told.get(place) for place in found} == found


async def _audit_plans(world: World) -> None:
    """What trucks are planned to bring is what the plainest arithmetic hands out of it."""
    rows = await world.fetch("select purchase_order_id, order_id, lines::text from bo_worker.cross_dock_plan")
    planned: Counter[tuple[str, str, int]] = Counter()
    for purchase_order_id, order_id, lines in rows:
        for position, _, quantity, _, _, _, served in orjson.loads(lines):
            planned[purchase_order_id, order_id, position] += max(0, quantity - served)
    assert +planned == await planned_units(world.fetch)
