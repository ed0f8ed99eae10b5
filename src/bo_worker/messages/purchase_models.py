"""What an input about supply on its way looks like on the wire, and the command it becomes."""

from typing import Annotated, Literal

from typing_extensions import TypedDict

from bo_worker.domain.commands import PurchaseOrderLine, UpdatePurchaseOrder
from bo_worker.messages import fields
from bo_worker.messages.fields import Day, Identifier, Instant
from bo_worker.messages.refusal import refuse_field, require_unique_line_ids


class PurchasedLine(TypedDict):
    """Units of one SKU that a supplier is to bring between two days, both included."""

    line_id: Identifier
    sku: Identifier
    quantity: fields.Quantity
    expected_from: Day
    expected_to: Day


class PurchaseOrderUpdated(TypedDict):
    """The whole purchase order; the larger version holds, a draft promises nothing."""

    purchase_order_id: Identifier
    version: fields.Version
    supplier_id: Identifier
    location: Identifier
    updated_at: Instant
    status: Literal["draft", "confirmed", "in_transit", "cancelled", "closed"]
    lines: Annotated[list[PurchasedLine], fields.list_field()]


def update_purchase_order(order: PurchaseOrderUpdated) -> UpdatePurchaseOrder:
    """Refuses a line id that occurs twice and for days in the wrong order."""
    lines = [
        PurchaseOrderLine(line["line_id"], line["sku"], line["quantity"], line["expected_from"], line["expected_to"])
        for line in order["lines"]
    ]
    require_unique_line_ids(lines)
    for index, line in enumerate(lines):
        if line.expected_to < line.expected_from:
            expected = f"{line.expected_from} (expected_from) or a later day"
            refuse_field(("lines", index, "expected_to"), expected, str(line.expected_to))
    return UpdatePurchaseOrder(
        order["purchase_order_id"],
        order["version"],
        order["supplier_id"],
        order["location"],
        order["updated_at"],
        order["status"],
        lines,
    )
