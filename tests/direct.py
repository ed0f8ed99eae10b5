"""Workers without Kafka: batches are handed to their appliers, and what their relays publish is kept in a list."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg

from bo_worker.app import Worker
from bo_worker.messages.inbound import INPUT_TOPICS, decode
from bo_worker.messages.packing import as_message
from bo_worker.messages.record import Record
from bo_worker.service.batch import Batch
from bo_worker.store.positions import claim_partitions
from world import world_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from bo_worker.messages.record import Message, Outgoing
    from bo_worker.store.positions import Partition, Position


class Published:
    """Stands where the publisher to Kafka stands."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        self.messages += [as_message(message) for message in messages]

    async def give_way(self) -> None:
        """Nobody else is at work."""

    def sequences(self) -> dict[tuple[str, bytes | None], list[int]]:
        """The sequence numbers per topic and key, as they came."""
        found: dict[tuple[str, bytes | None], list[int]] = {}
        for topic, key, _, headers in self.messages:
            found.setdefault((topic, key), []).append(int(dict(headers)["ce_sequence"]))
        return found


class DirectWorker:
    """A worker that owns one partition of every topic, and is told what to apply."""

    def __init__(self, database_url: str, number: int, **more: Any) -> None:
        self.number = number
        self.worker = Worker(world_settings("localhost:1", database_url, "", **more))
        self.published = Published()
        self.worker.relay._publisher = self.published  # type: ignore[assignment]  # a stand-in
        self.positions: dict[Partition, Position] = {}

    async def claim(self, connection: asyncpg.Connection, *topics: str) -> None:
        self.positions |= await claim_partitions(connection, [(topic, self.number) for topic in topics])

    def batch(self, *messages: Message) -> Batch:
        """The messages as the next ones of their partitions."""
        offsets = {topic: position.next_offset or 0 for (topic, _), position in self.positions.items()}
        items = []
        for topic, key, value, headers in messages:
            items.append(decode(Record(topic, self.number, offsets[topic], key, value, headers), 2**20))
            offsets[topic] += 1
        return Batch(items, self.positions)

    async def apply(self, *messages: Message) -> None:
        batch = self.batch(*messages)
        await self.worker.applier.apply(batch)
        self.positions |= batch.ends()

    async def relay(self) -> None:
        """Publish everything that is visible."""
        while await self.worker.relay._round():
            pass

    async def close(self) -> None:
        for part in (self.worker.applier, self.worker.relay):
            await part._session.discard()


@asynccontextmanager
async def direct_workers(
    database_url: str, count: int, **more: Any
) -> AsyncIterator[tuple[asyncpg.Connection, list[DirectWorker]]]:
    """Workers that own a partition each, and a connection to see what they did."""
    connection = await asyncpg.connect(database_url)
    workers = [DirectWorker(database_url, number, **more) for number in range(count)]
    try:
        for worker in workers:
            await worker.claim(connection, *INPUT_TOPICS)
        yield connection, workers
    finally:
        for worker in workers:
            await worker.close()
        await connection.close()
