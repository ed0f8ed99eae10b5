"""What the sweep does about units that wait for the rest of their order: they leave when it takes too long."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.consolidation import end_hold
from bo_worker.domain.settle import release_served
from bo_worker.service.sweep import TOPIC, Done
from bo_worker.service.work import Work, load_found, save_work
from bo_worker.store.holds import find_held_orders, find_passed_holds
from bo_worker.store.keys import lock_keys
from bo_worker.store.orders import load_orders

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.demand import Order
    from bo_worker.domain.repeg import Moved
    from bo_worker.service.work import Rules

_ORDERS_MAX = 200


async def release_consolidated(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Release what has waited for the rest of its order for as long as it may; all of it where nothing is to wait."""
    before = now.date() if rules.terms.choices.consolidate_days else date.max
    order_ids = await find_passed_holds(connection, before, _ORDERS_MAX)
    if not order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.orders = await load_orders(connection, order_ids, whole=False)
        due = [
            order
            for _, order in sorted(account.orders.items())
            if order.hold_until is not None and order.hold_until < before and _may_leave(order)
        ]
        for order in due:
            account.cause = Cause(TOPIC, f"hold/{order.order_id}/{order.hold_until}/{account.today}")
            release_served(account, order.order_id, None)
            end_hold(order)  # One that has to leave as a whole by now goes on waiting for that reason.
        messages = await save_work(connection, work, now)
    return Done(more=bool(due), messages=messages, units=work.units)


async def release_moved(connection: asyncpg.Connection, work: Work, moved: Iterable[Moved]) -> None:
    """Release orders of which nothing is promised soon any more. The products of what moved are locked.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
    """
    order_ids = await find_held_orders(connection, {line.waiting.order_id for line in moved})
    await load_found(connection, work, set(order_ids), whole=False)
    for order_id in order_ids:
        if _may_leave(work.account.orders[order_id]):
            release_served(work.account, order_id, None)


def _may_leave(order: Order) -> bool:
    """Tell whether no unfinished cause is at work on an order: that one releases what it gave, when it is done."""
    return all(claim.pending_cause is None for line in order.lines for claim in line.claims)
