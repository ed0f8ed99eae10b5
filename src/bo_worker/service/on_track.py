"""What the sweep does so that customers who wait for long hear that their day still holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bo_worker.domain.cause import Cause
from bo_worker.domain.on_track import tell_on_track
from bo_worker.service.sweep import TOPIC, Done
from bo_worker.service.work import Work, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.on_track import find_on_track_due, load_on_track, update_heard
from bo_worker.store.orders import load_orders

if TYPE_CHECKING:
    from datetime import date, datetime

    import asyncpg

    from bo_worker.domain.on_track import Place
    from bo_worker.service.work import Rules

_LINES_MAX = 500


async def tell_who_waits(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Tell some customers who have not heard of their day for long that it holds. Off without an interval."""
    days = rules.terms.choices.on_track_days
    order_ids = await find_on_track_due(connection, now.date() - timedelta(days=days), _LINES_MAX) if days else None
    if not order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        work.keys = await lock_keys(connection, order_ids)
        account.orders = await load_orders(connection, order_ids, whole=False)
        account.cause = Cause(TOPIC, f"on-track/{account.today}")
        heard: dict[Place, date | None] = {}
        for order_id, lines in (await load_on_track(connection, order_ids)).items():
            heard |= tell_on_track(account, account.orders[order_id], lines)
        await update_heard(connection, heard)
        return Done(more=bool(heard), messages=await save_work(connection, work, now))
