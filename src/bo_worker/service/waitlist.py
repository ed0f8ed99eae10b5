"""What the sweep does about waitlists: it tells customers that a product can be had again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.waitlist import tell, units_to_tell
from bo_worker.service.sweep import TOPIC, Done, twice
from bo_worker.service.work import Work, lock_found, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.products import lock_products
from bo_worker.store.waitlist import find_waitlist_due, load_waitlist, save_told

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg

    from bo_worker.service.work import Rules


async def tell_waitlist(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Tell the next customers on the waitlist of a product, as many as there are free units for.

    Raises:
        OrdersBusyError: an entry is locked elsewhere.
        UnfinishedCauseError: the product waits for the rest of a large change.
    """
    sku = await find_waitlist_due(connection)
    if sku is None:
        return Done()
    return await twice(lambda order_ids: _tell(connection, sku, order_ids, rules, now))


async def _tell(
    connection: asyncpg.Connection, sku: str, entry_ids: Collection[str], rules: Rules, now: datetime
) -> Done:
    """Tell them what is true once the product is locked, whatever it was before."""
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, entry_ids)
        account.products = await lock_products(connection, [sku])
        product = account.products[sku]
        waitlist = product.waitlist
        if waitlist is None:
            raise ValueError(f"{sku} has no waitlist")
        entries_max = min(units_to_tell(product), rules.fill_lines_max)  # Each takes a unit or more.
        entries = await load_waitlist(connection, sku, waitlist.round, entries_max) if entries_max else []
        await lock_found(connection, work, [entry.entry_id for entry in entries if entry.entry_id not in work.keys])
        account.cause = Cause(TOPIC, f"waitlist/{sku}/{waitlist.round}")
        told = tell(account, product, entries)
        await save_told(connection, told, waitlist.round, now)
        waitlist.is_due = len(entries) == rules.fill_lines_max
        product.is_changed = True
        return Done(more=True, messages=await save_work(connection, work, now))
