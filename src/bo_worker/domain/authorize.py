"""An order may leave only while its money is there: when to ask for it, and until when to wait for an answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.money import is_priced, money_between
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.pay_back import given_up, payment_request

if TYPE_CHECKING:
    from datetime import datetime

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.payment import OrderPayment, PaymentTerms

FAILED = "payment_failed"
RUN_OUT = "authorization_expired"


def open_units(line: OrderLine) -> int:
    """Return the units of a line that are still to be shipped."""
    return line.backordered + line.held + line.released


def is_owed(order: Order) -> bool:
    """Tell whether anything that is still to be shipped costs money."""
    return any(open_units(line) and is_priced(line) for line in order.lines)


def is_served(order: Order) -> bool:
    """Tell whether an order holds units, or waits for some: not so where only suspended units are left of it."""
    return any(line.held or (line.backordered and not line.is_suspended) for line in order.lines)


def is_held_back(account: Account, order: Order, *, at_once: bool = False) -> bool:
    """Tell whether units of an order must not leave as its money is not there; ask for it where nobody did yet.

    What an order can have `at_once`, when it is placed, leaves on the authorization that came with it, however late
    the order is heard of.
    """
    payment = order.payment
    if payment is None or payment.is_valid(account.now) or not is_owed(order):
        return False
    if at_once and payment.news is None and not account.terms.payment.at_shipment:
        return False
    is_asked = payment.asked_at is not None or payment.status == "failed"
    if not is_asked and any(line.held for line in order.lines):
        authorize(account, order, payment, "shipment")
    return True


def authorize(account: Account, order: Order, payment: OrderPayment, reason: str) -> None:
    """Ask for an authorization of all that is still to be shipped, in place of the one that there is."""
    gone = given_up(order)
    wanted = {line.position: open_units(line) + gone.get(line.position, 0) for line in order.lines}
    for money in money_between(order.lines, gone, wanted):
        account.publish(payment_request(account, order, "authorize", money, reason))
    payment.asked_at = account.now
    payment.asked_without = gone
    payment.is_changed = True


def fail(account: Account, order: Order, payment: OrderPayment, reason: str) -> None:
    """Note that there is no money, and tell the customer until when the order keeps what it has.

    That day does not move when another attempt fails. What mends it is for all that is owed now, as nobody hears of
    a void meanwhile.
    """
    payment.status = "failed"
    payment.asked_at = None
    if payment.asked_without is None:
        payment.asked_without = given_up(order)
    payment.is_changed = True
    if not is_owed(order):
        return
    if payment.deadline is None:
        payment.deadline = account.now + account.terms.payment.grace
    ask_to_pay(account, order, payment, reason)


def ask_to_pay(account: Account, order: Order, payment: OrderPayment, reason: str) -> None:
    """Tell the customer of an order without money which units are to be paid for, and until when it keeps its claims.

    There is no such day any more once it has passed.
    """
    deadline = payment.deadline
    respond_by = deadline if deadline is not None and deadline > account.now else None
    lines = [notified(line, open_units(line)) for line in order.lines if open_units(line)]
    notify(account, order, "payment_action_required", lines, reason=reason, respond_by=respond_by)


def look_again(account: Account, order: Order, payment: OrderPayment) -> None:
    """Do what is due about an authorization: ask for the next one, or count on no answer any more."""
    if payment.asked_at is None:
        authorize(account, order, payment, "authorization_expires")
    elif not payment.is_valid(account.now):
        fail(account, order, payment, RUN_OUT)


def due_at(order: Order, payment: OrderPayment, terms: PaymentTerms) -> datetime | None:
    """Return when the sweep has to look at a payment again: never while nothing of its order waits or is held."""
    if not is_owed(order):
        return None
    if not is_served(order):
        return _cancelled_at(order, payment, terms)
    if payment.status == "failed":
        return payment.deadline
    ends_at = payment.capture_before
    if payment.asked_at is not None:
        answer_by = payment.asked_at + terms.renew_before
        return max(answer_by, ends_at) if ends_at else answer_by
    if payment.status != "authorized" or ends_at is None or terms.at_shipment:
        return None
    return ends_at - terms.renew_before


def _cancelled_at(order: Order, payment: OrderPayment, terms: PaymentTerms) -> datetime | None:
    """Return when an order, of which nothing else waits or is held, loses what is suspended."""
    is_suspended = any(line.backordered for line in order.lines)
    if payment.deadline is None or terms.cancel_after is None or not is_suspended:
        return None
    return payment.deadline + terms.cancel_after


def set_due(account: Account, order: Order) -> None:
    """Note when the payment of an order, if it is followed, is due."""
    payment = order.payment
    if payment is None:
        return
    due = due_at(order, payment, account.terms.payment)
    if due != payment.due_at:
        payment.due_at = due
        payment.is_changed = True
