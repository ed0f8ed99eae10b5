"""What an input about goods that left looks like on the wire, and the command it becomes."""

from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from bo_worker.domain.commands import DispatchLine, DispatchShipment
from bo_worker.messages import fields
from bo_worker.messages.fields import Identifier, Instant


class DispatchedLine(TypedDict):
    """Units of one order line that left one location; a line may leave from several."""

    line_id: Identifier
    location: Identifier
    quantity: fields.Quantity


class ShipmentDispatched(TypedDict):
    """Goods that left the building."""

    shipment_id: Identifier
    order_id: Identifier
    dispatched_at: Instant
    lines: Annotated[list[DispatchedLine], fields.list_field()]
    carrier: NotRequired[fields.Carrier | None]
    tracking_number: NotRequired[fields.TrackingNumber | None]
    tracking_url: NotRequired[fields.TrackingUrl | None]


def dispatch_shipment(shipment: ShipmentDispatched) -> DispatchShipment:
    """The command of a shipment."""
    return DispatchShipment(
        shipment["shipment_id"],
        shipment["order_id"],
        shipment["dispatched_at"],
        [DispatchLine(line["line_id"], line["location"], line["quantity"]) for line in shipment["lines"]],
        shipment.get("carrier"),
        shipment.get("tracking_number"),
        shipment.get("tracking_url"),
    )
