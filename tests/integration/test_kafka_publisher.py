"""What is published arrives, in order, or the caller learns that it may not have, and can go on."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bo_worker.config import Settings, load_settings
from bo_worker.kafka.errors import KafkaUnavailable, PublishFailed, is_transient
from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.reader import read_topic
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.record import Message, Record
from bo_worker.stack.kafka import kafka_answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from bo_worker.stack.kafka import EmbeddedKafka
    from bo_worker.stack.servers import Servers

TOPIC = "fulfillment"
PATIENCE_S = 60


@pytest_asyncio.fixture
async def settings(stack: Servers, topic_prefix: str) -> Settings:
    settings = load_settings(
        kafka_bootstrap_servers=stack.bootstrap_servers, topic_prefix=topic_prefix, topic_partitions=3
    )
    await ensure_topics(settings, [])
    return settings


@pytest_asyncio.fixture
async def publisher(settings: Settings) -> AsyncIterator[Publisher]:
    publisher = Publisher(settings)
    yield publisher
    await publisher.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def numbered(numbers: Iterable[int], size: int = 0, keys: int = 10) -> list[Message]:
    return [Message(TOPIC, b"K%d" % (n % keys), (b"%d" % n).ljust(size), []) for n in numbers]


async def published(settings: Settings, topic: str = TOPIC) -> list[Record]:
    return [record async for record in read_topic(settings, settings.topic_prefix + topic)]


def by_key(records: Iterable[Record]) -> dict[bytes | None, list[int]]:
    found: dict[bytes | None, list[int]] = {}
    for record in records:
        found.setdefault(record.key, []).append(int(record.value or b"-1"))
    return found


def first_seen(numbers: list[int]) -> list[int]:
    return list(dict.fromkeys(numbers))


async def test_messages_of_a_key_keep_their_order_over_many_batches(settings: Settings, publisher: Publisher) -> None:
    await publisher.publish(numbered(range(3000), size=2000))
    await publisher.publish(numbered(range(3000, 3010)))
    expected = {b"K%d" % key: [n for n in range(3010) if n % 10 == key] for key in range(10)}
    assert by_key(await published(settings)) == expected


async def test_a_message_arrives_as_it_was_given(settings: Settings, publisher: Publisher) -> None:
    headers = [("ce_id", b"F-1"), ("ce_id", b"twice"), ("empty", b"")]
    await publisher.publish(
        [
            Message(TOPIC, None, b"no key", headers),
            Message(TOPIC, None, b"", []),
            Message("payment", b"\xff\x00", None, []),
        ]
    )
    topic = settings.topic_prefix + TOPIC
    assert await published(settings) == [
        Record(topic, 0, 0, None, b"no key", tuple(headers)),
        Record(topic, 0, 1, None, b"", ()),
    ]
    (tombstone,) = await published(settings, "payment")
    assert (tombstone.key, tombstone.value) == (b"\xff\x00", None)


@pytest.mark.parametrize(
    ("key", "java_hash"), [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536)]
)
async def test_a_key_goes_to_the_partition_that_the_java_client_takes(
    settings: Settings, publisher: Publisher, key: bytes, java_hash: int
) -> None:
    await publisher.publish([Message(TOPIC, key, b"1", [])])
    assert [record.partition for record in await published(settings)] == [(java_hash & 0x7FFFFFFF) % 3]


async def test_a_message_that_kafka_refuses_does_not_break_the_following_ones(
    settings: Settings, publisher: Publisher
) -> None:
    await publisher.publish(numbered(range(10)))
    refused = Message(TOPIC, b"K0", os.urandom(5 * 1024 * 1024), [])
    with pytest.raises(PublishFailed, match="MessageSizeTooLarge") as caught:
        await publisher.publish([*numbered(range(10, 20)), refused, *numbered(range(20, 30))])
    assert (caught.value.unpublishable, is_transient(caught.value)) == (True, False)
    await publisher.publish(numbered(range(10, 30)))
    expected = {b"K%d" % key: [key, key + 10, key + 20] for key in range(10)}
    found = by_key(await published(settings))
    assert {key: first_seen(numbers) for key, numbers in found.items()} == expected


async def test_a_message_larger_than_a_batch_goes_through(settings: Settings, publisher: Publisher) -> None:
    large = os.urandom(3 * 1024 * 1024)
    small = Message(TOPIC, b"K0", b"small", [])
    await publisher.publish([small, Message(TOPIC, b"K0", large, []), small])
    assert [record.value for record in await published(settings)] == [b"small", large, b"small"]


async def test_a_message_beyond_any_limit_is_not_even_sent(settings: Settings, publisher: Publisher) -> None:
    with pytest.raises(PublishFailed, match="a message has") as caught:
        await publisher.publish([Message(TOPIC, b"K0", bytes(17 * 1024 * 1024), [])])
    assert caught.value.unpublishable
    await publisher.publish(numbered([1]))
    assert by_key(await published(settings)) == {b"K1": [1]}


async def test_a_missing_topic_fails_in_time_and_harms_nothing_else(settings: Settings) -> None:
    publisher = Publisher(settings.model_copy(update={"kafka_request_timeout_s": 1}))
    with pytest.raises(PublishFailed) as caught:
        await publisher.publish([Message("no-such-topic", b"K0", b"1", []), *numbered([1])])
    assert not caught.value.unpublishable
    await publisher.publish(numbered([1]))
    assert by_key(await published(settings)) == {b"K1": [1]}
    await publisher.stop()


async def test_a_mistake_of_the_caller_comes_out_as_it_is(settings: Settings, publisher: Publisher) -> None:
    with pytest.raises(TypeError):
        await publisher.publish([Message(TOPIC, b"K0", "text", [])])  # type: ignore[arg-type]  # on purpose
    await publisher.publish(numbered([1]))
    assert by_key(await published(settings)) == {b"K1": [1]}


async def test_the_producer_is_replaced_long_before_its_sequence_numbers_run_out(settings: Settings) -> None:
    publisher = Publisher(settings, sequence_bound=10)
    producers = []
    for first in range(0, 40, 4):
        await publisher.start()
        producers.append(publisher._producer)
        await publisher.publish(numbered(range(first, first + 4), keys=1))
    await publisher.stop()
    assert [producers.index(producer) for producer in producers] == [0, 0, 0, 3, 3, 3, 6, 6, 6, 9]
    assert by_key(await published(settings)) == {b"K0": list(range(40))}


async def test_a_cancelled_publish_leaves_nothing_behind_that_could_arrive_later(
    settings: Settings, publisher: Publisher
) -> None:
    await publisher.publish(numbered([1]))
    task = asyncio.create_task(publisher.publish(numbered(range(2, 50_000), size=500)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}
    await publisher.publish(numbered([50_001]))
    assert by_key(await published(settings))[b"K1"][-1] == 50_001


async def test_after_a_crash_of_the_broker_publishing_goes_on_in_order(own_kafka: EmbeddedKafka) -> None:
    settings = load_settings(
        kafka_bootstrap_servers=own_kafka.bootstrap_servers, topic_partitions=3, kafka_request_timeout_s=2
    )
    await ensure_topics(settings, [])
    publisher = Publisher(settings)
    confirmed, under_way = 0, asyncio.Event()
    restarting = asyncio.create_task(_crash_and_restart(own_kafka, under_way))
    failures: list[PublishFailed] = []
    async with asyncio.timeout(PATIENCE_S):
        while not restarting.done():
            try:
                await publisher.publish(numbered(range(confirmed, confirmed + 200), size=500))
            except PublishFailed as error:
                failures.append(error)
            else:
                confirmed += 200
                under_way.set()
        await publisher.publish(numbered(range(confirmed, confirmed + 200)))
    await restarting
    await publisher.stop()
    assert {is_transient(failure) for failure in failures} == {True}
    assert asyncio.all_tasks() == {asyncio.current_task()}
    found = {key: first_seen(numbers) for key, numbers in by_key(await published(settings)).items()}
    assert found == {b"K%d" % key: list(range(key, confirmed + 200, 10)) for key in range(10)}


async def _crash_and_restart(kafka: EmbeddedKafka, under_way: asyncio.Event) -> None:
    await under_way.wait()
    await asyncio.to_thread(kafka.kill)
    await asyncio.to_thread(kafka.start)


async def test_with_a_silent_broker_publishing_and_stopping_end_in_time(own_kafka: EmbeddedKafka) -> None:
    settings = load_settings(
        kafka_bootstrap_servers=own_kafka.bootstrap_servers, topic_partitions=3, kafka_request_timeout_s=1
    )
    await ensure_topics(settings, [])
    publisher = Publisher(settings)
    await publisher.publish(numbered([1]))
    await freeze(own_kafka)
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(PublishFailed, match=r"^not acknowledged within 2\.0 s$"):
            await publisher.publish(numbered([2]))
        with pytest.raises(KafkaUnavailable):
            await publisher.start()
        await publisher.stop(1)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def freeze(kafka: EmbeddedKafka) -> None:
    """Stop the broker without ending it, and wait until it really stands still."""
    os.kill(kafka.pid, signal.SIGSTOP)
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(kafka_answers, "127.0.0.1", kafka.port):
            pass
