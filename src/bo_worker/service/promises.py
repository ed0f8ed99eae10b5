"""What the sweep does about promises: it looks at them again when they may have moved, and when supply is overdue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Cause
from bo_worker.domain.facts import NotificationLine
from bo_worker.domain.notice import notify
from bo_worker.domain.repeg import lapse, repeg
from bo_worker.service.sweep import Done
from bo_worker.service.work import OrdersBusyError, Work, load_found, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.products import lock_products
from bo_worker.store.promises import find_promises_due, load_pegged, load_queues, update_promises
from bo_worker.store.supply import find_lapsed, lock_purchase_orders

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.promise import Promised
    from bo_worker.service.work import Rules

TOPIC = "sweep"
_PRODUCTS_MAX = 50
_PURCHASE_ORDERS_MAX = 50
# Lines of one product beyond these are promised nothing.
PROMISED_LINES_MAX = 100_000


async def repeg_products(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Look at the promises of some products again, and tell the customers of those that moved.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    skus = await find_promises_due(connection, _PRODUCTS_MAX)
    if not skus:
        return Done()
    try:
        return await _repeg(connection, skus, (), rules, now)
    except OrdersBusyError as busy:
        return await _repeg(connection, skus, busy.order_ids, rules, now)


async def _repeg(
    connection: asyncpg.Connection, skus: list[str], order_ids: Collection[str], rules: Rules, now: datetime
) -> Done:
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.products = await lock_products(connection, skus)
        queues = await load_queues(connection, account.products.values(), rules.rank_by, PROMISED_LINES_MAX)
        left = rules.fill_lines_max
        moved: list[Promised] = []
        for sku, product in account.products.items():
            lines = {line.waiting: line for line in queues.get(sku, ())}
            lines |= {line.waiting: line for line in await load_pegged(connection, sku, rules.rank_by, PROMISED_LINES_MAX)}
            found = repeg(account, product, lines.values())
            moved += found[:left]
            product.are_promises_due = len(found) > left
            left -= len(found[:left])
            product.promises += 1
            product.is_changed = True
        await _tell(connection, work, skus[0], moved, {line: ...})
        await update_promises(connection, moved)
        messages = await save_work(connection, work, now)
    return Done(more=True, messages=messages)
