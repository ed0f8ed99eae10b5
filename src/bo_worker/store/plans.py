"""Which orders a truck is planned to serve, in and out of the database."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.domain.plan import Plan, PlannedLine, serve
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import asyncpg

    from bo_worker.domain.plan import PlanKey


async def load_plans(
    connection: asyncpg.Connection, skus: Collection[str], keys: Collection[PlanKey]
) -> dict[PlanKey, Plan]:
    """Return the plans that have lines of these SKUs, and those with these keys, as far as they are there.

    They don't change while their orders are locked.
    """
    if not skus and not keys:
        return {}
    named = [[key[part] for key in keys] for part in (0, 1)]
    rows = await connection.fetch(QUERIES["load_plans"], list(skus), *named)
    plans = [
        Plan(row[0], row[1], row[2], row[3], tuple(map(_line, orjson.loads(row[4]))))
        for row in rows
    ]  # fmt: skip
    return {plan.key: plan for plan in plans}


async def find_planned_orders(
    connection: asyncpg.Connection, purchase_order_ids: Collection[str], skus: Collection[str]
) -> dict[str, set[str]]:
    """Return, by purchase order, the orders that are planned for SKUs other than these."""
    found: dict[str, set[str]] = {}
    rows = await connection.fetch(QUERIES["find_planned_orders"], list(purchase_order_ids), list(skus))
    for purchase_order_id, order_id in rows:
        found.setdefault(purchase_order_id, set()).add(order_id)
    return found


async def save_plans(connection: asyncpg.Connection, plans: Iterable[Plan]) -> None:
    """Write plans. Their orders are locked."""
    rows = [_row(plan) for plan in sorted(plans, key=lambda plan: plan.key)]
    await execute_rows(connection, "save_plans", rows)


async def delete_ended_plans(connection: asyncpg.Connection, purchase_order_ids: Collection[str]) -> None:
    """Forget plans without lines whose purchase orders bring nothing any more."""
    if purchase_order_ids:
        await connection.execute(QUERIES["delete_ended_plans"], list(purchase_order_ids))


async def count_served(connection: asyncpg.Connection, served: Mapping[tuple[str, str, int], int]) -> None:
    """Count units that trucks brought, by purchase order, order and position. The orders are locked."""
    if not served:
        return
    plans = await load_plans(connection, (), {(key[0], key[1]) for key in served})
    for (purchase_order_id, order_id, position), quantity in served.items():
        if plan := plans.get((purchase_order_id, order_id)):
            serve(plan, position, quantity)
    # Those without lines are left alone: the sweep may be forgetting them, and they would come back.
    await save_plans(connection, [plan for plan in plans.values() if plan.lines])


def _line(values: list[Any]) -> PlannedLine:
    position, sku, quantity, expected_from, expected_to, line_id, served = values
    days = date.fromisoformat(expected_from), date.fromisoformat(expected_to)
    return PlannedLine(position, sku, quantity, *days, line_id, served)


def _row(plan: Plan) -> tuple[object, ...]:
    return (
        plan.purchase_order_id,
        plan.order_id,
        plan.location,
        plan.revision,
        min((line.expected_from for line in plan.lines), default=None),
        max((line.expected_to for line in plan.lines), default=None),
        orjson.dumps(sorted({line.sku for line in plan.lines})).decode(),
        orjson.dumps(plan.lines, default=tuple).decode(),
    )
