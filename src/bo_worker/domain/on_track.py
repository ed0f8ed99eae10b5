"""A customer who waits for a day hears now and then that it still holds."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.facts import NotificationLine
from bo_worker.domain.notice import notify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order

Place = tuple[str, int]


class Followed(NamedTuple):
    """A line whose customer was told a day (`told_to`, by now perhaps none), and last heard of one on `heard_on`.

    `quantity` units wait, promised now for `expected_from` to `expected_to`. `is_open` is False once the promise was
    kept or given up.
    """

    order_id: str
    position: int
    line_id: str
    sku: str
    quantity: int
    expected_from: date | None
    expected_to: date | None
    told_to: date | None
    heard_on: date
    is_open: bool

    def is_ahead(self, today: date) -> bool:
        """Tell whether the customer still waits for a day that has not passed."""
        return self.is_open and self.quantity > 0 and self.told_to is not None and today <= self.told_to

    def holds(self) -> bool:
        """Tell whether the units come by the day that the customer knows, as far as can be known."""
        return self.told_to is not None and self.expected_to is not None and self.expected_to <= self.told_to


def tell_on_track(account: Account, order: Order, lines: Sequence[Followed]) -> dict[Place, date | None]:
    """Tell the customer of an order whose days hold, if it is time for any of them.

    `lines` are those of the order that are followed. Returns what is to be noted of them: that the customer heard of
    them today, or (None) that they are followed no longer. A day that moved a little is left for the next time.
    """
    today = account.today
    last = today - timedelta(days=account.terms.choices.on_track_days)
    due = [line for line in lines if line.heard_on <= last]
    told = [line for line in lines if line.is_ahead(today) and line.holds()]
    if not any(line.heard_on <= last for line in told):
        told = []
    if told:
        about = [
            NotificationLine(line.line_id, line.sku, line.quantity, line.expected_from, line.told_to) for line in told
        ]
        notify(account, order, "still_on_track", about)
    return {line[:2]: today if line.is_ahead(today) else None for line in (*due, *told)}
