"""What the core tells becomes messages, numbered per topic and key, and these become rows of the outbox."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from bo_worker.domain.facts import Availability, Procurement
from bo_worker.messages.outbound import encode
from bo_worker.messages.packing import pack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bo_worker.domain.facts import Fact
    from bo_worker.messages.record import Event, Message
    from bo_worker.service.work import Work

MESSAGES_PER_ROW_MAX: Final = 5000
# What counts units of goods, by kind of fact.
_COUNTED: Final = {
    "ship": "ship",
    "cross_dock": "cross_dock",
    "put_away": "put_away",
    "order_backordered": "backordered",
}


def encode_facts(work: Work, at: bytes) -> None:
    """Number the facts so far per topic and key, without gaps, and make events of them, stamped with `at`.

    Done after each decision, while its facts are at hand, it takes less time than for a whole batch at once.
    """
    facts, messages, units = work.account.facts, work.messages, work.units
    for fact, cause in facts:
        messages.append(encode(fact, sequence=_next_number(work, fact), at=at, traceparent=cause.traceparent))
        counted_as = _COUNTED.get(fact.kind)
        if counted_as is not None:
            for line in fact.lines:  # type: ignore[union-attr]  # these kinds have lines
                units[counted_as] += line.quantity
    facts.clear()


def _next_number(work: Work, fact: Fact) -> int:
    topic = fact.topic
    if topic == Availability.topic:
        product = work.account.products[fact.key]
        product.availability_sequence += 1
        return product.availability_sequence
    if topic == Procurement.topic:
        product = work.account.products[fact.key]
        product.procurement_sequence += 1
        product.note_purchasing()  # Nothing else of it need have changed, and the number must be stored.
        return product.procurement_sequence
    return work.keys[fact.key].next_number(topic)


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
