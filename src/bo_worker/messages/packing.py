"""Messages of one batch as one value for the outbox: a byte for the version, then msgpack in lz4."""

from typing import TYPE_CHECKING, Any, Final

import cramjam
import msgpack

from bo_worker.messages.outbound import message_of
from bo_worker.messages.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_VERSION: Final = 1
_SLICE: Final = 500


class PackingError(ValueError):
    """A packed value that this version can't read."""


def pack(messages: "Sequence[Event | Message]") -> bytes:
    """Events, and messages that are none (dead letters), as one value, in their order."""
    compressed = cramjam.lz4.compress_block(msgpack.packb(messages))
    return bytes((_VERSION,)) + bytes(compressed)


def unpack(packed: bytes) -> list[Message]:
    """The messages of a packed value, those of events with their headers.

    Raises:
        PackingError: written by a version that is not known here, or damaged.
    """
    return [message for part in unpack_slices(packed) for message in part]


def unpack_slices(packed: bytes) -> "Iterator[list[Message]]":
    """The same in slices, so that the caller can do something else in between.

    Raises:
        PackingError: as `unpack` does.
    """
    if packed[:1] != bytes((_VERSION,)):
        raise PackingError(f"expected packed messages of version {_VERSION}, found {packed[:1].hex() or 'none'}")
    try:
        rows = msgpack.unpackb(cramjam.lz4.decompress_block(packed[1:]), use_list=False)
        for first in range(0, len(rows), _SLICE):
            yield [_message(row) for row in rows[first : first + _SLICE]]
    except (cramjam.DecompressionError, ValueError, TypeError) as error:
        raise PackingError("the packed messages are damaged") from error


def _message(row: tuple[Any, ...]) -> Message:
    if len(row) == len(Event._fields):
        return message_of(Event(*row))
    topic, key, value, headers = row
    return Message(topic, key, value, list(headers))
