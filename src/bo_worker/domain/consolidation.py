"""Units of an order that come one soon after the other leave together: the first wait a few days for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo_worker.domain.facts import NotificationLine
from bo_worker.domain.notice import notify

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order

CONSOLIDATION: Final = "consolidation"
SHIP_COMPLETE: Final = "ship_complete"


def keep_together(account: Account, order: Order) -> bool:
    """Tell whether what an order holds waits for the rest of it, as more is promised soon; note since when."""
    days_max = account.terms.choices.consolidate_days
    if not days_max or not any(line.held for line in order.lines):
        return False
    until = order.holds_until(account.today, days_max)
    if until is not None and order.hold_until is None:
        order.hold_until = until
        order.is_changed = True
    return until is not None


def why_held(order: Order) -> str | None:
    """Return why what a waiting order holds does not leave yet, None where it holds nothing."""
    if order.hold_until is not None:
        return CONSOLIDATION
    return SHIP_COMPLETE if order.ship_complete and any(line.held for line in order.lines) else None


def end_hold(order: Order) -> None:
    """Let nothing of an order wait for the rest of it any more."""
    order.hold_until = None
    order.is_changed = True


def tell_hold(account: Account, order: Order) -> None:
    """Tell the customer what is there and waits, and for how long at most."""
    until = max(day for day in order.days_to_come() if order.hold_until is None or day <= order.hold_until)
    lines = [NotificationLine(line.line_id, line.sku, line.held, None, until) for line in order.lines if line.held]
    notify(account, order, "still_on_track", lines, reason=CONSOLIDATION)
