"""Promises are looked at again when supply or queue have changed, and told when they moved."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.kinds import starts_on
from bo_worker.domain.promise import Promise, from_lead_time

if TYPE_CHECKING:
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


class Otherwise(NamedTuple):
    """What lines are promised that no supply covers: what they were, if that is a day between `kept_from` and `day`.

    Else it is `day`; no promise where that is None.
    """

    day: date | None
    kept_from: date


def otherwise(account: Account, product: Product) -> Otherwise:
    """Return the promise by lead time; the one that was given counts as long as its day has not passed."""
    return Otherwise(from_lead_time(account, product).expected_to, max(account.today, starts_on(product) or date.min))


def move(terms: Terms, sku: str, line: Promised, found: Promise) -> Moved | None:
    """Return a line with the promise that it has now, None where that is the one that it had.

    A customer is told when the promise has moved far enough from the last one that was told.
    """
    is_news = _is_news(terms, line.told_to, found.expected_to)
    if not is_news and found == line.promise:
        return None
    return Moved(sku, line.waiting, found, found.expected_to if is_news else line.told_to, is_news)


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
