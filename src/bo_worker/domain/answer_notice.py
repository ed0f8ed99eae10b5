"""A customer answers the notice of a delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import AnswerNotice
    from bo_worker.domain.demand import Order
    from bo_worker.domain.settle import Effect


def answer_notice(account: Account, order: Order, command: AnswerNotice) -> Effect | Refusal:
    """Do what the customer chose for one line."""
    del account
    return Refusal("wrong_token", f"no notice about line {command.line_id} of order {order.order_id} has this token")
