"""A small world around the worker: topics and a database of its own, what is sent into it, and what comes out."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bo_worker.app import Worker, utc_now
from bo_worker.config import load_settings
from bo_worker.kafka.errors import KafkaFault
from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.messages.record import Message
from conftest import administer, database_named, topics_dropped
from schema_check import validate_message

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
    from datetime import datetime

    from bo_worker.config import Settings
    from bo_worker.stack.servers import Servers

PATIENCE_S: Final = 90
POLL_S: Final = 0.02
OUTPUT_TOPICS: Final = ("customer-notification", "fulfillment", "availability-changed", "procurement", "payment")
DEAD_LETTER_TOPICS: Final = tuple(f"{topic}.dlq" for topic in INPUT_TOPICS)
KEYS: Final = {
    "order-created": "order_id",
    "inventory-received": "receipt_id",
    "order-cancelled": "order_id",
    "order-amended": "order_id",
    "inventory-adjusted": "sku",
    "shipment-dispatched": "order_id",
    "product-policy-updated": "sku",
    "purchase-order-updated": "purchase_order_id",
    "customer-response": "order_id",
    "payment-updated": "order_id",
    "waitlist-joined": "sku",
}
# A server that was stopped refuses, hangs up, or is still starting.
AWAY: Final = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError)


@dataclass(frozen=True)
class Output:
    """A message that came out; `topic` is without prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]

    @property
    def data(self) -> dict[str, Any]:
        return dict(orjson.loads(self.value or b"{}"))

    @property
    def texts(self) -> dict[str, str]:
        return {name: value.decode() for name, value in self.headers}

    @property
    def sequence(self) -> int:
        return int(self.texts["ce_sequence"])

    @property
    def why(self) -> dict[str, str]:
        """The headers of a dead letter that we added; those of its producer may be anything."""
        return {name: value.decode() for name, value in self.headers if name.startswith("dlq_")}


def message(topic: str, data: dict[str, Any], *headers: tuple[str, bytes]) -> Message:
    """The data as bare JSON, or in binary mode where headers say so, under its key of the contract."""
    return Message(topic, data[KEYS[topic]].encode(), orjson.dumps(data), list(headers))


def placed(data: dict[str, Any]) -> Message:
    return message("order-created", data)


def received(data: dict[str, Any]) -> Message:
    return message("inventory-received", data)


class World:
    """Sends inputs, waits until the workers are through, and reads what they published.

    `sent` and `outputs` hold everything so far; `poison` is what of the former belongs among the dead letters.
    `tasks` are the workers of this process: when one of them fails, so does whoever waits. `refusals` counts how
    often Kafka did not take what was sent, which is then sent again. `clock` is that of the workers.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.sent: list[Message] = []
        self.poison: list[Message] = []
        self.outputs: list[Output] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.refusals = 0
        self.clock: Callable[[], datetime] = utc_now
        self._input_partitions = settings.topic_partitions
        self._publisher = Publisher(settings)
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="none", metadata_max_age_ms=1000
        )
        self._next: dict[TopicPartition, int] = {}
        self._connection: asyncpg.Connection | None = None

    async def open(self) -> None:
        await ensure_topics(self.settings, INPUT_TOPICS)
        await self._reader.start()
        topics = OUTPUT_TOPICS + DEAD_LETTER_TOPICS
        self._next = dict.fromkeys(self._partitions(topics, self.settings.topic_partitions), 0)
        # Assigned, it knows them all at once; paused, it asks for nothing while nobody reads.
        self._reader.assign([*self._next, *self._partitions(INPUT_TOPICS, self.settings.topic_partitions)])
        for partition in self._reader.assignment():
            self._reader.seek(partition, 0)
            self._reader.pause(partition)

    async def close(self) -> None:
        await self._publisher.stop()
        await self._reader.stop()
        if self._connection is not None:
            await self._connection.close()

    async def send(self, *messages: Message) -> None:
        """Publish inputs, at least once: where Kafka goes away meanwhile, some may be there twice."""
        self.sent += messages
        async with asyncio.timeout(PATIENCE_S):
            while not await self._is_taken(messages):
                self.refusals += 1
                await asyncio.sleep(POLL_S)

    async def partitions_added(self, count: int) -> None:
        """Send to all partitions of the inputs from now on: a new producer asks how many there are."""
        self._input_partitions = count
        await self._publisher.stop()

    async def connected(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.settings.database_url.get_secret_value(), timeout=5)
        return self._connection

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        return await (await self.connected()).fetch(query, *arguments)

    async def value(self, query: str, *arguments: Any) -> Any:
        ((value,),) = await self.fetch(query, *arguments)
        return value

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for a condition; fail when a worker fails, or when it takes too long."""
        async with asyncio.timeout(PATIENCE_S):
            while not await self._holds(condition):
                for task in self.tasks:
                    if task.done():
                        task.result()
                await asyncio.sleep(POLL_S)

    async def until_placed(self, orders: int) -> None:
        """Wait until so many orders are there."""

        async def are_there() -> bool:
            return bool(await self.value("select count(*) >= $1 from bo_worker.sales_order", orders))

        await self.until(are_there)

    async def settled(self) -> None:
        """Wait until everything sent is applied and published, then read and check what came out."""
        ends = await self.input_ends()

        async def is_through() -> bool:
            now = self.clock()
            return await self.positions() == ends and await self.value(
                "select not exists (select from bo_worker.outbox)"
                " and not exists (select from bo_worker.unfinished_cause)"
                " and not exists (select from bo_worker.product where promises_due or waitlist_due)"
                " and not exists (select from bo_worker.supplier where deliveries_due or estimated_to is not null)"
                " and not exists (select from bo_worker.own_supply_due)"
                " and not exists (select from bo_worker.delay_watch where check_on <= $1::date)"
                " and not exists (select from bo_worker.order_payment where due_at <= $2)",
                now.date(),
                now,
            )

        await self.until(is_through)
        await self.read_outputs()

    async def positions(self) -> dict[tuple[str, int], int]:
        """The stored offsets of partitions that hold messages."""
        rows = await self.fetch("select topic, partition, next_offset from bo_worker.stream_position")
        return {(topic, number): offset for topic, number, offset in rows if offset}

    async def input_ends(self) -> dict[tuple[str, int], int]:
        """The ends of partitions that hold messages."""
        ends = await self._reader.end_offsets(self._partitions(INPUT_TOPICS, self._input_partitions))
        return {(partition.topic, partition.partition): end for partition, end in ends.items() if end}

    async def read_outputs(self) -> None:
        """Read what was published since the last time; every message must keep to its schema."""
        ends = await self._reader.end_offsets(list(self._next))
        unread = {partition for partition, end in ends.items() if self._next[partition] < end}
        for partition in unread:
            self._reader.seek(partition, self._next[partition])
            self._reader.resume(partition)
        async with asyncio.timeout(PATIENCE_S):
            while any(self._next[partition] < ends[partition] for partition in unread):
                for partition, records in (await self._reader.getmany(timeout_ms=100)).items():
                    self._next[partition] = records[-1].offset + 1
                    self.outputs += [self._output(record) for record in records]
        self._reader.pause(*unread)

    def of(self, topic: str, key: str) -> list[Output]:
        """What came out on a topic under a key, each once, in order."""
        found = {
            output.sequence: output for output in self.outputs if (output.topic, output.key) == (topic, key.encode())
        }
        return [found[number] for number in sorted(found)]

    def data_of(self, topic: str, key: str) -> list[dict[str, Any]]:
        return [output.data for output in self.of(topic, key)]

    def dead_letters(self) -> list[Output]:
        """The dead letters, each once."""
        found = {}
        for output in self.outputs:
            if output.topic in DEAD_LETTER_TOPICS:
                why = output.why
                found[why["dlq_topic"], why["dlq_partition"], why["dlq_offset"]] = output
        return list(found.values())

    async def _is_taken(self, messages: Sequence[Message]) -> bool:
        try:
            await self._publisher.publish(messages)
        except KafkaFault:
            return False
        return True

    async def _holds(self, condition: Callable[[], Awaitable[bool]]) -> bool:
        with contextlib.suppress(*AWAY):
            return await condition()
        return False

    def _output(self, record: Any) -> Output:
        topic = record.topic.removeprefix(self.settings.topic_prefix)
        validate_message(topic, record.value, record.headers)
        headers = tuple(record.headers)
        return Output(topic, record.partition, record.offset, record.key, record.value, headers)

    def _partitions(self, topics: Iterable[str], count: int) -> list[TopicPartition]:
        names = [self.settings.topic_prefix + topic for topic in topics]
        return [TopicPartition(name, number) for name in names for number in range(count)]


def world_settings(bootstrap_servers: str, database_url: str, topic_prefix: str, **more: Any) -> Settings:
    """Settings of a small and impatient worker."""
    few: dict[str, Any] = {
        "topic_partitions": 2,
        "batch_records_max": 100,
        "kafka_session_timeout_s": 6,
        "kafka_request_timeout_s": 5,
        "database_lock_timeout_s": 2,
        "database_statement_timeout_s": 10,
        "retry_wait_max_s": 0.5,
        "unfinished_poll_s": 0.1,
        "sweep_poll_s": 0.05,
    }
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        database_url=database_url,
        topic_prefix=topic_prefix,
        kafka_group_id=f"{topic_prefix}group",
        http_port=0,
        http_host="127.0.0.1",
        **few | more,
    )


@asynccontextmanager
async def opened_world(settings: Settings) -> AsyncIterator[World]:
    """A world whose database is there."""
    world = World(settings)
    try:
        await world.open()
        yield world
    finally:
        await world.close()


@asynccontextmanager
async def fresh_world(servers: Servers, template_database: str, **settings: Any) -> AsyncIterator[World]:
    """A world with names and a database of its own, which go with it."""
    name = f"bo_worker_world_{secrets.token_hex(4)}"
    await administer(servers.database_url, f"create database {name} template {template_database}")
    url = database_named(servers.database_url, name)
    try:
        async with opened_world(world_settings(servers.bootstrap_servers, url, f"{name}.", **settings)) as world:
            yield world
    finally:
        await topics_dropped(servers, f"{name}.")
        await administer(servers.database_url, f"drop database {name} with (force)")


@asynccontextmanager
async def running(world: World, *workers: Worker) -> AsyncIterator[tuple[Worker, ...]]:
    """Run workers, by default a new one, in this process for as long as the context lasts."""
    workers = workers or (Worker(world.settings),)
    world.clock = workers[0].clock
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    world.tasks += tasks
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stopping.set()
        await asyncio.wait(tasks, timeout=PATIENCE_S)
        world.tasks = [task for task in world.tasks if task not in tasks]
    for task in tasks:
        task.result()
