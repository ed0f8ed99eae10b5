"""A place of its own for one measurement: a database and topics on the servers, and what can be seen of them."""

from __future__ import annotations

import secrets
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bo_worker.bench.processes import cpu_s, listener
from bo_worker.config import Settings, load_settings
from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.topics import delete_topics, ensure_topics, topic_specs
from bo_worker.messages.inbound import INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bo_worker.stack.servers import Servers

OUTPUTS = ("customer-notification", "fulfillment")


class BenchError(Exception):
    """A measurement that came to nothing; the message says why."""


class Site:
    """Settings for a worker here, a connection to its database, its inputs, and its outputs so far."""

    def __init__(self, settings: Settings, database: asyncpg.Connection, consumer: AIOKafkaConsumer) -> None:
        self.settings = settings
        self.database = database
        self.publisher = Publisher(settings)
        self._consumer = consumer
        self._partitions = [
            TopicPartition(settings.topic_prefix + topic, partition)
            for topic in OUTPUTS
            for partition in range(settings.topic_partitions)
        ]
        self._servers = {
            "Postgres": listener(urlsplit(settings.database_url.get_secret_value()).port or 5432, "postgres"),
            "Kafka": listener(int(settings.kafka_bootstrap_servers.rpartition(":")[2]), "java"),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What a worker must be told to work here."""
        settings = self.settings
        return {
            "BO_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
            "BO_DATABASE_URL": settings.database_url.get_secret_value(),
            "BO_TOPIC_PREFIX": settings.topic_prefix,
            "BO_KAFKA_GROUP_ID": settings.kafka_group_id,
        }

    async def published(self) -> int:
        """Return how many messages Kafka has acknowledged in the output topics."""
        return sum((await self._consumer.end_offsets(self._partitions)).values())

    async def last_published_at(self) -> float:
        """Return when (epoch seconds) the broker wrote the last message of the output topics."""
        ends = {tp: end for tp, end in (await self._consumer.end_offsets(self._partitions)).items() if end}
        self._consumer.assign(list(ends))
        for tp, end in ends.items():
            self._consumer.seek(tp, end - 1)
        return max([(await self._consumer.getone(tp)).timestamp / 1000 for tp in ends], default=0.0)

    async def outputs(self) -> list[tuple[bytes, float]]:
        """Return key and time (epoch seconds, when the broker wrote it) of every message in the output topics."""
        ends = {tp: end for tp, end in (await self._consumer.end_offsets(self._partitions)).items() if end}
        self._consumer.assign(list(ends))
        await self._consumer.seek_to_beginning()
        found: list[tuple[bytes, float]] = []
        while len(found) < sum(ends.values()):
            for records in (await self._consumer.getmany(timeout_ms=1000)).values():
                found += [(record.key, record.timestamp / 1000) for record in records]
        return found

    def server_cpu_s(self) -> dict[str, float]:
        """Return the CPU time of those servers that run on this machine."""
        used = {name: cpu_s(pid) for name, pid in self._servers.items() if pid}
        return {name: seconds for name, seconds in used.items() if seconds is not None}


@asynccontextmanager
async def opened(servers: Servers) -> AsyncIterator[Site]:
    """Make a new site; its database and its topics go with it."""
    name = f"bo_worker_bench_{secrets.token_hex(4)}"
    settings = load_settings(
        kafka_bootstrap_servers=servers.bootstrap_servers,
        database_url=urlsplit(servers.database_url)._replace(path=f"/{name}").geturl(),
        topic_prefix=f"{name}.",
        kafka_group_id=name,
    )
    async with AsyncExitStack() as ending:
        await _administer(servers, f"create database {name}")
        ending.push_async_callback(_administer, servers, f"drop database {name} with (force)")
        ending.push_async_callback(delete_topics, settings)
        await _make_topics(settings)
        consumer = AIOKafkaConsumer(bootstrap_servers=servers.bootstrap_servers, auto_offset_reset="earliest")
        ending.push_async_callback(consumer.stop)
        await consumer.start()
        database = await asyncpg.connect(settings.database_url.get_secret_value())
        ending.push_async_callback(database.close)
        site = Site(settings, database, consumer)
        ending.push_async_callback(site.publisher.stop)
        yield site


async def _make_topics(settings: Settings) -> None:
    """Make the output topics first, so that the broker stamps what it writes; then all others."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        wanted = {settings.topic_prefix + topic for topic in OUTPUTS}
        specs = [spec for spec in topic_specs(settings, INPUT_TOPICS) if spec.name in wanted]
        stamp = {"message.timestamp.type": "LogAppendTime"}
        await admin.create_topics(
            [NewTopic(spec.name, spec.partitions, 1, topic_configs=spec.configs | stamp) for spec in specs]
        )
    finally:
        await admin.close()
    await ensure_topics(settings, INPUT_TOPICS)


async def _administer(servers: Servers, statement: str) -> None:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
