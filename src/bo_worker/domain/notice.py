"""What the customer hears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.facts import Notification, NotificationLine
from bo_worker.domain.identity import derive_id

if TYPE_CHECKING:
    from datetime import date, datetime

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order, OrderLine


def notified(line: OrderLine, quantity: int) -> NotificationLine:
    """Return the part of a line that a notification speaks of."""
    return NotificationLine(line.line_id, line.sku, quantity)


def notified_days(
    account: Account, line_id: str, sku: str, quantity: int, days: tuple[date | None, date | None]
) -> NotificationLine:
    """Return units that wait with the days between which they come: the first may have passed, and is today then."""
    first, last = days
    return NotificationLine(line_id, sku, quantity, first and max(first, account.today), last)


def notify(
    account: Account,
    order: Order,
    kind: str,
    lines: list[NotificationLine],
    *,
    reason: str | None = None,
    completes_order: bool | None = None,
    respond_by: datetime | None = None,
) -> None:
    """Publish one notification to the customer of `order`; at most one per order, kind and cause."""
    notification_id = derive_id("N-", account.cause.name, order.order_id, kind)
    told = Notification(notification_id, kind, order.order_id, order.customer, lines, completes_order, reason)
    told.respond_by = respond_by
    account.publish(told)
