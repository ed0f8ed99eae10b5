"""What the sweep does about supply of its own for each order: it asks for that of lines that waited before."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.demand import SUSPENDED
from bo_worker.domain.order_supply import Need, ask, has_own_supply
from bo_worker.service.sweep import TOPIC, Done
from bo_worker.service.work import Work, save_work
from bo_worker.store.own_supply import drop_own_supply_due, find_own_supply_due, find_unordered
from bo_worker.store.products import lock_products

if TYPE_CHECKING:
    from datetime import datetime

    import asyncpg

    from bo_worker.service.work import Rules

_LINES_MAX = 1_000


async def order_supply_due(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Ask purchasing for what some orders wait for, whose product is made to order or drop-shipped by now.

    Raises:
        UnfinishedCauseError: the product waits for the rest of a large change.
    """
    sku = await find_own_supply_due(connection)
    if sku is None:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        account.products = await lock_products(connection, [sku])
        product = account.products[sku]
        lines = sorted(await find_unordered(connection, sku, _LINES_MAX)) if has_own_supply(product) else []
        if len(lines) < _LINES_MAX:
            await drop_own_supply_due(connection, sku)
        account.own_supply += [(line.order_id, line.position) for line in lines]
        # The number keeps apart what is asked for in several parts.
        account.cause = Cause(TOPIC, f"own_supply/{sku}/{product.procurement_sequence}")
        for order_id, found in groupby(lines, lambda line: line.order_id):
            needs = [
                Need(line.pin.removeprefix(SUSPENDED) or None, line.backordered, line.expected_to) for line in found
            ]
            ask(account, product, order_id, needs)
        return Done(more=True, messages=await save_work(connection, work, now))
