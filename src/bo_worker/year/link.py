"""The way to the worker and back: sends what happens, waits until the worker is through, reads what it published."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from bo_worker.app import Worker
from bo_worker.kafka.publisher import Publisher
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.service.due import JOBS
from bo_worker.year.day_end import differences
from bo_worker.year.rounds import Rounds
from bo_worker.year.step import Heard

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from bo_worker.config import Settings
    from bo_worker.year.step import Step

PARTITIONS: Final = 1  # so that what happens at an hour is applied in the order in which it was sent
_PATIENCE_S: Final = 120
_POLL_S: Final = 0.005
_FETCH_MS: Final = 100
_HEARD_TOPICS: Final = ("customer-notification", "fulfillment", "procurement", "payment")
_APPLIED: Final = "select coalesce(sum(next_offset), 0) = $1 from bo_worker.stream_position"
_NOTHING_LEFT: Final = """
select not exists (select from bo_worker.outbox) and not exists (select from bo_worker.unfinished_cause)
"""


class NotThroughError(Exception):
    """The worker was not through with what was sent in time."""


class Clock:
    """A clock that is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the instant that it shows."""
        return self.now


class Link:
    """A worker in this process, and the ways to it."""

    def __init__(self, settings: Settings, clock: Clock, connection: asyncpg.Connection) -> None:
        self._rounds = Rounds(JOBS)
        self.clock = clock
        self.worker = Worker(settings, clock=clock, jobs=self._rounds.jobs)
        self._settings = settings
        self._connection = connection
        self._publisher = Publisher(settings)
        self._reader = AIOKafkaConsumer(
            bootstrap_servers=settings.kafka_bootstrap_servers, auto_offset_reset="none", fetch_max_wait_ms=_FETCH_MS
        )
        topics = (*_HEARD_TOPICS, *(f"{topic}.dlq" for topic in INPUT_TOPICS))
        self._next = {TopicPartition(settings.topic_prefix + topic, 0): 0 for topic in topics}
        self._sent = 0

    async def start(self) -> None:
        """Be ready to read."""
        await self._reader.start()
        self._reader.assign(list(self._next))
        for partition in self._next:
            self._reader.seek(partition, 0)
            self._reader.pause(partition)

    async def stop(self) -> None:
        """Hang up."""
        await self._publisher.stop()
        await self._reader.stop()

    async def play(self, now: datetime, steps: Sequence[Step]) -> list[Heard]:
        """Let it be `now`, send what happens, wait until the worker is through; return what it published.

        Raises:
            NotThroughError: it takes too long.
        """
        self.clock.now = now
        await self._publisher.publish([step.message() for step in steps])
        self._sent += len(steps)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._settled()
                return await self._read()
        except TimeoutError as error:
            raise NotThroughError(f"the worker is not through after {_PATIENCE_S} s") from error

    async def differences(self, counted: Mapping[tuple[str, str], int]) -> list[str]:
        """Return what is not as it must be in the account, in words."""
        return await differences(self._connection, counted)

    async def _settled(self) -> None:
        while not await self._connection.fetchval(_APPLIED, self._sent):  # noqa: ASYNC110 - it is in Postgres
            await asyncio.sleep(_POLL_S)
        while True:
            await self._rounds.quiet(self.worker.sweep.woken)
            if await self._connection.fetchval(_NOTHING_LEFT):
                return
            await asyncio.sleep(_POLL_S)

    async def _read(self) -> list[Heard]:
        ends = await self._reader.end_offsets(list(self._next))
        unread = {partition for partition, end in ends.items() if self._next[partition] < end}
        for partition in unread:
            self._reader.resume(partition)
        heard: list[Heard] = []
        while any(self._next[partition] < ends[partition] for partition in unread):
            for partition, records in (await self._reader.getmany(timeout_ms=_FETCH_MS)).items():
                self._next[partition] = records[-1].offset + 1
                heard += [self._heard(record) for record in records]
        self._reader.pause(*unread)
        return sorted(heard, key=_order)

    def _heard(self, record: Any) -> Heard:
        topic = record.topic.removeprefix(self._settings.topic_prefix)
        key = (record.key or b"").decode(errors="replace")
        if topic.endswith(".dlq"):
            return Heard(topic, key, {name: value.decode(errors="replace") for name, value in record.headers})
        return Heard(topic, key, orjson.loads(record.value or b"{}"))


@asynccontextmanager
async def linked(settings: Settings, clock: Clock) -> AsyncIterator[Link]:
    """A worker that runs for as long as the context lasts; its failure ends the context.

    Raises:
        ExceptionGroup: with the error of the worker or of the body.
    """
    connection = await asyncpg.connect(settings.database_url.get_secret_value())
    link = Link(settings, clock, connection)
    try:
        # The audit reads everything each day; what suits a worker's small statements does not suit it.
        await connection.execute("set work_mem = '64MB'; set jit = off; set max_parallel_workers_per_gather = 1")
        await link.start()
        async with asyncio.TaskGroup() as group:
            group.create_task(link.worker.run())
            try:
                yield link
            finally:
                link.worker.stopping.set()
    finally:
        await link.stop()
        await connection.close()


def _order(heard: Heard) -> int:
    """Topics one after the other, each in its own order."""
    return (*_HEARD_TOPICS, heard.topic).index(heard.topic)
