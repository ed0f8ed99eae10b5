"""A worker as one would write it first, and well: a transaction per message, row locks, an outbox, a relay.

It is there to be measured beside the batching one. It has the same stock, claims, waiting lines and messages, for
orders without options; partitions are worked on side by side, each message of a partition after the other.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from benchmarks.baseline_messages import InventoryReceived, OrderCreated
from benchmarks.baseline_store import place_order, receive_inventory
from pydantic import ValidationError

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord, TopicPartition
    from asyncpg.pool import PoolConnectionProxy

CONNECTIONS = 8
RELAY_ROWS_MAX = 500
RELAY_POLL_S = 0.05
FETCH_WAIT_MS = 200


async def make_schema(database_url: str) -> None:
    """Make the tables in an empty database."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(Path(__file__).with_name("baseline.sql").read_text())
    await connection.close()


class BaselineWorker:
    """Reads, applies and publishes until `stopping` is set."""

    def __init__(
        self, pool: asyncpg.Pool, consumer: AIOKafkaConsumer, producer: AIOKafkaProducer, prefix: str
    ) -> None:
        self._pool = pool
        self._consumer = consumer
        self._producer = producer
        self._prefix = prefix
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Work until asked to stop; then publish what is left."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._relay())
            await self._consume()

    async def _consume(self) -> None:
        while not self.stopping.is_set():
            fetched = await self._consumer.getmany(timeout_ms=FETCH_WAIT_MS)
            applied: dict[TopicPartition, int] = {}
            async with asyncio.TaskGroup() as group:
                for partition, records in fetched.items():
                    group.create_task(self._apply_all(partition, records, applied))
            if applied:
                await self._consumer.commit(applied)

    async def _apply_all(
        self,
        partition: TopicPartition,
        records: list[ConsumerRecord[bytes, bytes]],
        applied: dict[TopicPartition, int],
    ) -> None:
        """Apply records of one partition in order, each in a transaction; note the offset to commit."""
        for record in records:
            if self.stopping.is_set():
                return
            async with self._pool.acquire() as connection, connection.transaction():
                await self._apply(connection, record)
            applied[partition] = record.offset + 1

    async def _apply(self, connection: PoolConnectionProxy, record: ConsumerRecord[bytes, bytes]) -> None:
        try:
            if record.topic.endswith("order-created"):
                await place_order(connection, OrderCreated.model_validate_json(record.value))
            else:
                await receive_inventory(connection, InventoryReceived.model_validate_json(record.value))
        except ValidationError as error:
            await self._producer.send(f"{record.topic}.dlq", record.value, record.key)
            print(f"refused: {error}")

    async def _relay(self) -> None:
        while not (self.stopping.is_set() and await self._is_all_published()):
            if await self._publish() < RELAY_ROWS_MAX:
                await asyncio.sleep(RELAY_POLL_S)

    async def _is_all_published(self) -> bool:
        return not await self._pool.fetchval("select exists (select from baseline.outbox)")

    async def _publish(self) -> int:
        rows = await self._pool.fetch(
            "select id, topic, key, headers, value from baseline.outbox order by id limit $1", RELAY_ROWS_MAX
        )
        if rows:
            acknowledged = [await self._send(*row[1:]) for row in rows]
            await asyncio.gather(*acknowledged)
            await self._pool.execute("delete from baseline.outbox where id = any($1)", [row["id"] for row in rows])
        return len(rows)

    async def _send(self, topic: str, key: str, headers: str, value: str) -> asyncio.Future[Any]:
        named = [(name, text.encode()) for name, text in json.loads(headers).items()]
        sent: asyncio.Future[Any] = await self._producer.send(
            self._prefix + topic, value.encode(), key.encode(), headers=named
        )
        return sent


async def main() -> None:
    """Run with the same environment as bo-worker."""
    servers = os.environ["BO_KAFKA_BOOTSTRAP_SERVERS"]
    prefix = os.environ["BO_TOPIC_PREFIX"]
    consumer = AIOKafkaConsumer(
        f"{prefix}order-created",
        f"{prefix}inventory-received",
        bootstrap_servers=servers,
        group_id=os.environ["BO_KAFKA_GROUP_ID"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, enable_idempotence=True, acks="all", linger_ms=5, compression_type="zstd"
    )
    pool = asyncpg.create_pool(os.environ["BO_DATABASE_URL"], min_size=CONNECTIONS, max_size=CONNECTIONS)
    async with pool, consumer, producer:
        worker = BaselineWorker(pool, consumer, producer, prefix)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stopping.set)
        await worker.run()


if __name__ == "__main__":
    uvloop.run(main())
