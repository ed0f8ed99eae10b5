"""The two shapes that cross the border to Kafka: a record that came, a message that goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True)
class Record:
    """A record as it was read; `topic` is the contract's name, without the prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class Message(NamedTuple):
    """A message to publish; `topic` is the contract's name, without the prefix."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]


class Event(NamedTuple):
    """What happened, as it waits in the outbox: a message whose headers follow from these fields."""

    topic: str
    key: bytes
    value: bytes
    kind: str
    event_id: str
    at: bytes
    sequence: int
    traceparent: str | None


# What waits in the outbox. There and on the way from it to Kafka both are plain tuples of their fields, which are
# told by their length: to make objects of them takes time, and nobody looks at them.
Outgoing = Event | Message
