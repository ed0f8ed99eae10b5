"""`bo-worker run` from its start to its end: what it waits for, what probes say, and how signals end it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import TYPE_CHECKING

import pytest

import build
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.store.migrations import migrate
from command import command, variables, worker_command
from world import opened_world, placed, received, running, world_settings

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.stack.kafka import EmbeddedKafka
    from bo_worker.stack.postgres import EmbeddedPostgres
    from bo_worker.stack.servers import Servers

ORDERS = 3_000


async def prepared(kafka: EmbeddedKafka, postgres: EmbeddedPostgres, **more: float) -> Settings:
    """Settings for servers of the test's own, with schema and topics."""
    settings = world_settings(kafka.bootstrap_servers, postgres.database_url, "", **more)
    await migrate(postgres.database_url)
    await ensure_topics(settings, INPUT_TOPICS)
    return settings


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
        ("BO_BATCH_RECORDS_MAX", "0", "BO_BATCH_RECORDS_MAX: expected a whole number from 1 to 10000, found '0'"),
        (
            "BO_DATABASE_URL",
            "postgresql://u:secret/x@h/d",
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


async def test_a_worker_outlives_its_servers_and_tells_the_truth_meanwhile(
    own_kafka: EmbeddedKafka, own_postgres: EmbeddedPostgres
) -> None:
    settings = await prepared(own_kafka, own_postgres)
    async with opened_world(settings) as world, worker_command(variables(settings)) as worker:
        await worker.until_ready()
        await world.send(received(build.receipt()), placed(build.order("SO-1")))
        await world.settled()
        for server in (own_kafka, own_postgres):
            await asyncio.to_thread(server.kill)
            await worker.until_ready(is_ready=False)
            assert (await worker.get("/livez"))[0] == 200
            await asyncio.to_thread(server.start)
            await worker.until_ready()
            await world.send(placed(build.order(f"SO-after-{server.name}")))
            await world.settled()
        assert await world.value("select count(*) from bo_worker.sales_order") == 3
        assert (
            'bo_worker_commands_total{outcome="applied",topic="order-created"} 3.0'
            in (await worker.get("/metrics"))[1]
        )
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 0


async def test_sigterm_ends_a_worker_in_time_whatever_server_is_dead_or_hangs(
    own_kafka: EmbeddedKafka, own_postgres: EmbeddedPostgres
) -> None:
    # The exit code is 0 only where the worker ended by itself before its time was over.
    settings = await prepared(own_kafka, own_postgres, shutdown_deadline_s=8)
    async with opened_world(settings) as world:
        for server, is_killed in ((own_kafka, True), (own_postgres, True), (own_postgres, False), (own_kafka, False)):
            async with worker_command(variables(settings)) as worker:
                await worker.until_ready()
                if is_killed:
                    await asyncio.to_thread(server.kill)
                else:
                    os.kill(server.pid, signal.SIGSTOP)
                if server is own_postgres:
                    await world.send(placed(build.order(f"SO-{is_killed}")))
                worker.tell(signal.SIGTERM)
                assert await worker.ended() == 0, (server.name, is_killed, worker.said)
            await asyncio.to_thread(server.start)


async def test_a_second_signal_ends_a_worker_at_once(
    own_kafka: EmbeddedKafka, own_postgres: EmbeddedPostgres
) -> None:
    settings = await prepared(own_kafka, own_postgres, shutdown_deadline_s=600)
    async with worker_command(variables(settings)) as worker:
        await worker.until_ready()
        os.kill(own_postgres.pid, signal.SIGSTOP)
        worker.tell(signal.SIGTERM)
        await worker.until_said("worker_stopping")
        worker.tell(signal.SIGTERM)
        assert await worker.ended() == 128 + signal.SIGTERM
