"""What the sweep does about kinds of products: a release day or the end of a season comes without a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.kinds import turn
from bo_worker.domain.settle import Effect
from bo_worker.service.freed import settle_and_save
from bo_worker.service.sweep import TOPIC, Done, twice
from bo_worker.service.unfinished import go_on
from bo_worker.service.work import Lessons, Work
from bo_worker.store.keys import lock_keys
from bo_worker.store.policies import find_turning
from bo_worker.store.products import lock_products
from bo_worker.store.unfinished import list_unfinished

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.service.work import Rules

_TURNS = f"{TOPIC}/season/"


async def turn_of_season(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Turn one product whose day has come, or go on with one whose queue is too long for one transaction.

    Raises:
        OrdersBusyError: an order of the queue stays locked elsewhere.
        UnfinishedCauseError: the product waits for the rest of a large change.
    """
    for name in await list_unfinished(connection):
        if name.startswith(_TURNS):
            return await _go_on(connection, name, rules, now)
    skus = await find_turning(connection, now.date(), 1)
    if not skus:
        return Done()
    return await twice(lambda order_ids: _turn(connection, skus[0], order_ids, rules, now))


async def _go_on(connection: asyncpg.Connection, name: str, rules: Rules, now: datetime) -> Done:
    step = await twice(lambda order_ids: go_on(connection, name, Lessons(set(order_ids)), rules, now))
    return Done(more=True, units=step.units)


async def _turn(
    connection: asyncpg.Connection, sku: str, order_ids: Collection[str], rules: Rules, now: datetime
) -> Done:
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.products = await lock_products(connection, [sku])
        product = account.products[sku]
        version = product.policy.version if product.policy else 0
        account.cause = product.touched_by = Cause(TOPIC, f"season/{sku}/{version}/{account.today}")
        was_closed = product.is_closed
        turn(product, account.today)
        effect = Effect()
        if was_closed and not product.is_closed:
            effect.locations[sku] = sorted(product.stock)
        messages = await settle_and_save(connection, work, effect, rules, now)
    return Done(more=True, messages=messages, units=work.units)
