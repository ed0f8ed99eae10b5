"""Valid data of every input, as a producer would send it; each builder takes the fields that a test is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.messages.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable

AT = "2026-11-21T09:30:00Z"

Data = dict[str, Any]


def order(order_id: str = "SO-1001", *, lines: list[Data] | None = None, **fields: Any) -> Data:
    return {
        "order_id": order_id,
        "placed_at": AT,
        "customer": {"customer_id": "C-7"},
        "lines": [order_line()] if lines is None else lines,
        **fields,
    }


def order_line(line_id: str = "1", sku: str = "SKU-1", quantity: int = 3, **fields: Any) -> Data:
    return {"line_id": line_id, "sku": sku, "quantity": quantity, **fields}


def receipt(receipt_id: str = "R-55", *, lines: list[Data] | None = None, **fields: Any) -> Data:
    return {
        "receipt_id": receipt_id,
        "location": "WH1",
        "received_at": AT,
        "lines": [receipt_line()] if lines is None else lines,
        **fields,
    }


def receipt_line(line_id: str = "1", sku: str = "SKU-1", quantity: int = 10, **fields: Any) -> Data:
    return {"line_id": line_id, "sku": sku, "quantity": quantity, **fields}


def cancellation(cancellation_id: str = "X-1", order_id: str = "SO-1001", **fields: Any) -> Data:
    return {"cancellation_id": cancellation_id, "order_id": order_id, "cancelled_at": AT, **fields}


def amendment(amendment_id: str = "AM-1", order_id: str = "SO-1001", **fields: Any) -> Data:
    return {"amendment_id": amendment_id, "order_id": order_id, "amended_at": AT, **fields}


def adjustment(adjustment_id: str = "ADJ-1", quantity_delta: int = -2, **fields: Any) -> Data:
    return {
        "adjustment_id": adjustment_id,
        "sku": "SKU-1",
        "location": "WH1",
        "quantity_delta": quantity_delta,
        "reason": "damaged",
        "adjusted_at": AT,
        **fields,
    }


def shipment(shipment_id: str = "S-1", *, lines: list[Data] | None = None, **fields: Any) -> Data:
    return {
        "shipment_id": shipment_id,
        "order_id": "SO-1001",
        "dispatched_at": AT,
        "lines": [shipment_line()] if lines is None else lines,
        **fields,
    }


def shipment_line(line_id: str = "1", location: str = "WH1", quantity: int = 3) -> Data:
    return {"line_id": line_id, "location": location, "quantity": quantity}


def policy(sku: str = "SKU-1", version: int = 1, **fields: Any) -> Data:
    return {
        "sku": sku,
        "version": version,
        "updated_at": AT,
        "backorder": "allow",
        "kind": "standard",
        **fields,
    }


def purchase_order(
    purchase_order_id: str = "PO-9", version: int = 1, *, lines: list[Data] | None = None, **fields: Any
) -> Data:
    return {
        "purchase_order_id": purchase_order_id,
        "version": version,
        "supplier_id": "SUP-1",
        "location": "WH1",
        "updated_at": AT,
        "status": "confirmed",
        "lines": [purchase_order_line()] if lines is None else lines,
        **fields,
    }


def purchase_order_line(line_id: str = "1", sku: str = "SKU-1", quantity: int = 100, **fields: Any) -> Data:
    return {
        "line_id": line_id,
        "sku": sku,
        "quantity": quantity,
        "expected_from": "2026-12-01",
        "expected_to": "2026-12-05",
        **fields,
    }


def waitlist_entry(entry_id: str = "W-1", sku: str = "SKU-1", **fields: Any) -> Data:
    return {"entry_id": entry_id, "sku": sku, "customer": {"customer_id": "C-8"}, "joined_at": AT, **fields}


def response(response_id: str = "RS-1", choice: str = "keep", **fields: Any) -> Data:
    return {
        "response_id": response_id,
        "order_id": "SO-1001",
        "line_id": "1",
        "choice": choice,
        "token": "token",
        "responded_at": AT,
        **fields,
    }


def payment(payment_event_id: str = "P-1", status: str = "authorized", **fields: Any) -> Data:
    return {
        "payment_event_id": payment_event_id,
        "order_id": "SO-1001",
        "status": status,
        "occurred_at": AT,
        **fields,
    }


VALID: dict[str, Callable[[], Data]] = {
    "order-created": order,
    "inventory-received": receipt,
    "order-cancelled": cancellation,
    "order-amended": amendment,
    "inventory-adjusted": adjustment,
    "shipment-dispatched": shipment,
    "product-policy-updated": policy,
    "purchase-order-updated": purchase_order,
    "customer-response": response,
    "payment-updated": payment,
    "waitlist-joined": waitlist_entry,
}


def record(
    topic: str,
    data: Data,
    *,
    key: bytes | None = b"key",
    headers: tuple[tuple[str, bytes], ...] = (),
    partition: int = 0,
    offset: int = 0,
) -> Record:
    """The data as a record of bare JSON, or of binary mode where headers say so."""
    return Record(topic, partition, offset, key, orjson.dumps(data), headers)
