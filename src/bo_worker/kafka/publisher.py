"""Messages out: batches built here, acknowledged by all replicas, in the given order per partition."""

from __future__ import annotations

import asyncio
import time
from functools import lru_cache
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from bo_worker.kafka.client import cancel_all, client_arguments, ended_within, started
from bo_worker.kafka.errors import KafkaFault, KafkaUnavailable, PublishFailed
from bo_worker.kafka.record_batch import RecordBatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from bo_worker.config import Settings
    from bo_worker.messages.record import Outgoing

_BATCH_BYTES = 512 * 1024  # a topic with the broker's own limit of 1 MiB takes it too
_LARGE_BYTES = 32 * 1024
_MESSAGE_BYTES_MAX = 16 * 1024 * 1024  # far below the broker's limit on a request, which would hang up on us
_SEQUENCE_BOUND = 2**30  # the client counts wrongly from 2^31 messages to one partition
_KEYS_CACHED = 65_536
_SLICE = 100  # messages, between which others go first
_END_DEADLINE_S = 2.0
_REFUSALS = (MessageSizeTooLargeError, RecordListTooLargeError, InvalidTopicError)


def murmur2(key: bytes) -> int:
    """Return the hash by which every Kafka client chooses the partition of a key, in half the time of this client's.

    Source: MurmurHash2 by Austin Appleby, with the seed of org.apache.kafka.common.utils.Utils.
    """
    size = len(key)
    words = int.from_bytes(key, "little")
    digest = 0x9747B28C ^ size
    for _ in range(size >> 2):
        word = words * 0x5BD1E995 & 0xFFFFFFFF
        words >>= 32
        digest = (digest * 0x5BD1E995 ^ (word ^ word >> 24) * 0x5BD1E995) & 0xFFFFFFFF
    if size & 3:
        digest = (digest ^ words) * 0x5BD1E995 & 0xFFFFFFFF
    digest = (digest ^ digest >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return digest ^ digest >> 15


async def _next_round() -> None:
    await asyncio.sleep(0)


class Publisher:
    """Publishes to Kafka with an idempotent producer, and builds a new one after any failure.

    `give_way` lets others of this process go first, now and then.

    After a failure it is unknown which messages arrived, and a producer that lost one message makes the
    broker refuse the following ones. So the producer is thrown away, and the caller publishes the same
    messages again.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sequence_bound: int = _SEQUENCE_BOUND,
        give_way: Callable[[], Awaitable[None]] = _next_round,
    ) -> None:
        self._settings = settings
        self.give_way = give_way
        self._sequence_bound = sequence_bound
        self._deadline_s = settings.kafka_request_timeout_s * 2
        self._producer: AIOKafkaProducer | None = None
        self._sent: dict[tuple[str, int], int] = {}
        self._hash = lru_cache(maxsize=_KEYS_CACHED)(murmur2)

    async def start(self) -> None:
        """Connect.

        Raises:
            KafkaUnavailable: Kafka did not answer within twice the request timeout.
        """
        if self._producer is None:
            self._producer = await started(self._new_producer, _end, self._deadline_s)
            self._sent.clear()

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish and wait until all are acknowledged; messages of one partition keep the given order.

        Raises:
            PublishFailed: Not all are acknowledged within twice the request timeout.
        """
        try:
            await self._publish(messages)
        except BaseException:
            await self._discard()
            raise
        if max(self._sent.values(), default=0) >= self._sequence_bound:
            await self._discard()

    async def stop(self, deadline_s: float = _END_DEADLINE_S) -> None:
        """Disconnect; what is not acknowledged by now is not waited for."""
        await self._discard(deadline_s)

    async def _publish(self, messages: Sequence[Outgoing]) -> None:
        try:
            async with asyncio.timeout(self._deadline_s):
                await self.start()
                await self._deliver(messages)
        except TimeoutError as error:
            raise PublishFailed(f"not acknowledged within {self._deadline_s} s") from error
        except (ExceptionGroup, KafkaError, KafkaFault, OSError) as error:
            raise _failure(error) from error

    async def _deliver(self, messages: Sequence[Outgoing]) -> None:
        by_partition = await self._by_partition(messages)
        # All are ready before the first goes, so that they share a request.
        batches = {place: [batch async for batch in self._batches(mine)] for place, mine in by_partition.items()}
        async with asyncio.TaskGroup() as group:
            for place, mine in batches.items():
                group.create_task(self._send_in_order(*place, mine))

    async def _by_partition(self, messages: Sequence[Outgoing]) -> dict[tuple[str, int], list[Outgoing]]:
        counts: dict[str, int] = {}
        chains: dict[tuple[str, int], list[Outgoing]] = {}
        for index, message in enumerate(messages):
            if not index % _SLICE:
                await self.give_way()
            topic, key = message[0], message[1]
            count = counts.get(topic)
            if count is None:
                count = counts[topic] = await self._partition_count(topic)
            place = (topic, 0 if key is None else (self._hash(key) & 0x7FFFFFFF) % count)
            chain = chains.get(place)
            if chain is None:
                chain = chains[place] = []
            chain.append(message)
        return chains

    async def _send_in_order(self, topic: str, partition: int, batches: Iterable[RecordBatch]) -> None:
        """Send batch after batch, each once the one before it is acknowledged.

        With two on their way, the broker could refuse the first and still take the second.
        """
        producer = self._connected()
        for batch in batches:
            acknowledged = await producer.send_batch(batch, self._full_name(topic), partition=partition)
            await acknowledged
            self._sent[topic, partition] = self._sent.get((topic, partition), 0) + batch.record_count()

    async def _batches(self, messages: Sequence[Outgoing]) -> AsyncIterator[RecordBatch]:
        """Cut into batches."""
        now_ms = int(time.time() * 1000)
        following = 0
        while following < len(messages):
            batch = RecordBatch(_BATCH_BYTES, now_ms)
            filled = -1
            while filled < following < len(messages):
                filled = following
                following = batch.fill(messages, following, _SLICE)
                await self.give_way()
            if batch.size() > _MESSAGE_BYTES_MAX:
                raise PublishFailed(f"a message has {batch.size()} bytes", unpublishable=True)
            if batch.size() < _LARGE_BYTES:
                batch.close()
            else:  # Compressing it needs no interpreter: another core can do it.
                await asyncio.to_thread(batch.close)
            yield batch

    async def _partition_count(self, topic: str) -> int:
        return len(await self._connected().partitions_for(self._full_name(topic)))

    def _full_name(self, topic: str) -> str:
        return self._settings.topic_prefix + topic

    def _connected(self) -> AIOKafkaProducer:
        if self._producer is None:
            raise KafkaUnavailable("the publisher is not connected")
        return self._producer

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **client_arguments(self._settings, "publisher"),
            enable_idempotence=True,
            acks="all",
        )

    async def _discard(self, deadline_s: float = _END_DEADLINE_S) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end(producer, deadline_s)


def _failure(error: Exception) -> Exception:
    """One failure for all; a refusal counts most, since nothing but another message helps."""
    leaves = _leaves(error)
    refusal = next((leaf for leaf in leaves if isinstance(leaf, _REFUSALS)), None)
    first = refusal or leaves[0]
    if isinstance(first, PublishFailed) or not isinstance(first, KafkaError | KafkaFault | OSError):
        return first
    return PublishFailed(repr(first), unpublishable=refusal is not None)


def _leaves(error: Exception) -> list[Exception]:
    if isinstance(error, ExceptionGroup):
        return [leaf for inner in error.exceptions for leaf in _leaves(inner)]
    return [error]


def _end(producer: AIOKafkaProducer, deadline_s: float = _END_DEADLINE_S) -> Awaitable[bool]:
    return ended_within(deadline_s, _abort(producer))


async def _abort(producer: AIOKafkaProducer) -> None:
    """End the producer without flushing.

    Its own `stop` first waits for everything unsent, for ever while the broker is down; and an abandoned
    producer would go on sending old messages behind the back of the new one.
    """
    producer._closed = True  # noqa: SLF001 - tells its finalizer that nobody forgot it
    await cancel_all([producer._sender.sender_task])  # noqa: SLF001 - the task that would go on sending
    await producer.client.close()
