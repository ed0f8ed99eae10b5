"""What the per-message worker reads and writes: pydantic models in, CloudEvents out."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

from pydantic import AwareDatetime, BaseModel, Field

Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern="^[A-Za-z0-9._:/-]+$")]
Quantity = Annotated[int, Field(ge=1, le=1_000_000_000, strict=True)]


class Customer(BaseModel):
    """Who ordered, and how to reach them."""

    customer_id: Identifier
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    segment: str | None = None


class Line(BaseModel):
    """One line of an order or of a receipt."""

    line_id: Identifier
    sku: Identifier
    quantity: Quantity


class OrderCreated(BaseModel):
    """A customer's order."""

    order_id: Identifier
    placed_at: AwareDatetime
    customer: Customer
    lines: Annotated[list[Line], Field(min_length=1, max_length=2000)]


class InventoryReceived(BaseModel):
    """Units that arrived at a location."""

    receipt_id: Identifier
    location: Identifier
    received_at: AwareDatetime
    dock_door: str | None = None
    lines: Annotated[list[Line], Field(min_length=1, max_length=2000)]


class Message(NamedTuple):
    """A message to publish."""

    topic: str
    key: str
    headers: str
    value: str


def message_id(*parts: str) -> str:
    """Return the same id for the same parts."""
    return str(uuid5(NAMESPACE_URL, "/".join(parts)))


def event(topic: str, key: str, sequence: int, event_id: str, data: dict[str, Any]) -> Message:
    """Return the CloudEvent number `sequence` of its key."""
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event_id,
        "ce_source": "/baseline",
        "ce_type": f"bo.{topic}.{data['kind']}.v1",
        "ce_time": datetime.now(UTC).isoformat(),
        "ce_subject": key,
        "ce_sequence": str(sequence),
        "content-type": "application/json",
    }
    return Message(topic, key, json.dumps(headers), json.dumps(data))
