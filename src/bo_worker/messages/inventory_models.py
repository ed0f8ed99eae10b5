"""What inputs about stock and products look like on the wire, and the commands they become."""

from typing import Annotated, Final, Literal, NotRequired

from pydantic import ConfigDict, with_config
from pydantic.config import JsonDict
from typing_extensions import TypedDict

from bo_worker.domain.commands import AdjustInventory, ReceiptLine, ReceiveInventory
from bo_worker.messages import fields
from bo_worker.messages.fields import Identifier, Instant
from bo_worker.messages.refusal import refuse_field, require_unique_line_ids

_SOME_UNITS: Final[JsonDict] = {
    "anyOf": [
        {"properties": {"quantity": {"minimum": 1}}},
        {
            "properties": {"damaged_quantity": {"type": "integer", "minimum": 1}},
            "required": ["damaged_quantity"],
        },
    ]
}


@with_config(ConfigDict(json_schema_extra=_SOME_UNITS))
class ReceivedLine(TypedDict):
    """Units of one SKU that arrived; at least one, usable or damaged."""

    line_id: Identifier
    sku: Identifier
    quantity: fields.Level
    damaged_quantity: NotRequired[fields.Level | None]
    lot: NotRequired[Identifier | None]
    purchase_order_line_id: NotRequired[Identifier | None]
    expires_on: NotRequired[fields.Day | None]


class InventoryReceived(TypedDict):
    """Units that arrived at a location."""

    receipt_id: Identifier
    location: Identifier
    received_at: Instant
    lines: Annotated[list[ReceivedLine], fields.list_field()]
    purchase_order_id: NotRequired[Identifier | None]
    dock_door: NotRequired[Identifier | None]


class InventoryAdjusted(TypedDict):
    """A correction of the physical count, either sign."""

    adjustment_id: Identifier
    sku: Identifier
    location: Identifier
    quantity_delta: fields.Delta
    reason: Literal["damaged", "lost", "found", "miscount", "expired", "return", "receipt_reversal", "other"]
    adjusted_at: Instant


def receive_inventory(receipt: InventoryReceived) -> ReceiveInventory:
    """Refuses a line id that occurs twice and for a line without any unit."""
    lines = [_receipt_line(line) for line in receipt["lines"]]
    require_unique_line_ids(lines)
    for index, line in enumerate(lines):
        if line.quantity == line.damaged_quantity == 0:
            refuse_field(("lines", index, "quantity"), "at least 1 where damaged_quantity is 0", 0)
    return ReceiveInventory(
        receipt_id=receipt["receipt_id"],
        location=receipt["location"],
        received_at=receipt["received_at"],
        lines=lines,
        purchase_order_id=receipt.get("purchase_order_id"),
        dock_door=receipt.get("dock_door"),
    )


def _receipt_line(line: ReceivedLine) -> ReceiptLine:
    return ReceiptLine(
        line["line_id"],
        line["sku"],
        line["quantity"],
        line.get("damaged_quantity") or 0,
        line.get("lot"),
        line.get("purchase_order_line_id"),
        line.get("expires_on"),
    )


def adjust_inventory(adjustment: InventoryAdjusted) -> AdjustInventory:
    """Refuses a correction by nothing."""
    if adjustment["quantity_delta"] == 0:
        refuse_field(("quantity_delta",), "a whole number other than 0", 0)
    return AdjustInventory(
        adjustment["adjustment_id"],
        adjustment["sku"],
        adjustment["location"],
        adjustment["quantity_delta"],
        adjustment["reason"],
        adjustment["adjusted_at"],
    )
