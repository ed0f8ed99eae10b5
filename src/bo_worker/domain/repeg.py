"""Promises are looked at again when supply or queue have changed, and told when they moved."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.estimate import LATER_DAYS
from bo_worker.domain.kinds import begins_on, ends_on, is_in_time, starts_on
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
    """What lines are promised that no supply covers: `day`, no promise where that is None.

    But a line keeps what it is promised for a day between `kept_from` and `kept_to`; one whose day has passed is
    promised `late_day`.
    """

    day: date | None
    late_day: date | None
    kept_from: date
    kept_to: date | None


def otherwise(account: Account, product: Product) -> Otherwise:
    """Return the promise by lead time; the one that was given counts as long as its day has not passed."""
    day, start, last = from_lead_time(account, product).expected_to, starts_on(product), ends_on(product)
    kept_from = max(account.today, start or date.min)
    if day is None:
        # Who was promised the day of the release hears nothing else before that day has passed.
        return Otherwise(None, None, kept_from, account.today if begins_on(product, account.today) else None)
    latest = day if start else max(day, account.today + timedelta(days=LATER_DAYS))
    return Otherwise(day, latest if is_in_time(product, latest) else None, kept_from, min(latest, last or latest))


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
