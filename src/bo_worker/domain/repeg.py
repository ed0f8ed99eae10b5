"""Promises are looked at again when supply or queue have changed, and told when they moved."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.demand import SUSPENDED
from bo_worker.domain.kinds import is_in_time, starts_on
from bo_worker.domain.promise import NO_PROMISE, Promise, from_lead_time, look_out

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from bo_worker.domain.account import Account, Terms
    from bo_worker.domain.outlook import Waiting
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
        found = Promise(peg.expected_from, peg.expected_to) if peg else _without_supply(account, product, line)
        is_news = _is_news(account.terms, line.told_to, found.expected_to)
        if is_news or found != line.promise:
            told_to = found.expected_to if is_news else line.told_to
            moved.append(Moved(product.sku, line.waiting, found, told_to, is_news))
    return moved


def _without_supply(account: Account, product: Product, line: Promised) -> Promise:
    """Return a promise by lead time; the one that was given counts as long as its day has not passed.

    A line that is not served for now is promised nothing.
    """
    found = from_lead_time(account, product)
    if found is NO_PROMISE or line.waiting.pin.startswith(SUSPENDED):
        return NO_PROMISE
    given = line.promise.expected_to
    if given is not None and (given < (starts_on(product) or given) or not is_in_time(product, given)):
        return found
    return line.promise if given is not None and account.today <= given <= (found.expected_to or given) else found


def _is_news(terms: Terms, told_to: date | None, expected_to: date | None) -> bool:
    if told_to is None or expected_to is None:
        return told_to != expected_to
    return abs((expected_to - told_to).days) >= terms.moved_days


def lapse(account: Account) -> None:
    """Count no longer on what should have come by now, and of which nothing came."""
    for order in account.purchase_orders.values():
        for line in order.lines.values():
            if line.incoming and not line.received and line.promised_on < account.today:
                account.product(line.sku).lapsed += line.incoming
                line.is_overdue = line.is_changed = order.is_changed = True
                account.product(line.sku).expect(line, account.cause)
