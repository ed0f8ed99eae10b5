"""Cancellations and amendments that come before their order: they wait for it, and act before it asks for stock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Early
from bo_worker.domain.amend_order import set_fields
from bo_worker.domain.cancel_order import check_lines, tell_cancelled, wanted
from bo_worker.domain.commands import AmendOrder, CancelOrder
from bo_worker.domain.notice import notified
from bo_worker.domain.update_payment import update_payment

if TYPE_CHECKING:
    from typing import Any

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import UpdatePayment
    from bo_worker.domain.demand import Order


def keep_early(account: Account, command: CancelOrder | AmendOrder | UpdatePayment, token: Any) -> None:
    """Let a message wait for its order."""
    account.early.setdefault(command.order_id, []).append(Early(account.cause, command, token))


def apply_early(account: Account, order: Order) -> None:
    """Apply what waited for a new order, whose units all count as waiting; nothing of it is stored yet."""
    cause = account.cause
    for early in account.early.pop(order.order_id, ()):
        account.cause = early.cause
        if isinstance(early.command, CancelOrder):
            _cancel(account, order, early, early.command)
        elif isinstance(early.command, AmendOrder):
            set_fields(order, early.command)
        else:
            update_payment(account, order, early.command)
    account.cause = cause


def _cancel(account: Account, order: Order, early: Early, command: CancelOrder) -> None:
    refusal = check_lines(order, command)
    if refusal is not None:
        account.refused.append((early, refusal))
        return
    cancelled = []
    for line, quantity in wanted(order, command):
        gone = min(quantity, line.backordered)
        if gone:
            line.backordered -= gone
            line.cancelled += gone
            cancelled.append(notified(line, gone))
    if cancelled:
        tell_cancelled(account, order, cancelled, command)
