"""What the payment service is asked to do with a customer's money."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from datetime import date

PaymentRequestKind = Literal["authorize", "void", "refund"]


@dataclass(slots=True)
class Money:
    """A decimal amount as text, with as many decimals as its ISO 4217 currency has."""

    amount: str
    currency: str


@dataclass(slots=True)
class PaymentRequest:
    """A request to the payment service; `due_by` is the last day by which a customer must have a refund."""

    topic: ClassVar[str] = "payment"
    payment_request_id: str
    kind: PaymentRequestKind
    order_id: str
    amount: Money
    authorization_id: str | None
    reason: str
    due_by: date | None = None

    @property
    def key(self) -> str:
        """The message key."""
        return self.order_id
