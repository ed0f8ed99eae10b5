"""What the sweep does about kinds of products: a release day or the end of a season comes without a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.kinds import turn
from bo_worker.domain.settle import Effect, settle
from bo_worker.service.sweep import TOPIC, Done, twice
from bo_worker.service.unfinished import go_on, remainder_of
from bo_worker.service.work import Lessons, Work, load_lanes, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.policies import find_turning
from bo_worker.store.products import TooManyLinesError, lock_products
from bo_worker.store.unfinished import list_unfinished, start_unfinished

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.stock import Product
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
        cause = account.cause = product.touched_by = Cause(TOPIC, f"season/{sku}/{version}/{account.today}")
        was_closed = product.is_closed
        turn(product, account.today)
        effect = Effect()
        if was_closed and not product.is_closed:
            effect.locations[sku] = sorted(product.stock)
        fits = await _load_queue(connection, work, product, effect, rules)
        if fits:
            settle(account, effect)
        messages = await save_work(connection, work, now)
        if not fits:
            await start_unfinished(connection, cause, remainder_of(effect).dump(), [sku])
    return Done(more=True, messages=messages, units=work.units)


async def _load_queue(
    connection: asyncpg.Connection, work: Work, product: Product, effect: Effect, rules: Rules
) -> bool:
    """Load those whom the stock will serve; tell whether they are few enough for one transaction."""
    if not product.has_backlog:
        return True
    lanes: dict[tuple[str, str], int] = {}
    for location in effect.locations.get(product.sku, ()):
        units = product.free_units(location)
        for pin in (location, ANY_LOCATION) if units else ():
            lanes[product.sku, pin] = lanes.get((product.sku, pin), 0) + units
    lines_max = rules.fill_lines_max
    try:
        await load_lanes(connection, work, lanes, rules.rank_by, lines_max + 1, lines_max)
    except TooManyLinesError:
        return False
    work.hold_lines()
    return True
