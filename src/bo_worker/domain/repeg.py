"""Promises are looked at again when supply or queue have changed, and told when they moved."""

from __future__ import annotations

from datetime import timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.demand import SUSPENDED
from bo_worker.domain.estimate import LATER_DAYS
from bo_worker.domain.kinds import is_in_time, starts_on
from bo_worker.domain.promise import NO_PROMISE, Promise, from_lead_time, look_out

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from bo_worker.domain.account import Account, Terms
    from bo_worker.domain.outlook import Peg, Waiting
    from bo_worker.domain.promise import Promised
    from bo_worker.domain.stock import Product


class Moved(NamedTuple):
    """A waiting line with another promise than before; `is_news` where its customer is to be told of it."""

    sku: str
    waiting: Waiting
    promise: Promise
    told_to: date | None
    is_news: bool


def repeg(account: Account, product: Product, lines: Collection[Promised]) -> list[Moved]:
    """Return those lines of which the promise is another one now, in rank.

    `lines` are all that wait and that the supply may cover or that have a promise. A customer is told when the
    promise has moved far enough from the last one that was told.
    """
    pegs = look_out(product).peg_all([line.waiting for line in lines])
    moved = []
    for line in sorted(lines, key=attrgetter("waiting.rank")):
        peg = pegs[line.waiting.order_id, line.waiting.position]
        found = _from_supply(account, line, peg) if peg else _without_supply(account, product, line)
        is_news = _is_news(account.terms, line.told_to, found.expected_to)
        if is_news or found != line.promise:
            told_to = found.expected_to if is_news else line.told_to
            moved.append(Moved(product.sku, line.waiting, found, told_to, is_news))
    return moved


def _from_supply(account: Account, line: Promised, peg: Peg) -> Promise:
    """Return the days of the supply; while its day has passed and that is still to be dealt with, nothing moves."""
    return Promise(peg.expected_from, peg.expected_to) if peg.expected_to >= account.today else line.promise


def _without_supply(account: Account, product: Product, line: Promised) -> Promise:
    """Return a promise by lead time; the one that was given counts as long as its day has not passed.

    A line that is not served for now is promised nothing.
    """
    if line.waiting.pin.startswith(SUSPENDED):
        return NO_PROMISE
    found, start = from_lead_time(account, product), starts_on(product)
    given = line.promise.expected_to
    if found.expected_to is None or given is None or given < (start or given) or not is_in_time(product, given):
        return found
    latest = found.expected_to if start else max(found.expected_to, account.today + timedelta(days=LATER_DAYS))
    if given >= account.today:
        return line.promise if given <= latest else found
    return Promise(latest, latest) if is_in_time(product, latest) else NO_PROMISE


def _is_news(terms: Terms, told_to: date | None, expected_to: date | None) -> bool:
    if told_to is None or expected_to is None:
        return told_to != expected_to
    return abs((expected_to - told_to).days) >= terms.moved_days
