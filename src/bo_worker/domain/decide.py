"""One command against the account: the only door to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from bo_worker.domain.account import Refusal
from bo_worker.domain.adjust_inventory import adjust_inventory
from bo_worker.domain.amend_order import amend_order
from bo_worker.domain.answer_notice import answer_notice
from bo_worker.domain.cancel_order import cancel_order
from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    AnswerNotice,
    CancelOrder,
    DispatchShipment,
    JoinWaitlist,
    PlaceOrder,
    ReceiveInventory,
    UpdatePayment,
    UpdatePolicy,
    UpdatePurchaseOrder,
)
from bo_worker.domain.dispatch_shipment import dispatch_shipment
from bo_worker.domain.early import keep_early
from bo_worker.domain.pay_back import pay_back
from bo_worker.domain.place_order import place_order
from bo_worker.domain.receive_inventory import receive_inventory
from bo_worker.domain.settle import Effect, settle
from bo_worker.domain.update_payment import update_payment
from bo_worker.domain.update_policy import update_policy
from bo_worker.domain.update_purchase_order import update_purchase_order
from bo_worker.domain.waitlist import join_waitlist

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.cause import Cause
    from bo_worker.domain.commands import Command

NOTHING = Effect()


def change(account: Account, cause: Cause, command: Command, digest: bytes, token: Any = None) -> Effect | Refusal:
    """Apply a command but serve no queue yet; return what is left to settle, or why it can't be applied.

    `token` is kept with a message that has to wait for its order.
    """
    account.cause = cause
    effect: Effect | Refusal | None = None
    match command:
        case PlaceOrder():
            place_order(account, command, digest)
        case ReceiveInventory():
            effect = receive_inventory(account, command)
        case AdjustInventory():
            effect = adjust_inventory(account, command)
        case UpdatePolicy():
            effect = update_policy(account, command, digest)
        case UpdatePurchaseOrder():
            effect = update_purchase_order(account, command, digest)
        case CancelOrder() | AmendOrder() | UpdatePayment():
            effect = _change_order(account, command, token)
        case DispatchShipment() | AnswerNotice():
            effect = _change_known(account, command)
        case JoinWaitlist():
            join_waitlist(account, command)
        case _:
            assert_never(command)
    return effect or NOTHING


def _change_order(
    account: Account, command: CancelOrder | AmendOrder | UpdatePayment, token: Any
) -> Effect | Refusal:
    """Change an order; what comes before it waits for it."""
    order = account.orders.get(command.order_id)
    if order is None:
        keep_early(account, command, token)
        return NOTHING
    if isinstance(command, AmendOrder):
        return amend_order(account, order, command)
    effect = (
        cancel_order(account, order, command)
        if isinstance(command, CancelOrder)
        else update_payment(account, order, command)
    )
    pay_back(account, order)
    return effect


def _change_known(account: Account, command: DispatchShipment | AnswerNotice) -> Effect | Refusal:
    """Change an order of which something was published before: it must be there."""
    order = account.orders.get(command.order_id)
    if order is None:
        return Refusal("unknown_order", f"there is no order {command.order_id}")
    if isinstance(command, AnswerNotice):
        effect = answer_notice(account, order, command)
        pay_back(account, order)
        return effect
    return dispatch_shipment(account, order, command) or NOTHING


def decide(account: Account, cause: Cause, command: Command, digest: bytes, token: Any = None) -> Refusal | None:
    """Apply a command and settle what follows from it; a refusal leaves the account as it was."""
    effect = change(account, cause, command, digest, token)
    if isinstance(effect, Refusal):
        return effect
    if effect is not NOTHING:
        settle(account, effect)
    return None
