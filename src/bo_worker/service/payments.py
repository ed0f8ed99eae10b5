"""What the sweep does about payments: it has them renewed in time, and does not keep units for who does not pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain import unpaid
from bo_worker.domain.authorize import due_at, is_served, look_again
from bo_worker.domain.cause import Cause
from bo_worker.service.freed import settle_and_save
from bo_worker.service.sweep import TOPIC, Done, twice
from bo_worker.service.work import Work, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.orders import load_orders
from bo_worker.store.payments import find_payments_due
from bo_worker.store.products import lock_products

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order
    from bo_worker.service.work import Rules

_ORDERS_MAX = 100


async def renew_authorizations(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Ask for another authorization of orders whose own runs out soon; those that got no answer count as failed."""
    order_ids = await find_payments_due(connection, now, _ORDERS_MAX, failed=False)
    if not order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.orders = await load_orders(connection, order_ids, whole=True)
        for order in account.orders.values():
            if order.payment is not None and (due := _due(account, order)) is not None:
                account.cause = _cause(work, "renewal", order, due)
                look_again(account, order, order.payment)
        return Done(more=True, messages=await save_work(connection, work, now))


async def give_up_unpaid(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Give what one order holds to the queue, in rank, as its payment failed and its time to mend that is over.

    Where it lost that long ago, and is not paid yet, it is cancelled.

    Raises:
        OrdersBusyError: an order of the queue stays locked elsewhere.
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    order_ids = await find_payments_due(connection, now, 1, failed=True)
    if not order_ids:
        return Done()
    return await twice(lambda busy: _give_up(connection, order_ids[0], busy, rules, now))


async def _give_up(
    connection: asyncpg.Connection, order_id: str, busy: Collection[str], rules: Rules, now: datetime
) -> Done:
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, {order_id, *busy})
        account.orders = await load_orders(connection, [order_id], whole=True)
        order = account.orders[order_id]
        due = _due(account, order)
        if due is None or not order.payment or order.payment.status != "failed":
            # It was paid or cancelled meanwhile.
            return Done(more=True, messages=await save_work(connection, work, now))
        account.products = await lock_products(connection, {line.sku for line in order.lines})
        account.cause = _cause(work, "unpaid", order, due)
        if not is_served(order):
            unpaid.cancel_unpaid(account, order)
            return Done(more=True, messages=await save_work(connection, work, now))
        waited = _waiting(order)
        effect = unpaid.give_up_unpaid(account, order)
        messages = await settle_and_save(connection, work, effect, rules, now, waited)
        return Done(more=True, messages=messages, units=work.units)


def _due(account: Account, order: Order) -> datetime | None:
    """Return when the payment of an order became due, None where it is not, now that the order is locked."""
    due = due_at(order, order.payment, account.terms.payment) if order.payment else None
    return due if due is not None and due <= account.now else None


def _cause(work: Work, name: str, order: Order, due: datetime) -> Cause:
    """Return the cause of what is done now; how much the order was told by then sets it apart from any other."""
    key = work.keys[order.order_id]
    told = key.notifications + key.fulfillments + key.payments
    return Cause(TOPIC, f"{name}/{order.order_id}/{due.isoformat()}/{told}")


def _waiting(order: Order) -> dict[str, int]:
    """Return the units that wait for each SKU: in the database they still stand in its queue."""
    units: dict[str, int] = {}
    for line in order.lines:
        units[line.sku] = units.get(line.sku, 0) + line.backordered
    return units
