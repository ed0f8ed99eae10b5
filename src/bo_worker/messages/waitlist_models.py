"""What an input about a waiting list looks like on the wire, and the command it becomes."""

from typing import NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import JoinWaitlist
from bo_worker.messages import fields
from bo_worker.messages.fields import Identifier, Instant
from bo_worker.messages.order_models import Customer, customer_fields


class WaitlistJoined(TypedDict):
    """A customer who wants to hear when a product can be had again; one unit where no quantity is given."""

    entry_id: Identifier
    sku: Identifier
    quantity: NotRequired[fields.Quantity | None]
    customer: Customer
    joined_at: Instant


def join_waitlist(entry: WaitlistJoined) -> JoinWaitlist:
    """The command of an entry."""
    return JoinWaitlist(
        entry["entry_id"],
        entry["sku"],
        customer_fields(entry["customer"]),
        entry["joined_at"],
        entry.get("quantity") or 1,
    )
