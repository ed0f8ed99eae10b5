"""What other services ask of the account of stock: one command per input topic.

Quantities are whole units. Instants carry a zone (UTC after decoding). An optional field is None when absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date, datetime

Backorder = Literal["allow", "deny", "if_promised"]
PurchaseOrderStatus = Literal["draft", "confirmed", "in_transit", "cancelled", "closed"]
Choice = Literal["keep", "switch", "cancel"]
PaymentStatus = Literal["authorized", "failed", "voided", "captured", "refunded"]


@dataclass(slots=True)
class Price:
    """A unit price: a decimal amount as text, exact to the cent, and an ISO 4217 currency."""

    amount: str
    currency: str


@dataclass(slots=True)
class Payment:
    """An authorization of the customer's money, and until when it can be captured."""

    authorization_id: str
    capture_before: datetime | None


@dataclass(slots=True)
class LineRequest:
    """One line of a new order; `location` pins it, `backorder` overrides the product's policy."""

    line_id: str
    sku: str
    quantity: int
    location: str | None = None
    backorder: Backorder | None = None
    unit_price: Price | None = None


@dataclass(slots=True)
class PlaceOrder:
    """A customer's order (topic order-created)."""

    order_id: str
    placed_at: datetime
    customer: dict[str, str]
    lines: list[LineRequest]
    priority: int = 0
    ship_complete: bool = False
    need_by: datetime | None = None
    ship_to_country: str | None = None
    payment: Payment | None = None


@dataclass(slots=True)
class ReceiptLine:
    """Units of one SKU on a receipt; `damaged_quantity` comes on top and never becomes stock; the lot expires."""

    line_id: str
    sku: str
    quantity: int
    damaged_quantity: int = 0
    lot: str | None = None
    purchase_order_line_id: str | None = None
    expires_on: date | None = None


@dataclass(slots=True)
class ReceiveInventory:
    """Units that arrived at a location (topic inventory-received)."""

    receipt_id: str
    location: str
    received_at: datetime
    lines: list[ReceiptLine]
    purchase_order_id: str | None = None
    dock_door: str | None = None


@dataclass(slots=True)
class CancelLine:
    """Units of one line that the customer gives up."""

    line_id: str
    quantity: int


@dataclass(slots=True)
class CancelOrder:
    """A cancellation; without lines, whatever of the order is not shipped (topic order-cancelled)."""

    cancellation_id: str
    order_id: str
    cancelled_at: datetime
    reason: str | None = None
    lines: list[CancelLine] | None = None


@dataclass(slots=True)
class AmendOrder:
    """A change of how an order is served; None leaves a field as it is (topic order-amended)."""

    amendment_id: str
    order_id: str
    amended_at: datetime
    priority: int | None = None
    need_by: datetime | None = None
    ship_complete: bool | None = None


@dataclass(slots=True)
class AdjustInventory:
    """A correction of the physical count, never 0 (topic inventory-adjusted)."""

    adjustment_id: str
    sku: str
    location: str
    quantity_delta: int
    reason: str
    adjusted_at: datetime


@dataclass(slots=True)
class DispatchLine:
    """Units of one order line that left one location."""

    line_id: str
    location: str
    quantity: int


@dataclass(slots=True)
class DispatchShipment:
    """Goods that left the building (topic shipment-dispatched)."""

    shipment_id: str
    order_id: str
    dispatched_at: datetime
    lines: list[DispatchLine]
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None


@dataclass(slots=True)
class UpdatePolicy:
    """The whole policy of a product; the larger version holds (topic product-policy-updated)."""

    sku: str
    version: int
    updated_at: datetime
    backorder: Backorder
    kind: str
    backorder_limit: int | None = None
    window_days: int | None = None
    safety_stock: int = 0
    reorder_point: int | None = None
    reorder_quantity: int | None = None
    lead_time_days: int | None = None
    release_on: date | None = None
    season_ends_on: date | None = None
    discontinued: bool = False
    substitutes: list[str] | None = None
    cancellation_rate_limit: float | None = None


@dataclass(slots=True)
class PurchaseOrderLine:
    """Units of one SKU that a supplier is to bring between two days, both included."""

    line_id: str
    sku: str
    quantity: int
    expected_from: date
    expected_to: date


@dataclass(slots=True)
class UpdatePurchaseOrder:
    """The whole purchase order; the larger version holds, a draft promises nothing (topic purchase-order-updated)."""

    purchase_order_id: str
    version: int
    supplier_id: str
    location: str
    updated_at: datetime
    status: PurchaseOrderStatus
    lines: list[PurchaseOrderLine]


@dataclass(slots=True)
class JoinWaitlist:
    """A customer who wants to hear when a product can be had again, without an order (topic waitlist-joined)."""

    entry_id: str
    sku: str
    customer: dict[str, str]
    joined_at: datetime
    quantity: int = 1


@dataclass(slots=True)
class AnswerNotice:
    """What a customer chose when a delay was told; `token` came with the notice (topic customer-response)."""

    response_id: str
    order_id: str
    line_id: str
    choice: Choice
    token: str
    responded_at: datetime
    substitute_sku: str | None = None


@dataclass(slots=True)
class UpdatePayment:
    """What the payment provider says of an authorization of the customer's money (topic payment-updated)."""

    payment_event_id: str
    order_id: str
    status: PaymentStatus
    occurred_at: datetime
    authorization_id: str | None = None
    capture_before: datetime | None = None


Command = (
    PlaceOrder
    | ReceiveInventory
    | CancelOrder
    | AmendOrder
    | AdjustInventory
    | DispatchShipment
    | UpdatePolicy
    | UpdatePurchaseOrder
    | JoinWaitlist
    | AnswerNotice
    | UpdatePayment
)
