"""A database to which batches are applied without Kafka: what is stored there, and what is to be sent."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.config import load_settings
from bo_worker.domain.account import Terms
from bo_worker.messages.inbound import INPUT_TOPICS, Decoded, Refused
from bo_worker.messages.packing import unpack
from bo_worker.service.applier import Applier
from bo_worker.service.batch import Batch
from bo_worker.service.work import Rules
from bo_worker.store.positions import Position, claim_partitions
from bo_worker.store.session import Session
from streams import decoded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    import asyncpg

    from bo_worker.messages.record import Message
    from bo_worker.service.apply import Applied
    from bo_worker.store.positions import Partition
    from streams import Input

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEPT = ("migration", "serving")
# What depends on how the input was cut into batches, or only tells rows apart.
UNLIKE = "id,availability_sequence,procurement_sequence,expedite_told,created_at"


class Ledger:
    """Owns partition 0 of every topic. Time stands still, so that equal causes have equal effects; `now` moves it."""

    def __init__(self, session: Session, rules: Rules) -> None:
        self._session = session
        self.now = NOW
        self.committed: list[Applied] = []
        self.positions: dict[Partition, Position] = {}
        self.applier = Applier(
            session,
            rules,
            clock=lambda: self.now,
            committed=lambda _, applied: self.committed.append(applied),
            stopping=asyncio.Event(),
            retry_wait_max_s=1,
            checkpoint=lambda _: None,
            retried=lambda _: None,
        )

    async def connection(self) -> asyncpg.Connection:
        return await self._session.connected()

    async def claim(self) -> None:
        """Take ownership, as after a start or a rebalance."""
        self.positions = await claim_partitions(await self.connection(), [(topic, 0) for topic in INPUT_TOPICS])

    def batch(self, *inputs: Input | Decoded) -> Batch:
        """The inputs as the next ones of their partitions."""
        offsets = {topic: position.next_offset or 0 for (topic, _), position in self.positions.items()}
        items: list[Decoded | Refused] = []
        for one in inputs:
            item = one if isinstance(one, Decoded) else decoded(one)
            item.record.offset = offsets[item.record.topic]
            offsets[item.record.topic] += 1
            items.append(item)
        return Batch(items, self.positions)

    async def apply(self, *inputs: Input | Decoded) -> None:
        """Apply the inputs as one batch, in as many transactions as it takes."""
        batch = self.batch(*inputs)
        await self.applier.apply(batch)
        self.positions |= batch.ends()

    async def rows(self, *tables: str) -> dict[str, list[str]]:
        """Everything that is stored about orders and stock, but for numbers that only tell rows apart."""
        connection = await self.connection()
        return {table: await _rows(connection, table) for table in tables or await _tables(connection)}

    async def messages(self) -> list[Message]:
        """What is to be published, in order."""
        rows = await (await self.connection()).fetch("select body from bo_worker.outbox order by id")
        return [message for row in rows for message in unpack(row["body"])]

    async def published(self) -> dict[tuple[str, bytes | None], list[Message]]:
        """The same by topic and key, numbered without gaps.

        Availability is told once per transaction, so only its last word counts. So is purchasing, and what it heard
        by then is no part of it.
        """
        found: dict[tuple[str, bytes | None], list[Message]] = {}
        for message in await self.messages():
            found.setdefault((message.topic, message.key), []).append(message)
        for (topic, _), messages in found.items():
            if not topic.endswith(".dlq"):
                numbers = [dict(message.headers)["ce_sequence"] for message in messages]
                assert numbers == [b"%d" % number for number in range(1, len(messages) + 1)]
            if topic == "availability-changed":
                messages[:] = [messages[-1]._replace(headers=[])]
        return {name: messages for name, messages in found.items() if name[0] != "procurement"}

    async def forget(self) -> None:
        """Begin anew."""
        connection = await self.connection()
        for table in await _tables(connection):
            await connection.execute(f"delete from bo_worker.{table}")  # noqa: S608 - a name from the catalogue
        self.committed.clear()
        await self.claim()


@asynccontextmanager
async def ledger(
    database_url: str, *, rank_by: str = "placed_at", fill_lines_max: int = 5_000, terms: Terms | None = None
) -> AsyncIterator[Ledger]:
    """A worker's ledger on a database."""
    session = Session(load_settings(database_url=database_url), "test")
    try:
        found = Ledger(session, Rules(rank_by, fill_lines_max, terms=terms or Terms()))
        await found.claim()
        yield found
    finally:
        await session.discard()


def data(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """The data of messages, with blank ids."""
    found = []
    for message in messages:
        values = orjson.loads(message.value or b"null")
        for name, blank in (("fulfillment_id", "F-"), ("revokes", "F-"), ("notification_id", "N-")):
            if name in values:
                values[name] = blank
        found.append(values)
    return found


async def _tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "select relname from pg_class where relnamespace = 'bo_worker'::regnamespace and relkind = 'r' order by 1"
    )
    return [row[0] for row in rows if row[0] not in KEPT]


async def _rows(connection: asyncpg.Connection, table: str) -> list[str]:
    rows = await connection.fetch(
        f"select (to_jsonb(stored) - '{{{UNLIKE}}}'::text[])::text"  # noqa: S608 - the same
        f" from bo_worker.{table} as stored order by {'sku, id' if table == 'journal' else '1'}"
    )
    return [row[0] for row in rows]
