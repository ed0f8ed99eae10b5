"""Messages of one batch as one value for the outbox: a byte for the version, then msgpack in lz4."""

from typing import TYPE_CHECKING, Final

import cramjam
import msgpack

from bo_worker.messages.outbound import message_of
from bo_worker.messages.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.messages.record import Outgoing

_VERSION: Final = 1
_LENGTHS: Final = {len(Event._fields), len(Message._fields)}


class PackingError(ValueError):
    """A packed value that this version can't read."""


def pack(messages: "Sequence[Outgoing]") -> bytes:
    """Events, and messages that are none (dead letters), as one value, in their order."""
    compressed = cramjam.lz4.compress_block(msgpack.packb(messages))
    return bytes((_VERSION,)) + bytes(compressed)


def unpack(packed: bytes) -> "list[Message]":
    """The messages of a packed value, those of events with their headers.

    Raises:
        PackingError: as `unpack_outgoing` does.
    """
    return [as_message(outgoing) for outgoing in unpack_outgoing(packed)]


def unpack_outgoing(packed: bytes) -> "list[Outgoing]":
    """The events and messages of a packed value, as plain tuples.

    Raises:
        PackingError: written by a version that is not known here, or damaged.
    """
    if packed[:1] != bytes((_VERSION,)):
        raise PackingError(f"expected packed messages of version {_VERSION}, found {packed[:1].hex() or 'none'}")
    try:
        rows: list[Outgoing] = msgpack.unpackb(cramjam.lz4.decompress_block(packed[1:]), use_list=False)
        lengths = set(map(len, rows))
    except (cramjam.DecompressionError, ValueError, TypeError) as error:
        raise PackingError("the packed messages are damaged") from error
    if not lengths <= _LENGTHS:
        raise PackingError("the packed messages are damaged")
    return rows


def as_message(outgoing: "Outgoing") -> Message:
    """The message that goes to Kafka."""
    if len(outgoing) == len(Event._fields):
        return message_of(Event(*outgoing))
    topic, key, value, headers = outgoing  # type: ignore[misc]  # told by its length
    return Message(topic, key, value, list(headers))
