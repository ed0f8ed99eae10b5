"""Stock that came free without a message: it serves the queue at once, or in steps where that is too long."""

from __future__ import annotations

from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.settle import settle
from bo_worker.service.unfinished import remainder_of
from bo_worker.service.work import load_lanes, reserve, save_work
from bo_worker.store.products import TooManyLinesError
from bo_worker.store.unfinished import start_unfinished

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.settle import Effect
    from bo_worker.service.work import Rules, Work

_NOBODY: Mapping[str, int] = MappingProxyType({})


async def settle_and_save(
    connection: asyncpg.Connection,
    work: Work,
    effect: Effect,
    rules: Rules,
    now: datetime,
    gone: Mapping[str, int] = _NOBODY,
) -> int:
    """Settle what the cause at work left and save it, or save it and begin the steps; return how many messages.

    `gone` are units by SKU that stand in the stored queue still, and do not wait in it any more. The products are
    locked.

    Raises:
        OrdersBusyError: an order of a queue is locked elsewhere.
    """
    cause = work.account.cause
    fits = await _load_queues(connection, work, effect, rules, gone)
    if fits:
        settle(work.account, effect)
    else:
        reserve(work.account, effect)
    messages = await save_work(connection, work, now)
    if not fits:
        await start_unfinished(connection, cause, remainder_of(effect).dump(), list(effect.locations))
    return messages


async def _load_queues(
    connection: asyncpg.Connection, work: Work, effect: Effect, rules: Rules, gone: Mapping[str, int]
) -> bool:
    """Load those whom the units will serve; tell whether they are few enough for one transaction."""
    lanes: Counter[tuple[str, str]] = Counter()
    for sku, locations in effect.locations.items():
        product = work.account.product(sku)
        for location in locations if product.has_backlog else ():
            units = product.free_units(location)
            for pin in (location, ANY_LOCATION) if units else ():
                lanes[sku, pin] += units if lanes[sku, pin] else units + gone.get(sku, 0)
    lines_max = rules.fill_lines_max
    try:
        await load_lanes(connection, work, lanes, rules.rank_by, lines_max + 1, lines_max)
    except TooManyLinesError:
        return False
    work.hold_lines()
    return True
