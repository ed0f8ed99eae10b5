"""From facts to messages, and from records that can't be taken in to dead letters."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_args

import orjson

from bo_worker.domain.facts import (
    Availability,
    CrossDock,
    Fact,
    Notification,
    PutAway,
    Revoke,
    Ship,
    ShippedNotification,
)
from bo_worker.domain.identity import derive_id
from bo_worker.messages.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bo_worker.domain.facts import FulfillmentLine
    from bo_worker.messages.record import Record

SOURCE: Final = "/bo-worker"
DEAD_LETTER_SUFFIX: Final = ".dlq"
REPLAYS_HEADER: Final = "dlq_replays"
NOTIFICATION_KINDS: Final = (
    "order_confirmed",
    "order_backordered",
    "order_rejected",
    "backorder_filled",
    "shipped",
    "order_cancelled",
    "allocation_lost",
    "expected_date_changed",
    "delay_notice",
    "substitute_offered",
    "payment_action_required",
    "refund_issued",
    "compensation_offered",
    "still_on_track",
    "back_in_stock",
)

_ID_CHARACTERS_MAX: Final = 64

Header = tuple[str, bytes]
Data = dict[str, Any]


def kinds(fact: type[Any]) -> tuple[str, ...]:
    """The kinds a fact of this type can have."""
    if fact is ShippedNotification:
        return ("shipped",)
    if fact is Notification:
        return tuple(kind for kind in NOTIFICATION_KINDS if kind != "shipped")
    if fact is Availability:
        return (Availability.kind,)
    return tuple(str(field.default) for field in fields(fact) if field.name == "kind")


def event_kinds(topic: str) -> tuple[str, ...]:
    """The kinds of message on an output topic."""
    return tuple(kind for fact in get_args(Fact) if fact.topic == topic for kind in kinds(fact))


def schema_id(topic: str) -> str:
    """The name of the schema that the data on a topic keeps to."""
    return f"urn:bo-worker:schema:{topic}:v1"


def event_type(topic: str, kind: str) -> str:
    """The CloudEvents type of a kind of message."""
    return f"bo.{topic}.{kind}.v1"


# The headers that are the same on every message of a kind.
_STATIC_HEADERS: Final[dict[tuple[str, str], tuple[Header, ...]]] = {
    (fact.topic, kind): (
        ("ce_specversion", b"1.0"),
        ("ce_source", SOURCE.encode()),
        ("ce_type", event_type(fact.topic, kind).encode()),
        ("ce_dataschema", schema_id(fact.topic).encode()),
        ("content-type", b"application/json"),
    )
    for fact in get_args(Fact)
    for kind in kinds(fact)
}


def encode(fact: Fact, *, sequence: int, at: bytes, traceparent: str | None) -> Event:
    """The event for a fact: number `sequence` of its key, stamped with the instant `at`."""
    return Event(
        fact.topic,
        fact.key.encode(),
        orjson.dumps(_DATA[type(fact)](fact), option=orjson.OPT_UTC_Z),
        fact.kind,
        _event_id(fact, sequence),
        at,
        sequence,
        traceparent,
    )


def message_of(event: Event) -> Message:
    """The message that carries an event: a CloudEvent in binary mode."""
    topic, key, value, kind, event_id, at, sequence, traceparent = event
    headers = [
        *_STATIC_HEADERS[topic, kind],
        ("ce_id", event_id.encode()),
        ("ce_time", at),
        ("ce_subject", key),
        ("ce_sequence", b"%d" % sequence),
    ]
    if traceparent is not None:
        headers.append(("traceparent", traceparent.encode()))
    return Message(topic, key, value, headers)


def _event_id(fact: Fact, sequence: int) -> str:
    """The same cause gives the same id; an availability is told by its place in the sequence."""
    if isinstance(fact, Notification):
        return fact.notification_id
    if isinstance(fact, Availability):
        place = f"A-{fact.sku}-{sequence}"
        return place if len(place) <= _ID_CHARACTERS_MAX else derive_id("A-", place)
    return fact.fulfillment_id


# The data of each kind of fact, field by field: several times as fast as letting a library find out.


def _fulfillment_lines(lines: list[FulfillmentLine]) -> list[Data]:
    return [{"line_id": line.line_id, "sku": line.sku, "quantity": line.quantity, "lot": line.lot} for line in lines]


def _ship(fact: Ship) -> Data:
    return {
        "fulfillment_id": fact.fulfillment_id,
        "kind": fact.kind,
        "order_id": fact.order_id,
        "location": fact.location,
        "priority": fact.priority,
        "lines": _fulfillment_lines(fact.lines),
        "completes_order": fact.completes_order,
    }


def _cross_dock(fact: CrossDock) -> Data:
    return {
        "fulfillment_id": fact.fulfillment_id,
        "kind": fact.kind,
        "order_id": fact.order_id,
        "location": fact.location,
        "priority": fact.priority,
        "receipt_id": fact.receipt_id,
        "dock_door": fact.dock_door,
        "lines": _fulfillment_lines(fact.lines),
        "completes_order": fact.completes_order,
    }


def _put_away(fact: PutAway) -> Data:
    return {
        "fulfillment_id": fact.fulfillment_id,
        "kind": fact.kind,
        "receipt_id": fact.receipt_id,
        "location": fact.location,
        "dock_door": fact.dock_door,
        "lines": [{"sku": line.sku, "quantity": line.quantity, "lot": line.lot} for line in fact.lines],
    }


def _revoke(fact: Revoke) -> Data:
    return {
        "fulfillment_id": fact.fulfillment_id,
        "kind": fact.kind,
        "order_id": fact.order_id,
        "location": fact.location,
        "reason": fact.reason,
        "revokes": fact.revokes,
        "lines": _fulfillment_lines(fact.lines),
    }


def _notification(fact: Notification) -> Data:
    return {
        "notification_id": fact.notification_id,
        "kind": fact.kind,
        "order_id": fact.order_id,
        "customer": fact.customer,
        "lines": [
            {
                "line_id": line.line_id,
                "sku": line.sku,
                "quantity": line.quantity,
                "expected_from": line.expected_from,
                "expected_to": line.expected_to,
            }
            for line in fact.lines
        ],
        "completes_order": fact.completes_order,
        "reason": fact.reason,
        "options": fact.options,
        "respond_by": fact.respond_by,
    }


def _shipped(fact: ShippedNotification) -> Data:
    return _notification(fact) | {
        "shipment_id": fact.shipment_id,
        "carrier": fact.carrier,
        "tracking_number": fact.tracking_number,
        "tracking_url": fact.tracking_url,
    }


def _availability(fact: Availability) -> Data:
    """The fields of an availability; the day of a promise is called `from`, which is no name in Python."""
    return {
        "sku": fact.sku,
        "state": fact.state,
        "on_hand": fact.on_hand,
        "allocated": fact.allocated,
        "available": fact.available,
        "backordered": fact.backordered,
        "incoming": fact.incoming,
        "available_to_promise": [
            {"from": promise.day, "quantity": promise.quantity} for promise in fact.available_to_promise
        ],
        "next_receipt_on": fact.next_receipt_on,
        "locations": [
            {
                "location": place.location,
                "on_hand": place.on_hand,
                "allocated": place.allocated,
                "available": place.available,
            }
            for place in fact.locations
        ],
    }


_DATA: Final[Mapping[type[Any], Callable[[Any], Data]]] = MappingProxyType(
    {
        Ship: _ship,
        CrossDock: _cross_dock,
        PutAway: _put_away,
        Revoke: _revoke,
        Notification: _notification,
        ShippedNotification: _shipped,
        Availability: _availability,
    }
)


def dead_letter(record: Record, *, error: str, reason: str, full_topic: str, failed_at: bytes) -> Message:
    """The message as received, and why it could not be taken in.

    Of an earlier stay among the dead letters only the count of replays is kept.
    """
    received = [
        header for header in record.headers if header[0] == REPLAYS_HEADER or not header[0].startswith("dlq_")
    ]
    why = [
        ("dlq_error", error.encode()),
        ("dlq_reason", reason.encode(errors="replace")),
        ("dlq_topic", full_topic.encode()),
        ("dlq_partition", b"%d" % record.partition),
        ("dlq_offset", b"%d" % record.offset),
        ("dlq_failed_at", failed_at),
    ]
    return Message(record.topic + DEAD_LETTER_SUFFIX, record.key, record.value, received + why)
