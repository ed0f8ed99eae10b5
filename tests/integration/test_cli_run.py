"""`bo-worker run` from its start to its end: what it waits for, what probes say, and how signals end it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

import build
from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.messages.packing import pack
from bo_worker.messages.record import Message
from bo_worker.stack.kafka import EmbeddedKafka
from bo_worker.stack.postgres import EmbeddedPostgres
from bo_worker.store.migrations import migrate
from command import command, variables, worker_command
from world import opened_world, placed, received, running, world_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bo_worker.config import Settings
    from bo_worker.stack.servers import Servers

ORDERS = 6_000


class Victims:
    """A Kafka and a Postgres of these tests' own, with topics and schema, which they may harm."""

    def __init__(self, kafka: EmbeddedKafka, postgres: EmbeddedPostgres) -> None:
        self.kafka = kafka
        self.postgres = postgres

    def settings(self, topic_prefix: str = "", **more: float) -> Settings:
        return world_settings(self.kafka.bootstrap_servers, self.postgres.database_url, topic_prefix, **more)

    async def execute(self, statement: str, *arguments: object) -> None:
        connection = await asyncpg.connect(self.postgres.database_url)
        await connection.execute(statement, *arguments)
        await connection.close()

    async def fill_outbox(self) -> None:
        """Leave something for a relay to publish."""
        body = pack([Message("fulfillment", b"SO-1", b"{}", [])])
        await self.execute("insert into bo_worker.outbox (message_count, body) values (1, $1)", body)


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    with EmbeddedKafka() as kafka, EmbeddedPostgres() as postgres:
        found = Victims(kafka, postgres)
        asyncio.run(prepare(found))
        yield found


async def prepare(victims: Victims) -> None:
    await migrate(victims.postgres.database_url)
    await ensure_topics(victims.settings(), INPUT_TOPICS)


async def committed_offsets(settings: Settings) -> dict[tuple[str, int], int]:
    """What Kafka believes to be applied, for lag tools."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    found = await admin.list_consumer_group_offsets(settings.kafka_group_id)
    await admin.close()
    return {(partition.topic, partition.partition): offset.offset for partition, offset in found.items()}


async def test_sigterm_under_load_finishes_what_was_begun_and_loses_nothing(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    orders = [placed(build.order(f"SO-{number}")) for number in range(ORDERS)]
    async with opened_world(settings) as world:
        await world.send(received(build.receipt(lines=[build.receipt_line(quantity=ORDERS)])), *orders)
        async with worker_command(variables(settings)) as worker:
            await worker.until_said("batch_applied")
            await worker.until_ready()
            worker.tell(signal.SIGTERM)
            assert await worker.ended() == 0
            assert [line["event"] for line in worker.said if line["event"].startswith("worker_")] == [
                "worker_started",
                "worker_stopping",
                "worker_stopped",
            ]
        assert await committed_offsets(settings) == await world.positions()
        assert await world.value("select count(*) from bo_worker.outbox") == 0
        assert 0 < await world.value("select count(*) from bo_worker.sales_order") < ORDERS
        async with running(world):
            await world.settled()
        assert await world.value("select count(*) from bo_worker.sales_order") == ORDERS
        assert len({output.key for output in world.outputs if output.topic == "customer-notification"}) == ORDERS


async def test_a_start_without_servers_ends_with_69_and_one_line_that_names_them(
    stack: Servers, bare_database_url: str, topic_prefix: str
) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{reserved.getsockname()[1]}"
        settings = world_settings(nowhere, f"postgresql://{nowhere}/bo", topic_prefix, startup_wait_s=1)
        ended = await command("run", given=variables(settings))
        assert (ended.code, ended.out) == (69, "")
        said = ended.err.splitlines()[-1]
        assert said.startswith(f"bo-worker: Kafka at {nowhere} can't be used: ")
        assert f"; Postgres at {nowhere}/bo can't be used: " in said
    settings = world_settings(stack.bootstrap_servers, bare_database_url, topic_prefix, startup_wait_s=1)
    ended = await command("run", given=variables(settings))
    assert ended.code == 69
    said = ended.err.splitlines()[-1]
    assert "topics are missing" in said
    assert said.count("create them with `bo-worker topics`; the database lacks 0001_create_account.sql") == 1
    assert said.endswith("apply them with `bo-worker migrate`")


async def test_a_worker_waits_for_what_is_missing_and_a_signal_ends_the_wait(
    stack: Servers, bare_database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, bare_database_url, topic_prefix, startup_wait_s=300)
    async with worker_command(variables(settings)) as worker, worker_command(variables(settings)) as other:
        assert await worker.get("/livez") == (200, "ok")
        assert "start: waiting for" in (await worker.get("/readyz"))[1]
        await other.until_said("http_serving")
        other.tell(signal.SIGTERM)
        assert await other.ended() == 0
        assert (await command("migrate", given=variables(settings))).code == 0
        assert (await command("topics", given=variables(settings))).code == 0
        await worker.until_ready()
        worker.tell(signal.SIGINT)
        assert await worker.ended() == 0


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("BO_BATCH_RECORDS_MAX", "0", "BO_BATCH_RECORDS_MAX: expected a whole number from 1 to 20000, found '0'"),
        (
            "BO_DATABASE_URL",
            "postgresql://u:secret/x@h/d",
            "BO_DATABASE_URL: expected a URL of Postgres, found '***'",
        ),
        (
            "BO_DATABASE_URL",
            "postgresql://u:secret@127.0.0.1:99999/d",
            "BO_DATABASE_URL: expected a URL of Postgres, found '***'",
        ),
    ],
)
async def test_a_wrong_setting_ends_with_2_and_one_line(variable: str, value: str, said: str) -> None:
    ended = await command("run", given={variable: value, "BO_HTTP_PORT": "0", "BO_LOG_LEVEL": "error"})
    lines = [line for line in ended.err.splitlines() if not line.startswith("{")]
    assert (ended.code, lines) == (2, [said])


async def test_an_address_for_probes_that_is_taken_is_a_wrong_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = await command("run", given={"BO_HTTP_HOST": "127.0.0.1", "BO_HTTP_PORT": port})
    said = f"BO_HTTP_HOST, BO_HTTP_PORT: expected a free address, found 127.0.0.1:{port} (Address already in use"
    assert (ended.code, ended.err[: len(said)]) == (2, said)


async def test_a_worker_outlives_its_servers_and_tells_the_truth_meanwhile(victims: Victims) -> None:
    settings, publisher = victims.settings(), Publisher(victims.settings())
    async with worker_command(variables(settings)) as worker:
        await worker.until_ready()
        for number, server in enumerate([victims.kafka, victims.postgres]):
            await asyncio.to_thread(server.kill)
            await worker.until_ready(is_ready=False)
            assert await worker.get("/livez") == (200, "ok")
            await asyncio.to_thread(server.start)
            await worker.until_ready()
            await publisher.publish([placed(build.order(f"SO-{number}"))])
            await worker.until_metric(
                f'bo_worker_commands_total{{outcome="applied",topic="order-created"}} {number + 1}'
            )
        for gauge in (f"partitions_owned {2 * len(INPUT_TOPICS)}.0", "relay_leader 1.0", "outbox_rows 0.0"):
            await worker.until_metric(f"bo_worker_{gauge}")
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 0
    await publisher.stop()
    connection = await asyncpg.connect(victims.postgres.database_url)
    assert await connection.fetchval("select count(*) from bo_worker.sales_order") == 2
    assert await connection.fetchval("select count(*) from bo_worker.outbox") == 0
    await connection.close()


@pytest.mark.parametrize("harm", ["kafka killed", "postgres killed", "kafka frozen", "postgres frozen"])
async def test_sigterm_ends_a_worker_in_time_while_a_server_is_down(victims: Victims, harm: str) -> None:
    """The exit code is 0 only where the worker ends by itself before its time is over."""
    settings = victims.settings(shutdown_deadline_s=6)
    server = victims.kafka if harm.startswith("kafka") else victims.postgres
    async with worker_command(variables(settings)) as worker:
        await worker.until_ready()
        if harm.endswith("killed"):
            await asyncio.to_thread(server.kill)
        else:
            os.kill(server.pid, signal.SIGSTOP)
        if server is victims.kafka:
            await victims.fill_outbox()
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 0, worker.said
    await asyncio.to_thread(server.start)


async def test_a_second_signal_ends_a_worker_at_once(victims: Victims) -> None:
    async with worker_command(variables(victims.settings(shutdown_deadline_s=600))) as worker:
        await worker.until_ready()
        os.kill(victims.postgres.pid, signal.SIGSTOP)
        worker.tell(signal.SIGTERM)
        await worker.until_said("worker_stopping")
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 128 + signal.SIGTERM
    await asyncio.to_thread(victims.postgres.start)


async def test_a_stored_offset_outside_the_log_ends_a_worker_with_1_and_one_line(victims: Victims) -> None:
    settings = victims.settings(topic_prefix="ahead.")
    await ensure_topics(settings, INPUT_TOPICS)
    await victims.execute("insert into bo_worker.stream_position values ('ahead.order-created', 0, 1, 7)")
    async with worker_command(variables(settings)) as worker:
        assert await worker.ended() == 1
    assert [
        {name: value for name, value in line.items() if name != "timestamp"}
        for line in worker.said
        if line.get("level") == "error" and line["event"] != "library_logged"
    ] == [
        {
            "event": "offset_outside_log",
            "level": "error",
            "topic": "ahead.order-created",
            "partition": 0,
            "offset": 7,
            "earliest": 0,
            "latest": 0,
        }
    ]
