"""The payment provider tells what became of an authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account, Refusal
    from bo_worker.domain.commands import UpdatePayment
    from bo_worker.domain.demand import Order


def update_payment(account: Account, order: Order, command: UpdatePayment) -> Effect | Refusal:
    """Note the state of an order's money."""
    del account, order, command
    return Effect()
