"""What is known of the money for an order: the authorization that holds it, and what of it was asked back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import datetime

# `voided` only once nothing of the order is open: a part that is voided leaves the rest authorized.
Status = Literal["authorized", "failed", "captured", "voided"]
Units = dict[int, int]


@dataclass(slots=True, frozen=True)
class PaymentTerms:
    """When money is asked for.

    An authorization is to be renewed `renew_before` it runs out while its order waits or, with `at_shipment`, only
    when units of the order could leave. The payment service has `renew_before` to answer. After a failure the order
    keeps its claims for `grace`, and waits for another `cancel_after` before it is cancelled; for ever with None.
    """

    renew_before: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(hours=72)
    at_shipment: bool = False
    cancel_after: timedelta | None = None


@dataclass(slots=True, eq=False)
class OrderPayment:
    """The state of the money for one order (`docs/payment.md`). Units are counted by position of the line.

    `capture_before` None: the authorization does not run out. `news` are the instant and id of the newest news.
    `replaced_id` is the authorization before this one. `asked_at` says that another one was asked for and did not
    come yet, `asked_without` the units that were given up by then, which it does not cover. `deadline` is when an
    order whose payment failed loses its claims.
    `paid_back` are the units given up of which nothing more is to be asked back, `refunding` those whose refund was
    asked for and not confirmed. `due_at` is when the sweep looks at it again, None: not unless something happens.
    """

    status: Status
    authorization_id: str | None = None
    capture_before: datetime | None = None
    news: tuple[datetime, str] | None = None
    replaced_id: str | None = None
    asked_at: datetime | None = None
    asked_without: Units | None = None
    deadline: datetime | None = None
    paid_back: Units = field(default_factory=dict)
    refunding: Units = field(default_factory=dict)
    due_at: datetime | None = None
    is_new: bool = True
    is_changed: bool = False

    def is_valid(self, now: datetime) -> bool:
        """Tell whether the money is there: captured, or authorized and not run out."""
        if self.status == "authorized":
            return self.capture_before is None or now < self.capture_before
        return self.status == "captured"
