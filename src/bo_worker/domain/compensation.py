"""Something for the trouble of customers whose orders are late again, or very late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bo_worker.domain.notice import notified, notify

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order, OrderLine

REPEATED: Final = "repeated_delay"
LONG: Final = "long_delay"


class Delay(NamedTuple):
    """A line of which a delay is told: the number of the notice, from 1 on, and how late it will be.

    `promised_to` is the first day that was agreed on, `expected_to` the new one, None where none is known.
    """

    line: OrderLine
    notice: int
    promised_to: date | None = None
    expected_to: date | None = None


def offer_compensation(account: Account, order: Order, delays: Iterable[Delay]) -> None:
    """Offer the customer something for those delays that are the merchant's reason to do so, with one notification.

    It is no refund and stands for none: a line of which nothing waits any more is left out.
    """
    found = [(delay.line, _reason(account, delay)) for delay in delays if delay.line.backordered]
    lines = [notified(line, line.backordered) for line, reason in found if reason]
    if lines:
        reasons = {reason for _, reason in found}
        notify(account, order, "compensation_offered", lines, reason=LONG if LONG in reasons else REPEATED)


def _reason(account: Account, delay: Delay) -> str | None:
    """Tell why a delay is reason enough, None where it is not. One without a new day lasts until today at least."""
    terms = account.terms.choices
    if terms.compensation_from_days and delay.promised_to is not None:
        days = ((delay.expected_to or account.today) - delay.promised_to).days
        if days >= terms.compensation_from_days:
            return LONG
    return REPEATED if 0 < terms.compensation_from_notice <= delay.notice else None
