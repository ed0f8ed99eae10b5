"""What the sweep does about trucks: it plans which waiting orders they serve, and tells when that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.plan import Plan, admit, is_settled, revise
from bo_worker.service.work import load_found
from bo_worker.store.plans import delete_ended_plans, find_planned_orders, load_plans, save_plans

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.domain.plan import Load, PlanKey, PlannedLine
    from bo_worker.service.work import Work


async def plan_docks(connection: asyncpg.Connection, work: Work, carried: list[Load], plans_max: int) -> None:
    """Bring the plans of the loaded products up to date, at most `plans_max`; the rest leaves the products due.

    `carried` is what trucks bring of them. The products are locked.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
    """
    account = work.account
    skus = account.products.keys()
    loads = await _admitted(connection, work, carried)
    lines: dict[PlanKey, list[PlannedLine]] = {}
    for load in loads:
        lines.setdefault(load.plan, []).append(load.line)
    places = {load.plan: load.location for load in loads}
    stored = await load_plans(connection, skus, lines)
    plans = stored | {key: Plan(*key, places[key]) for key in lines.keys() - stored.keys()}
    changed = sorted(
        key
        for key, plan in plans.items()
        if plan.location != places.get(key, plan.location) or not is_settled(plan, skus, lines.get(key, ()))
    )
    if len(changed) > plans_max:
        for product in account.products.values():
            product.are_promises_due = True
    taken = changed[:plans_max]
    await load_found(connection, work, {order_id for _, order_id in taken}, whole=False)
    plans |= await load_plans(connection, (), taken)  # What they are now that their orders are locked.
    for key in taken:
        plan = plans[key]
        revise(account, account.orders[key[1]], plan, skus, lines.get(key, ()), places.get(key, plan.location))
    await save_plans(connection, [plans[key] for key in taken])
    await delete_ended_plans(connection, {purchase_order_id for purchase_order_id, _ in stored})


async def _admitted(connection: asyncpg.Connection, work: Work, loads: list[Load]) -> list[Load]:
    """Return what trucks bring for as many orders as may leave from a dock."""
    account, terms = work.account, work.account.terms.dock
    if not loads or not terms.orders_max:
        return loads
    trucks = {load.plan[0] for load in loads}
    planned = await find_planned_orders(connection, trucks, account.products.keys())
    return admit(loads, planned, terms.orders_max)
