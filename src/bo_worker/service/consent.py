"""What the sweep does about delays: it tells customers in time, and lets silence have its meaning."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from bo_worker.domain.cause import Cause
from bo_worker.domain.delay import end_silence, tell_delays
from bo_worker.domain.settle import settle
from bo_worker.domain.token import make_token
from bo_worker.service.sweep import TOPIC, Done
from bo_worker.service.work import Work, save_work
from bo_worker.store.consent import (
    Walk,
    find_delays_due,
    find_silences_due,
    load_consents,
    load_token_secret,
    load_walk,
    peek_products,
    save_walk,
    walk_lanes,
    watch_lanes,
    watch_promises,
)
from bo_worker.store.keys import lock_keys
from bo_worker.store.orders import load_orders
from bo_worker.store.policies import find_substitutes
from bo_worker.store.products import lock_products

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.consent import Consent, Expectation
    from bo_worker.service.work import Rules
    from bo_worker.store.consent import Place

_LINES_MAX: Final = 200
_WATCHED_MAX: Final = 5_000
_LANES_MAX: Final = 500
_BEFORE_ALL: Final = ("", "", -1)
_SECRET_BYTES: Final = 32


async def tell_delays_due(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Tell the customers of some orders that a promise may be missed; find such lines first, once a day."""
    if not await _walk(connection, rules, now.date()):
        return Done(more=True)
    order_ids = await find_delays_due(connection, now.date(), _LINES_MAX)
    if not order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        expected = await _load(connection, work, order_ids)
        skus = {line.sku for order in account.orders.values() for line in order.lines if line.backordered}
        account.products = await peek_products(connection, skus | await find_substitutes(connection, skus))
        secret = rules.token_secret or await load_token_secret(connection, secrets.token_bytes(_SECRET_BYTES))
        due = {place: one for place, one in expected.items() if _is_due(account.consents[place], account.today)}
        _tell(account, _by_order(due), now, secret)
        account.products = {}
        return Done(more=True, messages=await save_work(connection, work, now))


async def end_silences_due(connection: asyncpg.Connection, rules: Rules, now: datetime) -> Done:
    """Let silence have its meaning for some orders whose time for an answer is over.

    Raises:
        UnfinishedCauseError: a product waits for the rest of a large change.
    """
    order_ids = await find_silences_due(connection, now, _LINES_MAX)
    if not order_ids:
        return Done()
    work = Work(rules.new_account(now))
    account = work.account
    async with connection.transaction():
        expected = _by_order(await _load(connection, work, order_ids))
        skus = {line.sku for order in account.orders.values() for line in order.lines}
        account.products = await lock_products(connection, skus)
        work.hold_lines()
        for order_id in sorted(account.orders):
            account.cause = Cause(TOPIC, f"silence/{order_id}/{_last_deadline(account, order_id, now).isoformat()}")
            settle(account, end_silence(account, account.orders[order_id], expected.get(order_id, {}), now))
        return Done(more=True, messages=await save_work(connection, work, now))


async def _load(connection: asyncpg.Connection, work: Work, order_ids: list[str]) -> dict[Place, Expectation]:
    """Lock and load orders with their consents; return what their lines expect that are looked at."""
    account = work.account
    work.keys = await lock_keys(connection, order_ids)
    account.orders = await load_orders(connection, order_ids, whole=True)
    account.consents, expected = await load_consents(connection, order_ids)
    return expected


def _by_order(expected: Mapping[Place, Expectation]) -> dict[str, dict[int, Expectation]]:
    """Return what is expected of lines by order, then by position."""
    found: dict[str, dict[int, Expectation]] = {}
    for (order_id, position), expectation in expected.items():
        found.setdefault(order_id, {})[position] = expectation
    return found


def _is_due(consent: Consent, today: date) -> bool:
    return consent.check_on is not None and consent.check_on <= today


def _tell(account: Account, due: Mapping[str, Mapping[int, Expectation]], now: datetime, secret: bytes) -> None:
    for order_id in sorted(due):
        number = _last_number(account, order_id) + 1
        account.cause = Cause(TOPIC, f"delay/{order_id}/{number}")
        tell_delays(account, account.orders[order_id], due[order_id], now, partial(make_token, secret))


def _last_number(account: Account, order_id: str) -> int:
    found = [consent for consent in account.consents.values() if consent.order_id == order_id]
    return max((notice.number for consent in found for notice in consent.notices), default=0)


def _last_deadline(account: Account, order_id: str, now: datetime) -> datetime:
    """Return the latest deadline of an order that is over: lines that were told apart are decided one by one."""
    found = (consent.respond_by for consent in account.consents.values() if consent.order_id == order_id)
    return max((respond_by for respond_by in found if respond_by is not None and respond_by < now), default=now)


async def _walk(connection: asyncpg.Connection, rules: Rules, today: date) -> bool:
    """Go on with the daily look for lines whose agreed day comes near or has passed; return whether it is done.

    Promises are found by their day. The queues are gone through lane by lane: the oldest lines of each are those
    that may have no promise and wait longest.
    """
    walk = await load_walk(connection)
    if walk is not None and walk.ended_on is not None and walk.ended_on >= today:
        return True
    walk = walk or Walk(date.min, None, _BEFORE_ALL)
    delays = rules.terms.delays
    async with connection.transaction():
        if walk.promises_to < today:
            if await watch_promises(connection, walk.promises_to, today, _WATCHED_MAX) < _WATCHED_MAX:
                await save_walk(connection, Walk(today, walk.ended_on, _BEFORE_ALL))
            return False
        lanes = await walk_lanes(connection, walk.lane, _LANES_MAX)
        if not lanes:
            await save_walk(connection, Walk(today, today, _BEFORE_ALL))
            return False
        due_by = today + timedelta(days=delays.notice_days)
        days = delays.default_days_min
        if await watch_lanes(connection, lanes, today, due_by, days, _WATCHED_MAX) < _WATCHED_MAX:
            await save_walk(connection, Walk(today, walk.ended_on, lanes[-1]))
        return False
