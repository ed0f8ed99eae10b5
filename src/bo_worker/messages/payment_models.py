"""What an input about a payment looks like on the wire, and the command it becomes."""

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import UpdatePayment
from bo_worker.messages.fields import Identifier, Instant


class PaymentUpdated(TypedDict):
    """What the payment provider says of an authorization."""

    payment_event_id: Identifier
    order_id: Identifier
    status: Literal["authorized", "failed", "voided", "captured", "refunded"]
    authorization_id: NotRequired[Identifier | None]
    capture_before: NotRequired[Instant | None]
    occurred_at: Instant


def update_payment(payment: PaymentUpdated) -> UpdatePayment:
    """The command of a payment's news."""
    return UpdatePayment(
        payment["payment_event_id"],
        payment["order_id"],
        payment["status"],
        payment["occurred_at"],
        payment.get("authorization_id"),
        payment.get("capture_before"),
    )
