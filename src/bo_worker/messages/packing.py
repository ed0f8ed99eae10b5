"""Messages of one batch as one value for the outbox: a byte for the version, then msgpack in lz4."""

from typing import TYPE_CHECKING, Final

import cramjam
import msgpack

from bo_worker.messages.record import Message

if TYPE_CHECKING:
    from collections.abc import Sequence

_VERSION: Final = 1


class PackingError(ValueError):
    """A packed value that this version can't read."""


def pack(messages: "Sequence[Message]") -> bytes:
    """The messages as one value; `unpack` gives them back in the same order."""
    compressed = cramjam.lz4.compress_block(msgpack.packb(messages))
    return bytes((_VERSION,)) + bytes(compressed)


def unpack(packed: bytes) -> list[Message]:
    """The messages of a packed value.

    Raises:
        PackingError: written by a version that is not known here, or damaged.
    """
    if packed[:1] != bytes((_VERSION,)):
        raise PackingError(f"expected packed messages of version {_VERSION}, found {packed[:1].hex() or 'none'}")
    try:
        rows = msgpack.unpackb(cramjam.lz4.decompress_block(packed[1:]), use_list=False)
        return [Message(topic, key, value, list(headers)) for topic, key, value, headers in rows]
    except (cramjam.DecompressionError, ValueError, TypeError) as error:
        raise PackingError("the packed messages are damaged") from error
