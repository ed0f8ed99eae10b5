"""Reading starts where the caller says, never skips, survives rebalances and brokers, and always ends in time."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from bo_worker.config import Settings, load_settings
from bo_worker.kafka.client import cancel_all
from bo_worker.kafka.consumer import Consumer
from bo_worker.kafka.errors import ConsumerFailed, KafkaUnavailable, OffsetOutsideLog
from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.reader import read_topic
from bo_worker.kafka.reading import Lag
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.record import Message, Record
from bo_worker.stack.kafka import kafka_answers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from bo_worker.kafka.consumer import Partition
    from bo_worker.stack.kafka import EmbeddedKafka
    from bo_worker.stack.servers import Servers

TOPIC = "order-created"
OTHER = "inventory-received"
PATIENCE_S = 60


@pytest_asyncio.fixture
async def settings(stack: Servers, topic_prefix: str) -> Settings:
    settings = settings_for(stack.bootstrap_servers, topic_prefix)
    await ensure_topics(settings, [TOPIC, OTHER])
    return settings


def settings_for(bootstrap_servers: str, prefix: str = "", **more: float) -> Settings:
    return load_settings(
        kafka_bootstrap_servers=bootstrap_servers,
        topic_prefix=prefix,
        kafka_group_id=f"{prefix}group",
        topic_partitions=2,
        kafka_session_timeout_s=6,
        **more,
    )


class Positions:
    """Stored offsets, as a caller keeps them, and what the consumer asked and told."""

    def __init__(self, stored: Mapping[Partition, int] | None = None) -> None:
        self.stored = dict(stored or {})
        self.assigned: list[list[Partition]] = []
        self.revoked: list[list[Partition]] = []
        self.faults: list[Exception] = []

    async def on_assigned(self, partitions: list[Partition]) -> Mapping[Partition, int | None]:
        self.assigned.append(partitions)
        if self.faults:
            raise self.faults.pop()
        return {partition: self.stored.get(partition) for partition in partitions}

    async def on_revoked(self, partitions: list[Partition]) -> None:
        self.revoked.append(partitions)

    def store(self, records: Iterable[Record]) -> None:
        for record in records:
            self.stored[record.topic, record.partition] = record.offset + 1


@asynccontextmanager
async def consuming(settings: Settings, positions: Positions) -> AsyncIterator[Consumer]:
    consumer = Consumer(settings, [TOPIC, OTHER], on_assigned=positions.on_assigned, on_revoked=positions.on_revoked)
    await consumer.start(PATIENCE_S)
    try:
        yield consumer
    finally:
        await consumer.stop(5)


async def publish(settings: Settings, numbers: Iterable[int], topic: str = TOPIC) -> None:
    publisher = Publisher(settings)
    await publisher.publish([Message(topic, b"K%d" % n, b"%d" % n, [("n", b"%d" % n)]) for n in numbers])
    await publisher.stop()


async def fetch(consumer: Consumer, count: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(records) < count:
            records += await consumer.fetch(0.2)
    return records


async def fetch_until_placed(consumer: Consumer, partitions: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(consumer.assignment()) < partitions:
            records += await consumer.fetch(0.05)
    return records


def in_order(records: Iterable[Record]) -> list[Record]:
    return sorted(records, key=lambda record: (record.topic, record.partition, record.offset))


def numbers(records: Iterable[Record]) -> list[int]:
    return sorted(int(record.value or b"-1") for record in records)


async def everything(settings: Settings, topic: str = TOPIC) -> list[Record]:
    records = [record async for record in read_topic(settings, settings.topic_prefix + topic)]
    for record in records:
        record.topic = topic
    return in_order(records)


async def delete_before(settings: Settings, offset: int, partitions: Iterable[int] = (0, 1)) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    topic = settings.topic_prefix + TOPIC
    await admin.delete_records({TopicPartition(topic, n): RecordsToDelete(offset) for n in partitions})
    await admin.close()


async def test_without_stored_offsets_everything_is_read_in_order_under_names_without_the_prefix(
    settings: Settings,
) -> None:
    await publish(settings, range(500))
    positions = Positions()
    async with consuming(settings, positions) as consumer:
        records = await fetch(consumer, 500)
        assert consumer.joined
        assert consumer.assignment() == [(OTHER, 0), (OTHER, 1), (TOPIC, 0), (TOPIC, 1)]
    assert in_order(records) == await everything(settings)
    for partition in (0, 1):
        offsets = [record.offset for record in records if record.partition == partition]
        assert offsets == sorted(offsets)
    assert positions.assigned == [[(OTHER, 0), (OTHER, 1), (TOPIC, 0), (TOPIC, 1)]]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_client_whose_inner_task_ended_without_a_word_has_failed(settings: Settings) -> None:
    async with consuming(settings, Positions()) as consumer:
        await fetch_until_placed(consumer, 4)
        await cancel_all([consumer._client._client._sync_task])
        with pytest.raises(ConsumerFailed, match="the client stopped reading"):
            await consumer.fetch(0)


async def test_reading_starts_at_the_stored_offsets_whatever_was_committed_to_kafka(settings: Settings) -> None:
    await publish(settings, range(100))
    async with consuming(settings, Positions()) as consumer:
        await fetch(consumer, 100)
        await consumer.commit({(TOPIC, 0): 1, (TOPIC, 1): 1})
    async with consuming(settings, Positions({(TOPIC, 0): 7, (TOPIC, 1): 9})) as consumer:
        records = await fetch(consumer, 100 - 16)
    expected = [r for r in await everything(settings) if r.offset >= {0: 7, 1: 9}[r.partition]]
    assert in_order(records) == expected


async def test_offsets_for_lag_tools_reach_kafka_at_the_latest_on_leaving(settings: Settings) -> None:
    await publish(settings, range(20))
    async with consuming(settings, Positions()) as consumer:
        await fetch(consumer, 20)
        await consumer.commit({(TOPIC, 0): 3})
        await consumer.commit({(TOPIC, 0): 4, (OTHER, 1): 0})
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    committed = await admin.list_consumer_group_offsets(settings.kafka_group_id)
    await admin.close()
    prefix = settings.topic_prefix
    assert {tp: entry.offset for tp, entry in committed.items()} == {
        TopicPartition(prefix + TOPIC, 0): 4,
        TopicPartition(prefix + OTHER, 1): 0,
    }


async def test_lag_is_what_is_in_the_log_and_not_read_yet(settings: Settings) -> None:
    await publish(settings, range(50))
    async with consuming(settings, Positions()) as consumer:
        await fetch(consumer, 50)
        ends = await consumer.end_offsets()
        assert ends[TOPIC, 0] + ends[TOPIC, 1] == 50
        assert (await consumer.lag())[TOPIC, 0] == Lag(0, 0.0)
        await consumer.seek(TOPIC, 0, 1)
        assert (await consumer.lag())[TOPIC, 0].records == ends[TOPIC, 0] - 1


async def test_seek_reads_again(settings: Settings) -> None:
    await publish(settings, range(50))
    async with consuming(settings, Positions()) as consumer:
        first = await fetch(consumer, 50)
        await consumer.seek(TOPIC, 0, 5)
        await consumer.seek(TOPIC, 99, 5)  # not ours: nothing happens
        again = await fetch(consumer, sum(record.partition == 0 for record in first) - 5)
    assert in_order(again) == [r for r in in_order(first) if r.partition == 0 and r.offset >= 5]


async def test_the_caller_can_have_the_stored_offsets_asked_again(settings: Settings) -> None:
    await publish(settings, range(50))
    positions = Positions()
    async with consuming(settings, positions) as consumer:
        first = await fetch(consumer, 50)
        positions.stored = {(TOPIC, 0): 3, (TOPIC, 1): 4}
        consumer.ask_again()
        assert consumer.assignment() == []
        again = await fetch(consumer, 50 - 7)
    assert in_order(again) == [r for r in in_order(first) if r.offset >= {0: 3, 1: 4}[r.partition]]


async def test_an_error_of_the_caller_comes_out_of_fetch_and_nothing_is_read_before_it_is_mended(
    settings: Settings,
) -> None:
    await publish(settings, range(10))
    positions = Positions()
    positions.faults = [ConnectionError("no database")]
    async with consuming(settings, positions) as consumer:
        with pytest.raises(ConnectionError, match="no database"):
            await fetch(consumer, 1)
        assert numbers(await fetch(consumer, 10)) == list(range(10))
    assert len(positions.assigned) == 2


async def test_a_cancelled_fetch_loses_nothing(settings: Settings) -> None:
    async with consuming(settings, Positions()) as consumer:
        await fetch_until_placed(consumer, 4)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await consumer.fetch(PATIENCE_S)
        await publish(settings, range(10))
        assert numbers(await fetch(consumer, 10)) == list(range(10))


async def test_wake_ends_a_fetch_without_ending_the_poll_behind_it(settings: Settings) -> None:
    async with consuming(settings, Positions()) as consumer:
        await fetch_until_placed(consumer, 4)
        async with asyncio.timeout(PATIENCE_S):
            while consumer._poll is None:
                fetching = asyncio.create_task(consumer.fetch(PATIENCE_S))
                await asyncio.sleep(0)
                consumer.wake()
                assert await fetching == []


@pytest.mark.parametrize("offset", [0, 51], ids=["removed from the log", "beyond the end"])
async def test_a_stored_offset_outside_the_log_is_an_error_and_never_a_skip(settings: Settings, offset: int) -> None:
    await publish(settings, range(100))
    ends = [sum(record.partition == number for record in await everything(settings)) for number in (0, 1)]
    await delete_before(settings, 10, [0])
    stored = offset if offset == 0 else ends[0] + 1
    async with consuming(settings, Positions({(TOPIC, 0): stored, (TOPIC, 1): 0})) as consumer:
        with pytest.raises(OffsetOutsideLog) as caught:
            await fetch(consumer, 101)
    fault = caught.value
    found = (fault.topic, fault.partition, fault.offset, fault.earliest, fault.latest)
    assert found == (settings.topic_prefix + TOPIC, 0, stored, 10, ends[0])


async def test_what_is_removed_from_the_log_while_it_waits_is_an_error_too(settings: Settings) -> None:
    await publish(settings, range(100))
    async with consuming(settings, Positions()) as consumer:
        await fetch(consumer, 100)
        await delete_before(settings, 10)
        await consumer.seek(TOPIC, 1, 2)
        with pytest.raises(OffsetOutsideLog) as caught:
            await fetch(consumer, 101)
    assert (caught.value.partition, caught.value.offset, caught.value.earliest) == (1, 2, 10)


async def test_the_end_of_the_log_is_a_good_offset_and_so_is_the_beginning_of_what_is_left(
    settings: Settings,
) -> None:
    await publish(settings, range(100))
    await delete_before(settings, 10)
    ends = {p: sum(r.partition == p for r in await everything(settings)) + 10 for p in (0, 1)}
    async with consuming(settings, Positions({(TOPIC, 0): ends[0], (TOPIC, 1): 10})) as consumer:
        await fetch(consumer, ends[1] - 10)
        await publish(settings, range(100, 120))
        assert numbers(await fetch(consumer, 20)) == list(range(100, 120))


async def test_two_members_share_the_partitions_and_the_first_is_told_before(settings: Settings) -> None:
    first, second = Positions(), Positions()
    async with consuming(settings, first) as one:
        await fetch_until_placed(one, 4)
        async with consuming(settings, second) as other, asyncio.timeout(PATIENCE_S):
            while not (len(one.assignment()) == len(other.assignment()) == 2):
                await one.fetch(0.05)
                await other.fetch(0.05)
            assert sorted(one.assignment() + other.assignment()) == first.assigned[0]
            assert first.revoked == [first.assigned[0]]
            await publish(settings, range(40))
            await publish(settings, range(40), OTHER)
            read: list[Record] = []
            while len(read) < 80:
                read += await one.fetch(0.05) + await other.fetch(0.05)
        async with asyncio.timeout(PATIENCE_S):
            while len(one.assignment()) < 4:
                first.store(read)
                await one.fetch(0.05)
    assert in_order(read) == await everything(settings, OTHER) + await everything(settings)


async def test_messages_larger_than_a_fetch_come_all_the_same(settings: Settings) -> None:
    publisher = Publisher(settings)
    await publisher.publish([Message(TOPIC, b"K%d" % n, os.urandom(700_000), []) for n in range(20)])
    await publisher.stop()
    async with consuming(settings, Positions()) as consumer:
        records = await fetch(consumer, 20)
    assert in_order(records) == await everything(settings)


async def test_messages_of_an_aborted_transaction_are_not_read(settings: Settings) -> None:
    topic = settings.topic_prefix + TOPIC
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap_servers, transactional_id=settings.topic_prefix
    )
    await producer.start()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"1", partition=0)
    await producer.abort_transaction()
    await producer.begin_transaction()
    await producer.send_and_wait(topic, b"2", partition=0)
    await producer.commit_transaction()
    await producer.stop()
    async with consuming(settings, Positions()) as consumer:
        assert numbers(await fetch(consumer, 1)) == [2]
    assert numbers(await everything(settings)) == [2]


async def test_a_topic_that_does_not_exist_reads_as_empty(settings: Settings) -> None:
    assert [record async for record in read_topic(settings, "no-such-topic")] == []


async def test_reading_goes_on_after_a_crash_of_the_broker_and_ends_in_time_when_it_is_silent(
    own_kafka: EmbeddedKafka,
) -> None:
    settings = settings_for(own_kafka.bootstrap_servers, kafka_request_timeout_s=2)
    await ensure_topics(settings, [TOPIC, OTHER])
    await publish(settings, range(100))
    positions = Positions()
    async with consuming(settings, positions) as consumer:
        records = await fetch(consumer, 100)
        positions.store(records)
        await asyncio.to_thread(own_kafka.kill)
        restarting = asyncio.create_task(asyncio.to_thread(own_kafka.start))
        while not restarting.done():
            assert await fetch_or_nothing(consumer) == []
        await restarting
        await publish(settings, range(100, 200))
        while len(records) < 200:
            found = await fetch_or_nothing(consumer)
            positions.store(found)
            records += found
        await freeze(own_kafka)
        await consumer.commit({(TOPIC, 0): 1})
        async with asyncio.timeout(PATIENCE_S):
            assert await fetch_or_nothing(consumer) == []
            await consumer.stop(1)
    os.kill(own_kafka.pid, signal.SIGCONT)
    assert in_order(records) == await everything(settings)
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def fetch_or_nothing(consumer: Consumer) -> list[Record]:
    try:
        return await consumer.fetch(0.2)
    except KafkaUnavailable:
        return []


async def freeze(kafka: EmbeddedKafka) -> None:
    """Stop the broker without ending it, and wait until it really stands still."""
    os.kill(kafka.pid, signal.SIGSTOP)
    async with asyncio.timeout(PATIENCE_S):
        while await asyncio.to_thread(kafka_answers, "127.0.0.1", kafka.port):
            pass
