"""A batch of records as Kafka stores it (version 2), written here: the client takes three times as long."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Final

from aiokafka.codec import zstd_encode
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.util import calc_crc32c

from bo_worker.messages.outbound import CE_ID, CE_SEQUENCE, CE_SUBJECT, CE_TIME, TRACEPARENT, static_headers
from bo_worker.messages.record import Event

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bo_worker.messages.outbound import Header
    from bo_worker.messages.record import Message, Outgoing

_VERSION: Final = 2
_NO_LEADER_EPOCH: Final = -1
_ZSTD: Final = 4
_HEADER: Final = struct.Struct(">qiibI")  # base offset, length of what follows, leader epoch, version, checksum
# What the checksum covers: attributes, last offset delta, first and last timestamp, producer, its epoch, its
# sequence, count of records; then the records.
_CHECKED_HEADER: Final = struct.Struct(">hiqqqhii")
_LENGTH_COVERS: Final = _HEADER.size - 12
_LENGTHS_KEPT: Final = 4096
_EVENT_FIELDS: Final = len(Event._fields)


class _Varints(dict[int, bytes]):
    """Signed integers of variable length, as Kafka writes lengths, counts and offsets; small ones are at hand."""

    def __missing__(self, number: int) -> bytes:
        rest = number << 1 if number >= 0 else (-number << 1) - 1
        written = bytearray()
        while rest > 0x7F:
            written.append(rest & 0x7F | 0x80)
            rest >>= 7
        written.append(rest)
        return bytes(written)


VARINT: Final = _Varints()
VARINT.update({number: VARINT[number] for number in range(_LENGTHS_KEPT)})


def _header_name(name: str) -> bytes:
    return VARINT[len(name)] + name.encode()


_ID: Final = _header_name(CE_ID)
_TIME: Final = _header_name(CE_TIME)
_SUBJECT: Final = _header_name(CE_SUBJECT)
_SEQUENCE: Final = _header_name(CE_SEQUENCE)
_TRACE: Final = _header_name(TRACEPARENT)


class RecordBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types
    """A batch that the client's producer sends like one of its own; all of its records have one timestamp."""

    def __init__(self, bytes_max: int, now_ms: int) -> None:
        self._bytes_max = bytes_max
        self._now_ms = now_ms
        self._records = bytearray()
        self._body: bytes | bytearray = self._records
        self._count = 0
        self._attributes = 0
        self._producer = (-1, -1, -1)
        self._buffer: bytes | None = None
        self._closed = False

    def fill(self, messages: Sequence[Outgoing], first: int, count: int) -> int:
        """Take up to `count` messages from the one at `first` on, while there is room; return which is the next.

        An empty batch takes its first message whatever the size.
        """
        records, bytes_max = self._records, self._bytes_max
        before = first - self._count
        following = min(first + count, len(messages))
        for index in range(first, following):
            message = messages[index]
            body = _event_body(message) if len(message) == _EVENT_FIELDS else _message_body(message)  # type: ignore[arg-type]  # told by length
            place = VARINT[index - before]
            size = 2 + len(place) + len(body)  # Before the place go the attributes and the delta of the timestamp.
            if records and len(records) + size > bytes_max:
                following = index
                break
            records += b"%b\0\0%b%b" % (VARINT[size], place, body)
        self._count = following - before
        return following

    def close(self) -> None:
        """Compress the records, unless that makes them larger.

        Not with lz4 or gzip: the client has them do their utmost, which is eight times the work.
        """
        if not self._closed:
            self._closed = True
            compressed = zstd_encode(self._records)
            if len(compressed) < len(self._records):
                self._body = compressed
                self._attributes = _ZSTD
                self._records = bytearray()

    def size(self) -> int:
        """Return the size of the batch in bytes."""
        return _HEADER.size + _CHECKED_HEADER.size + len(self._body)

    def record_count(self) -> int:
        """Return the number of records."""
        return self._count

    def _set_producer_state(self, producer_id: int, producer_epoch: int, base_sequence: int) -> None:
        self._producer = (producer_id, producer_epoch, base_sequence)

    def _build(self) -> bytes:
        """Return the bytes to send, the same each time: the client sends them again until they are acknowledged."""
        self.close()
        if self._buffer is None:
            last, now_ms = self._count - 1, self._now_ms
            fields = _CHECKED_HEADER.pack(self._attributes, last, now_ms, now_ms, *self._producer, self._count)
            checked = fields + self._body
            length = len(checked) + _LENGTH_COVERS
            self._buffer = _HEADER.pack(0, length, _NO_LEADER_EPOCH, _VERSION, calc_crc32c(checked)) + checked
        return self._buffer


def _event_body(event: Event) -> bytes:
    """Return key, value and headers of an event: the same as of the message that carries it."""
    topic, key, value, kind, event_id, at, sequence, traceparent = event
    sized_key = VARINT[len(key)] + key
    named, number = event_id.encode(), b"%d" % sequence
    body = b"".join(
        (
            sized_key,
            VARINT[len(value)],
            value,
            _up_to_id(topic, kind, traceparent is not None),
            VARINT[len(named)],
            named,
            _TIME,
            VARINT[len(at)],
            at,
            _SUBJECT,
            sized_key,
            _SEQUENCE,
            VARINT[len(number)],
            number,
        )
    )
    return body if traceparent is None else body + _TRACE + _sized(traceparent.encode())


@cache
def _up_to_id(topic: str, kind: str, is_traced: bool) -> bytes:  # noqa: FBT001 - called for every event
    """Return the count of headers and those that all events of a kind share, up to the name of the first other."""
    shared = static_headers(topic, kind)
    return VARINT[len(shared) + 4 + is_traced] + _headers(shared) + _ID


def _message_body(message: Message) -> bytes:
    _, key, value, headers = message
    return _sized(key) + _sized(value) + VARINT[len(headers)] + _headers(headers)


def _headers(headers: Iterable[Header]) -> bytes:
    return b"".join([_sized(name.encode()) + _sized(value) for name, value in headers])


def _sized(value: bytes | None) -> bytes:
    return VARINT[-1] if value is None else VARINT[len(value)] + value
