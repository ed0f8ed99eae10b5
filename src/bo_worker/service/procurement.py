"""Lets purchasing know, at the end of each transaction, what it changed; closes backorders, and opens them again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.closing import NO_CHURN, NOBODY, close_for_rate
from bo_worker.domain.order_supply import ask_for_lost
from bo_worker.domain.procurement import demand_signals, name, tell_purchasing
from bo_worker.store.own_supply import find_own_supply, save_own_supply, save_own_supply_due
from bo_worker.store.procurement import count_churn, describe_queues, load_churn, sum_waiting

if TYPE_CHECKING:
    from collections.abc import Collection

    import asyncpg

    from bo_worker.domain.account import Account


async def load_given_up(connection: asyncpg.Connection, account: Account, policies: Collection[str]) -> None:
    """Load how many of those who waited gave up before, where the policy of a product asks for it.

    `policies` are the SKUs of which that may change. The products are locked.
    """
    products = account.products
    counting = {sku: found for sku, found in products.items() if found.counts_churn or sku in policies}
    churns = await load_churn(connection, counting, account.today)
    for sku, product in counting.items():
        product.churn = churns.get(sku, NO_CHURN)


async def close_backorders(connection: asyncpg.Connection, account: Account) -> None:
    """Count who began to wait and who gave up, where a policy asks for it; close the backorders of too many."""
    counted = [product for product in account.products.values() if product.joined or product.dropped]
    if not counted:
        return
    await count_churn(connection, counted, account.today)
    given_up = {product.sku: product for product in counted if product.dropped and product.churn is None}
    churns = await load_churn(connection, given_up, account.today)
    for sku, product in given_up.items():
        if close_for_rate(product, churns.get(sku, NO_CHURN)):
            product.is_switched = True
    for product in counted:
        product.joined = product.dropped = 0


async def publish_procurement(connection: asyncpg.Connection, account: Account) -> None:
    """Tell purchasing of each product that changed. The orders of the transaction are stored."""
    told, signals = [], []
    await save_own_supply(connection, account.own_supply)
    if account.own_supply_lost:
        lines = [(loss.order_id, position) for loss in account.own_supply_lost for position in loss.needs]
        ask_for_lost(account, await find_own_supply(connection, lines))
    await save_own_supply_due(connection, account.own_supply_due)
    waiting = await sum_waiting(connection, [sku for sku, product in account.products.items() if product.lapsed])
    for product in account.products.values():
        if product.demand is not None:
            signals += demand_signals(product)
        if not product.is_changed or product.touched_by is None:
            continue
        if product.waiting or product.expedite_told or product.policy is not None:
            told += tell_purchasing(account, product, waiting.get(product.sku, {}), switched=product.is_switched)
            product.is_switched, product.lapsed = False, []
    waited_for = {message.sku for message in told if account.products[message.sku].waiting}
    queues = await describe_queues(connection, waited_for)
    for message in told:
        queue = queues.get(message.sku, NOBODY)
        message.orders_waiting, message.needed_by = queue.orders, queue.needed_by
    for message in told + signals:
        name(account, account.products[message.sku], message)
