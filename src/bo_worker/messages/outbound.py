"""From facts to messages, and from records that can't be taken in to dead letters."""

from __future__ import annotations

from dataclasses import fields
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, get_args

import orjson

from bo_worker.domain.facts import (
    Availability,
    DelayNotice,
    Fact,
    Notification,
    Procurement,
    ProcurementKind,
    Ship,
    ShippedNotification,
    SubstituteOffered,
)
from bo_worker.domain.identity import derive_id
from bo_worker.domain.payment_request import PaymentRequest, PaymentRequestKind
from bo_worker.messages.fact_fields import DATA
from bo_worker.messages.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo_worker.messages.record import Record

SOURCE: Final = "/bo-worker"
DEAD_LETTER_SUFFIX: Final = ".dlq"
REPLAYS_HEADER: Final = "dlq_replays"
CE_ID: Final = "ce_id"
CE_TIME: Final = "ce_time"
CE_SUBJECT: Final = "ce_subject"
CE_SEQUENCE: Final = "ce_sequence"
TRACEPARENT: Final = "traceparent"
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

# They have fields of their own, and facts.
_OF_THEIR_OWN: Final = {"shipped", "delay_notice", "substitute_offered", "back_in_stock"}
_KINDS: Final[Mapping[type[Any], tuple[str, ...]]] = MappingProxyType(
    {
        ShippedNotification: ("shipped",),
        DelayNotice: ("delay_notice",),
        SubstituteOffered: ("substitute_offered",),
        Notification: tuple(kind for kind in NOTIFICATION_KINDS if kind not in _OF_THEIR_OWN),
        Availability: (Availability.kind,),
        Procurement: get_args(ProcurementKind),
        PaymentRequest: get_args(PaymentRequestKind),
    }
)
_ID_CHARACTERS_MAX: Final = 64

# The same cause gives the same id.
_EVENT_ID: Final = {
    topic: attrgetter(name)
    for topic, name in (
        (Notification.topic, "notification_id"),
        (Ship.topic, "fulfillment_id"),
        (Procurement.topic, "procurement_id"),
        (PaymentRequest.topic, "payment_request_id"),
    )
}

Header = tuple[str, bytes]


def kinds(fact: type[Any]) -> tuple[str, ...]:
    """The kinds a fact of this type can have."""
    found = _KINDS.get(fact)
    return found or tuple(str(field.default) for field in fields(fact) if field.name == "kind")


def event_kinds(topic: str) -> tuple[str, ...]:
    """The kinds of message on an output topic."""
    return tuple(kind for fact in get_args(Fact) if fact.topic == topic for kind in kinds(fact))


def schema_id(topic: str) -> str:
    """The name of the schema that the data on a topic keeps to."""
    return f"urn:bo-worker:schema:{topic}:v1"


def event_type(topic: str, kind: str) -> str:
    """The CloudEvents type of a kind of message."""
    return f"bo.{topic}.{kind}.v1"


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
        orjson.dumps(DATA[type(fact)](fact), option=orjson.OPT_UTC_Z),
        fact.kind,
        _availability_id(fact, sequence) if isinstance(fact, Availability) else _EVENT_ID[fact.topic](fact),
        at,
        sequence,
        traceparent,
    )


def static_headers(topic: str, kind: str) -> tuple[Header, ...]:
    """The headers that are the same on every message of a kind; they come first."""
    return _STATIC_HEADERS[topic, kind]


def message_of(event: Event) -> Message:
    """The message that carries an event: a CloudEvent in binary mode.

    On the way to Kafka it is written without this detour (kafka/record_batch.py).
    """
    topic, key, value, kind, event_id, at, sequence, traceparent = event
    headers = [
        *_STATIC_HEADERS[topic, kind],
        (CE_ID, event_id.encode()),
        (CE_TIME, at),
        (CE_SUBJECT, key),
        (CE_SEQUENCE, b"%d" % sequence),
    ]
    if traceparent is not None:
        headers.append((TRACEPARENT, traceparent.encode()))
    return Message(topic, key, value, headers)


def _availability_id(fact: Availability, sequence: int) -> str:
    """An availability is told by its place in the sequence."""
    place = f"A-{fact.sku}-{sequence}"
    return place if len(place) <= _ID_CHARACTERS_MAX else derive_id("A-", place)


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
