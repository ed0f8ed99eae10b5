"""Kafka goes away and comes back, grows, or loses messages: the worker waits, follows, or says so and stops."""

from __future__ import annotations

import asyncio
import os
import signal
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete

import build
from audit import audit
from bo_worker.app import Worker
from bo_worker.kafka.errors import OffsetOutsideLog
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.service.failures import InvariantBrokenError
from workload import drawn, trickle
from world import fresh_world, opened_world, placed, running, world_settings

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.stack.kafka import EmbeddedKafka
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 13


async def test_the_broker_is_killed_and_later_hangs_under_load(
    own_kafka: EmbeddedKafka, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(
        own_kafka.bootstrap_servers, database_url, topic_prefix, batch_records_max=20, kafka_request_timeout_s=1
    )
    async with opened_world(settings) as world, running(world, Worker(settings), Worker(settings)):
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, drawn(SEED, 300, changes=100)))
            await world.until_placed(50)
            await asyncio.to_thread(own_kafka.kill)
            await asyncio.to_thread(own_kafka.start)
            await world.until_placed(150)
            await _hang(own_kafka, world)
        await world.settled()
        await audit(world)


async def test_partitions_that_are_added_under_load_are_read_from_their_beginning(
    stack: Servers, template_database: str
) -> None:
    async with (
        fresh_world(stack, template_database, batch_records_max=20) as world,
        running(world) as (worker,),
    ):
        inputs = drawn(SEED, 240, changes=60)
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, inputs[:150]))
            await world.until_placed(50)
            await _add_partitions(world.settings, 4)
        await world.partitions_added(4)
        await world.send(*inputs[150:])
        # The client looks for new partitions now and then; here it is told to.
        assert worker.intake.consumer is not None
        worker.intake.consumer._client._client.force_metadata_update()
        await world.settled()
        await audit(world)
        assert len(await world.input_ends()) > 4


async def test_a_worker_whose_messages_were_deleted_unread_says_so_and_stops(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database) as world:
        async with running(world):
            await world.send(*(placed(build.order(f"SO-{number}")) for number in range(10)))
            await world.settled()
        before = await world.positions()
        await world.send(*(placed(build.order(f"SO-{number}")) for number in range(10, 30)))
        ends = await world.input_ends()
        await _delete_records(world.settings, ends)
        with pytest.raises(InvariantBrokenError, match="the log holds offsets") as stopped:
            await Worker(world.settings).run()
        assert isinstance(stopped.value.__cause__, OffsetOutsideLog)
        assert await world.positions() == before


async def _hang(kafka: EmbeddedKafka, world: World) -> None:
    """Freeze the broker until it has failed to answer in time."""
    refusals = world.refusals

    async def has_refused() -> bool:
        return world.refusals > refusals

    os.kill(kafka.pid, signal.SIGSTOP)
    await world.until(has_refused)
    os.kill(kafka.pid, signal.SIGCONT)


async def _add_partitions(settings: Settings, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    topics = [settings.topic_prefix + topic for topic in INPUT_TOPICS]
    await admin.create_partitions({topic: NewPartitions(count) for topic in topics})
    await admin.close()


async def _delete_records(settings: Settings, ends: dict[tuple[str, int], int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.delete_records({TopicPartition(*place): RecordsToDelete(end) for place, end in ends.items()})
    await admin.close()
