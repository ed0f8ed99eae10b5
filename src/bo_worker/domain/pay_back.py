"""Money for what was given up goes back: voided while it is only authorized, refunded once it was captured.

Level-triggered: it compares what of an order is cancelled or rejected with what was asked back so far, whatever it
was that gave the units up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.identity import derive_id
from bo_worker.domain.money import money_between
from bo_worker.domain.payment_request import PaymentRequest
from bo_worker.domain.working_days import working_days_after

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order
    from bo_worker.domain.payment import Units
    from bo_worker.domain.payment_request import Money, PaymentRequestKind


def given_up(order: Order) -> Units:
    """Return the cancelled and rejected units of the lines that have a price, by position.

    The money of units that another line took over goes on with that line, which has the same price.
    """
    taken_over = order.taken_over()
    units = {
        line.position: line.cancelled + line.rejected - taken_over.get(line.position, 0)
        for line in order.lines
        if line.unit_price is not None
    }
    return {position: quantity for position, quantity in units.items() if quantity}


def pay_back(account: Account, order: Order) -> None:
    """Ask for what the units are worth that were given up since; nothing where no authorization is valid."""
    payment = order.payment
    if payment is None:
        return
    after = given_up(order)
    before = payment.paid_back
    if after == before:
        return
    if payment.status == "captured":
        _request(account, order, "refund", before, after)
        for position, units in after.items():
            if units > before.get(position, 0):
                payment.refunding[position] = payment.refunding.get(position, 0) + units - before.get(position, 0)
    elif payment.is_valid(account.now):
        _request(account, order, "void", before, after)
    payment.paid_back = after
    payment.is_changed = True


def _request(account: Account, order: Order, kind: PaymentRequestKind, before: Units, after: Units) -> None:
    is_rejected = any(
        line.rejected and after.get(line.position, 0) > before.get(line.position, 0) for line in order.lines
    )
    due_by = None
    if kind == "refund":
        country = order.ship_to_country
        days = account.terms.delays.rule_of(country).refund_working_days
        due_by = working_days_after(account.today, days, country, account.terms.is_day_off)
    for money in money_between(order.lines, before, after):
        request = payment_request(account, order, kind, money, "rejected" if is_rejected else "cancelled")
        request.due_by = due_by
        account.publish(request)


def payment_request(
    account: Account, order: Order, kind: PaymentRequestKind, money: Money, reason: str
) -> PaymentRequest:
    """Return a request about the authorization of an order, one per cause, kind and currency."""
    request_id = derive_id("PM-", account.cause.name, order.order_id, kind, money.currency)
    authorization_id = order.payment.authorization_id if order.payment else None
    return PaymentRequest(request_id, kind, order.order_id, money, authorization_id, reason)
