"""What happened to stock, claims and customers: one fact per published message.

The fields of a fact are the fields of the message's data (contract, section 1), in the order of the
contract. Quantities are whole units. Lists are never empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal

from bo_worker.domain.payment_request import PaymentRequest

if TYPE_CHECKING:
    from datetime import date, datetime

PlanStatus = Literal["planned", "withdrawn"]
ProcurementKind = Literal["reorder", "expedite", "demand_signal"]


class OfOrder:
    """What is published under the key of an order."""

    __slots__ = ()
    order_id: str

    @property
    def key(self) -> str:
        """The message key."""
        return self.order_id


@dataclass(slots=True)
class FulfillmentLine:
    """Units of one order line in a warehouse instruction."""

    line_id: str
    sku: str
    quantity: int
    lot: str | None = None


@dataclass(slots=True)
class Ship(OfOrder):
    """Pick these units from storage and send them out."""

    topic: ClassVar[str] = "fulfillment"
    fulfillment_id: str
    order_id: str
    location: str
    priority: int
    lines: list[FulfillmentLine]
    completes_order: bool
    kind: str = "ship"


@dataclass(slots=True)
class CrossDock(OfOrder):
    """Move these units from the receiving dock straight to the outbound door."""

    topic: ClassVar[str] = "fulfillment"
    fulfillment_id: str
    order_id: str
    location: str
    priority: int
    receipt_id: str
    dock_door: str | None
    lines: list[FulfillmentLine]
    completes_order: bool
    kind: str = "cross_dock"


@dataclass(slots=True)
class PutAwayLine:
    """Units of one receipt line that go to storage."""

    sku: str
    quantity: int
    lot: str | None = None


@dataclass(slots=True)
class PutAway:
    """Store these units of a receipt: nobody waits for them, or they can't leave yet."""

    topic: ClassVar[str] = "fulfillment"
    fulfillment_id: str
    receipt_id: str
    location: str
    dock_door: str | None
    lines: list[PutAwayLine]
    kind: str = "put_away"

    @property
    def key(self) -> str:
        """The message key."""
        return self.receipt_id


@dataclass(slots=True)
class Revoke(OfOrder):
    """Do not ship these units of an earlier instruction."""

    topic: ClassVar[str] = "fulfillment"
    fulfillment_id: str
    order_id: str
    location: str
    reason: str
    revokes: str
    lines: list[FulfillmentLine]
    kind: str = "revoke"


@dataclass(slots=True)
class CrossDockPlan(OfOrder):
    """What a purchase order on its way is to bring for an order: revision 1, 2, 3 … of it, the largest holds.

    No instruction: what comes is given out by rank. A withdrawn plan repeats the lines that were planned last.
    """

    topic: ClassVar[str] = "fulfillment"
    fulfillment_id: str
    order_id: str
    location: str
    priority: int
    purchase_order_id: str
    expected_from: date
    expected_to: date
    revision: int
    lines: list[FulfillmentLine]
    status: PlanStatus = "planned"
    kind: str = "cross_dock_plan"


@dataclass(slots=True)
class NotificationLine:
    """Units of one order line that a customer hears of; the dates are None while unknown."""

    line_id: str
    sku: str
    quantity: int
    expected_from: date | None = None
    expected_to: date | None = None


@dataclass(slots=True)
class Notification(OfOrder):
    """Something a customer should hear, at most once per order, kind and cause."""

    topic: ClassVar[str] = "customer-notification"
    notification_id: str
    kind: str
    order_id: str
    customer: dict[str, str]
    lines: list[NotificationLine]
    completes_order: bool | None = None
    reason: str | None = None
    options: list[str] = field(default_factory=list)
    respond_by: datetime | None = None


@dataclass(slots=True)
class ShippedNotification(Notification):
    """Goods left the building: the notification with the carrier's tracking."""

    shipment_id: str | None = None
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(slots=True)
class DelayNotice(Notification):
    """A promise may not be kept: the notification with what proves that an answer is the customer's own."""

    token: str = ""


@dataclass(slots=True)
class Substitute:
    """Another product that could serve all that waits of a line."""

    line_id: str
    sku: str
    quantity: int


@dataclass(slots=True)
class SubstituteOffered(Notification):
    """Other products can be had now: the notification with what could stand in for which line."""

    substitutes: list[Substitute] = field(default_factory=list)


@dataclass(slots=True)
class BackInStock:
    """A product can be had again that a customer waited for without an order: a notification that names none."""

    topic: ClassVar[str] = "customer-notification"
    notification_id: str
    entry_id: str
    sku: str
    quantity: int
    customer: dict[str, str]
    kind: str = "back_in_stock"

    @property
    def key(self) -> str:
        """The message key."""
        return self.entry_id


@dataclass(slots=True)
class LocationAvailability:
    """Stock of one SKU at one location."""

    location: str
    on_hand: int
    allocated: int
    available: int


@dataclass(slots=True)
class PromisedQuantity:
    """Units that can be promised from a day on (field `from` on the wire)."""

    day: date
    quantity: int


@dataclass(slots=True)
class Availability:
    """Stock of one SKU over all locations, after a change."""

    topic: ClassVar[str] = "availability-changed"
    kind: ClassVar[str] = "availability"
    sku: str
    state: str
    on_hand: int
    allocated: int
    available: int
    backordered: int
    incoming: int
    available_to_promise: list[PromisedQuantity]
    next_receipt_on: date | None
    locations: list[LocationAvailability]

    @property
    def key(self) -> str:
        """The message key."""
        return self.sku


@dataclass(slots=True)
class Procurement:
    """What purchasing should know (reorder, expedite) or learn from (demand_signal) about a product.

    `order_id` names the order that a supplier is to ship itself. `days_gained` are the days by which an earlier
    delivery would serve the waiting orders sooner.
    """

    topic: ClassVar[str] = "procurement"
    procurement_id: str
    kind: ProcurementKind
    sku: str
    location: str | None
    quantity: int
    orders_waiting: int
    needed_by: date | None
    reason: str
    order_id: str | None = None
    days_gained: int | None = None

    @property
    def key(self) -> str:
        """The message key."""
        return self.sku


Fact = (
    Ship
    | CrossDock
    | PutAway
    | Revoke
    | CrossDockPlan
    | Notification
    | ShippedNotification
    | DelayNotice
    | SubstituteOffered
    | BackInStock
    | Availability
    | Procurement
    | PaymentRequest
)
