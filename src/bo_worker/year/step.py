"""One thing that happens in the shop: data for an input topic of the worker."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from bo_worker.messages.record import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

# The field that is the key of each topic.
_KEYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "order-created": "order_id",
        "inventory-received": "receipt_id",
        "order-cancelled": "order_id",
        "order-amended": "order_id",
        "inventory-adjusted": "sku",
        "shipment-dispatched": "order_id",
        "purchase-order-updated": "purchase_order_id",
        "product-policy-updated": "sku",
        "customer-response": "order_id",
        "payment-updated": "order_id",
        "waitlist-joined": "sku",
    }
)


class Step(NamedTuple):
    """Data for a topic, with dates and instants as such."""

    topic: str
    data: dict[str, Any]

    def message(self) -> Message:
        """Return it as bare JSON under its key."""
        value = orjson.dumps(self.data, option=orjson.OPT_UTC_Z)
        return Message(self.topic, str(self.data[_KEYS[self.topic]]).encode(), value, [])


class Heard(NamedTuple):
    """A message that the worker published: its topic without prefix, its key and its data."""

    topic: str
    key: str
    data: dict[str, Any]

    @property
    def kind(self) -> str:
        """Its kind."""
        return str(self.data.get("kind", ""))

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its lines, if it has any."""
        return self.data.get("lines") or []
