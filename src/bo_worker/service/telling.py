"""What messages are stamped with, and how they become rows of the outbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from bo_worker.messages.packing import pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bo_worker.messages.record import Event, Message

MESSAGES_PER_ROW_MAX: Final = 5000


async def pack_rows(messages: Sequence[Event | Message]) -> list[tuple[int, bytes]]:
    """Return rows of the outbox: how many messages, and the messages. Whoever has more to do goes first."""
    rows = []
    for first in range(0, len(messages), MESSAGES_PER_ROW_MAX):
        part = messages[first : first + MESSAGES_PER_ROW_MAX]
        await asyncio.sleep(0)
        rows.append((len(part), pack(part)))
    return rows


def instant(now: datetime) -> bytes:
    """Return an instant as RFC 3339 in UTC, to the millisecond."""
    return now.strftime("%Y-%m-%dT%H:%M:%S.").encode() + b"%03dZ" % (now.microsecond // 1000)
