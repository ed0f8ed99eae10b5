"""A whole topic from its beginning to its present end, outside of any group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from bo_worker.kafka.client import client_arguments, ended_within, started
from bo_worker.kafka.errors import KafkaUnavailable
from bo_worker.messages.record import Record

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from bo_worker.config import Settings

_END_DEADLINE_S = 2.0
_POLL_MS = 200
_FETCH_BYTES_MAX = 1024 * 1024  # as compressed; in memory it is much more


async def read_topic(
    settings: Settings, topic_full_name: str, *, deadline_s: float = 30
) -> AsyncGenerator[Record, None]:
    """Every message of the topic that is there now; `Record.topic` is the full name. No topic: no messages.

    Raises:
        KafkaUnavailable: Kafka did not answer within `deadline_s`, or stopped answering.
    """

    def make() -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **client_arguments(settings, "reader"),
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_bytes=_FETCH_BYTES_MAX,
        )

    consumer = await started(make, lambda failed: failed.stop(), deadline_s)
    try:
        async for record in _records(consumer, topic_full_name):
            yield record
    except KafkaError as error:
        raise KafkaUnavailable(f"reading {topic_full_name} stopped: {error!r}") from error
    finally:
        await ended_within(_END_DEADLINE_S, consumer.stop())


async def _records(consumer: AIOKafkaConsumer, topic: str) -> AsyncGenerator[Record, None]:
    if topic not in await consumer.topics():
        return
    await consumer.beginning_offsets([TopicPartition(topic, 0)])  # makes the client learn about the topic
    left = await _ranges(consumer, topic)
    consumer.assign(list(left))
    for tp, (earliest, _) in left.items():
        consumer.seek(tp, earliest)
    while left:
        for tp, found in (await consumer.getmany(*left, timeout_ms=_POLL_MS)).items():
            for record in (one for one in found if one.offset < left[tp][1]):
                yield Record(topic, record.partition, record.offset, record.key, record.value, record.headers)
        # The position passes over what carries no message, such as the marks of transactions.
        left = {tp: bounds for tp, bounds in left.items() if await consumer.position(tp) < bounds[1]}


async def _ranges(consumer: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, tuple[int, int]]:
    partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic) or ()]
    earliest = await consumer.beginning_offsets(partitions)
    latest = await consumer.end_offsets(partitions)
    return {tp: (earliest[tp], latest[tp]) for tp in partitions if earliest[tp] < latest[tp]}
