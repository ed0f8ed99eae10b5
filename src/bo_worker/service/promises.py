"""What the sweep does about promises and supply: it looks at them again when the day or what is known has changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.estimate import lapse, reestimate
from bo_worker.domain.notice import notified_days, notify
from bo_worker.service.consolidation import release_moved
from bo_worker.service.pegging import find_all_moved, load_covers, load_loads
from bo_worker.service.plans import plan_docks
from bo_worker.service.sweep import TOPIC, Done, twice
from bo_worker.service.work import Work, load_found, save_work
from bo_worker.store.consent import watch_moved
from bo_worker.store.keys import lock_keys
from bo_worker.store.products import lock_products
from bo_worker.store.promises import find_earliest_promises, find_promises_due, save_news, update_promises
from bo_worker.store.supply import (
    find_lapsed,
    find_open_supply,
    find_supplier_due,
    load_histories,
    lock_purchase_orders,
    update_supplier,
)

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.facts import NotificationLine
    from bo_worker.domain.repeg import Moved
    from bo_worker.service.work import Rules

_PRODUCTS_MAX = 50
_PURCHASE_ORDERS_MAX = 50


async def repeg_products(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Look at the promises of some products again, and tell the customers of those that moved.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    skus = await find_promises_due(connection, now.date(), _PRODUCTS_MAX)
    if not skus:
        return Done()
    return await twice(lambda order_ids: _repeg(connection, skus, order_ids, rules, now))


async def lapse_supply(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Count no longer on supply whose day has passed and of which nothing came; put off the rest of the other.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    purchase_order_ids = await find_lapsed(connection, now.date(), _PURCHASE_ORDERS_MAX)
    if not purchase_order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        orders = account.purchase_orders = await lock_purchase_orders(connection, purchase_order_ids)
        skus = {line.sku for order in orders.values() for line in order.lines.values()}
        account.products = await lock_products(connection, skus, purchase_orders=orders.values())
        account.cause = Cause(TOPIC, f"overdue/{purchase_order_ids[0]}/{now.date()}")
        lapse(account)
        return Done(more=True, messages=await save_work(connection, work, now))


async def reestimate_supply(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Set the days again of what is on its way from a supplier: deliveries of it have ended since, or a day passed.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    due = await find_supplier_due(connection, now.date())
    if due is None:
        return Done()
    supplier_id, after = due
    purchase_order_ids = await find_open_supply(connection, supplier_id, after, _PURCHASE_ORDERS_MAX)
    estimated_to = purchase_order_ids[-1] if len(purchase_order_ids) == _PURCHASE_ORDERS_MAX else None
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        orders = account.purchase_orders = await lock_purchase_orders(connection, purchase_order_ids)
        lines = [line for order in orders.values() for line in order.lines.values()]
        skus = {line.sku for line in lines}
        account.products = await lock_products(connection, skus, purchase_orders=orders.values())
        # Read only now: a delivery that is not seen below is noted after this, and due once more.
        await update_supplier(connection, supplier_id, estimated_to, now.date())
        account.histories = await load_histories(connection, {(line.supplier_id, line.sku) for line in lines})
        account.cause = Cause(TOPIC, f"deliveries/{supplier_id}/{now.date()}")
        reestimate(account)
        return Done(more=True, messages=await save_work(connection, work, now))


async def _repeg(
    connection: asyncpg.Connection, skus: list[str], order_ids: Collection[str], rules: Rules, now: datetime
) -> Done:
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.products = await lock_products(connection, skus)
        covers = await load_covers(connection, account.products.values(), rules)
        moved = await find_all_moved(connection, account, covers, rules)
        await update_promises(connection, moved)
        earliest = await find_earliest_promises(connection, account.products, account.today)
        for sku, product in account.products.items():
            product.earliest_promise_on = earliest.get(sku)
        first = account.products[min(account.products)]
        account.cause = Cause(TOPIC, f"promises/{first.sku}/{first.promises}")
        news = [line for line in moved if line.is_news]
        await _tell(connection, work, news)
        await save_news(connection, account, news)
        await watch_moved(connection, moved, account.today, rules.terms.delays.default_days_min)
        if rules.terms.choices.consolidate_days and moved:
            await release_moved(connection, work, moved)
        loads = await load_loads(connection, account, covers, rules)
        await plan_docks(connection, work, loads, rules.fill_lines_max - len(moved))
        return Done(more=True, messages=await save_work(connection, work, now))


async def _tell(connection: asyncpg.Connection, work: Work, news: list[Moved]) -> None:
    """Tell each customer of the lines whose promises moved; the products are locked.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
    """
    await load_found(connection, work, {line.waiting.order_id for line in news}, whole=False)
    told: dict[str, list[NotificationLine]] = {}
    for line in news:
        waiting, promise = line.waiting, line.promise
        order = work.account.orders[waiting.order_id]
        line_id = next(found.line_id for found in order.lines if found.position == waiting.position)
        told.setdefault(waiting.order_id, []).append(
            notified_days(work.account, line_id, line.sku, waiting.quantity, promise)
        )
    for order_id, lines in told.items():
        notify(work.account, work.account.orders[order_id], "expected_date_changed", lines)
