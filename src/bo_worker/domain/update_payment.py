"""The payment provider tells what became of an authorization."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.authorize import FAILED, fail, is_owed
from bo_worker.domain.money import is_priced
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.pay_back import given_up
from bo_worker.domain.payment import OrderPayment
from bo_worker.domain.settle import Effect
from bo_worker.domain.unpaid import resume

if TYPE_CHECKING:
    from typing import Literal

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import Payment, UpdatePayment
    from bo_worker.domain.demand import Order


def follow_payment(order: Order, authorization: Payment) -> None:
    """Follow the money of a new order, unless none of its lines has a price."""
    if any(map(is_priced, order.lines)):
        order.payment = OrderPayment(
            "authorized", authorization.authorization_id, authorization.capture_before, is_changed=True
        )


def update_payment(account: Account, order: Order, command: UpdatePayment) -> Effect:
    """Note the state of an order's money; what was held back for it may leave once it is there.

    News that are older than those that are known change nothing, nor do those of an authorization that was replaced.
    """
    effect = Effect()
    payment = order.payment
    if payment is None:
        if command.status == "voided" or not any(map(is_priced, order.lines)):
            return effect
        payment = order.payment = OrderPayment("voided", paid_back=given_up(order))
    news = (command.occurred_at, command.payment_event_id)
    is_replaced = command.authorization_id is not None and command.authorization_id == payment.replaced_id
    if is_replaced or (payment.news is not None and news <= payment.news):
        return effect
    payment.news = news
    payment.is_changed = True
    match command.status:
        case "authorized" | "captured":
            _accept(account, payment, command, command.status)
        case "refunded":
            _accept(account, payment, command, "captured")
            _tell_refunded(account, order, payment)
        case "voided" if not is_owed(order):
            payment.status = "voided"
        case "voided" if payment.status != "captured" and _is_withdrawn(order, payment, command):
            fail(account, order, payment, FAILED)
        case "failed" if payment.status != "captured":
            fail(account, order, payment, FAILED)
    if payment.is_valid(account.now):
        resume(account, order, effect)
        effect.orders[order.order_id] = None
    return effect


def _is_withdrawn(order: Order, payment: OrderPayment, command: UpdatePayment) -> bool:
    """Tell whether a void takes away the money of what is still to be shipped: nobody asked for it to be voided."""
    is_current = command.authorization_id in (None, payment.authorization_id)
    return is_current and not payment.paid_back and not given_up(order)


def _accept(
    account: Account,
    payment: OrderPayment,
    command: UpdatePayment,
    status: Literal["authorized", "captured"],
) -> None:
    """Take the money as there. A new authorization replaces the one before, which is left to run out.

    To say again what is known is no answer to a request for another one.
    """
    ends_at = command.capture_before
    is_another = command.authorization_id not in (None, payment.authorization_id)
    if payment.status == "captured" and not is_another:
        return
    if is_another:
        payment.replaced_id = payment.authorization_id
        payment.authorization_id = command.authorization_id
    elif status == "authorized" and payment.is_valid(account.now):
        is_asked = payment.asked_at is not None
        if ends_at == payment.capture_before or (ends_at is None and not is_asked):
            return
    if payment.asked_without is not None and (is_another or payment.status == "failed"):
        # What was given up since it was asked for, or since it failed, is to be voided in it.
        payment.paid_back = payment.asked_without
    if status == "authorized":
        payment.capture_before = ends_at
    payment.status = status
    payment.asked_at = payment.asked_without = payment.deadline = None


def _tell_refunded(account: Account, order: Order, payment: OrderPayment) -> None:
    """Tell the customer of all refunds that were asked for and not told yet."""
    lines = [
        notified(line, payment.refunding[line.position]) for line in order.lines if line.position in payment.refunding
    ]
    if lines:
        notify(account, order, "refund_issued", lines)
    payment.refunding = {}
