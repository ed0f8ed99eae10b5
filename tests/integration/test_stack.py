"""The servers we start ourselves: real ones, durable, that outlive a crash of their own but never one of ours."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bo_worker.stack.kafka import EmbeddedKafka, kafka_answers
from bo_worker.stack.postgres import EmbeddedPostgres
from bo_worker.stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from bo_worker.stack.servers import Servers

LARGE_BYTES = 2 * 1024 * 1024

PARENT = """
import json, threading, time
from bo_worker.stack.kafka import EmbeddedKafka
from bo_worker.stack.postgres import EmbeddedPostgres

servers = [EmbeddedKafka(), EmbeddedPostgres()]
for server in servers:  # from threads that end long before the process does
    starting = threading.Thread(target=server.start)
    starting.start()
    starting.join()
print(json.dumps([[server.port, server.pid, str(server.folder)] for server in servers]), flush=True)
time.sleep(600)
"""


async def test_kafka_carries_a_message_of_almost_two_megabytes(stack: Servers, topic_prefix: str) -> None:
    topic = f"{topic_prefix}large"
    await create_topic(stack.bootstrap_servers, topic)
    value = os.urandom(1_900_000)
    await produce(stack.bootstrap_servers, topic, [value])
    assert await consume(stack.bootstrap_servers, topic, 1) == [value]


async def test_kafka_makes_no_topic_of_its_own_accord(stack: Servers, topic_prefix: str) -> None:
    async with administration(stack.bootstrap_servers) as admin:
        await admin.describe_topics([f"{topic_prefix}absent"])
        assert f"{topic_prefix}absent" not in await admin.list_topics()


async def test_kafka_killed_and_started_again_keeps_its_messages(own_kafka: EmbeddedKafka) -> None:
    values = [str(number).encode() for number in range(100)]
    address = own_kafka.bootstrap_servers
    await create_topic(address, "kept")
    await produce(address, "kept", values)
    await asyncio.to_thread(own_kafka.kill)
    assert not kafka_answers("127.0.0.1", own_kafka.port)
    await asyncio.to_thread(own_kafka.start)
    assert own_kafka.bootstrap_servers == address
    assert await consume(address, "kept", len(values)) == values


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_postgres_ended_and_started_again_keeps_what_was_committed(
    own_postgres: EmbeddedPostgres, end: str
) -> None:
    address = own_postgres.database_url
    await execute(address, "create table kept (number integer)", "insert into kept select generate_series(1, 100)")
    match end:
        case "stop":
            await asyncio.to_thread(own_postgres.stop, keep_data=True)
        case _:
            await asyncio.to_thread(own_postgres.kill)
    with pytest.raises(ConnectionRefusedError):
        await asyncpg.connect(address)
    await asyncio.to_thread(own_postgres.start)
    assert own_postgres.database_url == address
    assert await value_of(address, "select count(*) from kept") == 100


async def test_a_frozen_postgres_can_be_killed_and_started_again(own_postgres: EmbeddedPostgres) -> None:
    os.kill(own_postgres.pid, signal.SIGSTOP)
    await asyncio.to_thread(own_postgres.kill)
    await asyncio.to_thread(own_postgres.start)
    assert await value_of(own_postgres.database_url, "select 1") == 1


async def test_a_postgres_that_died_on_its_own_can_be_started_again(own_postgres: EmbeddedPostgres) -> None:
    died = own_postgres.pid
    os.kill(died, signal.SIGKILL)
    await gone([own_postgres.port], [])
    await asyncio.to_thread(own_postgres.start)
    assert own_postgres.pid != died
    assert await value_of(own_postgres.database_url, "select 1") == 1


async def test_two_stacks_stand_side_by_side(
    stack: Servers, own_kafka: EmbeddedKafka, own_postgres: EmbeddedPostgres, topic_prefix: str
) -> None:
    for address in (stack.bootstrap_servers, own_kafka.bootstrap_servers):
        await create_topic(address, f"{topic_prefix}both")
        await produce(address, f"{topic_prefix}both", [address.encode()])
    for address in (stack.bootstrap_servers, own_kafka.bootstrap_servers):
        assert await consume(address, f"{topic_prefix}both", 1) == [address.encode()]
    started = [
        await value_of(url, "select pg_postmaster_start_time()")
        for url in (stack.database_url, own_postgres.database_url)
    ]
    assert started[0] != started[1]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("listen_addresses", "127.0.0.1"),
        ("unix_socket_directories", ""),
        ("server_encoding", "UTF8"),
        ("shared_buffers", "256MB"),
        ("max_connections", "100"),
    ],
)
async def test_postgres_is_durable_and_on_loopback_unless_told_otherwise(
    durable_postgres: EmbeddedPostgres, setting: str, value: str
) -> None:
    assert await value_of(durable_postgres.database_url, f"show {setting}") == value


async def test_servers_end_and_leave_nothing_when_their_parent_is_killed() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout
    started = json.loads(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    ports, pids, folders = zip(*started, strict=True)
    await gone(ports, [Path(f"/proc/{pid}") for pid in pids] + [Path(folder) for folder in folders])


@pytest.mark.parametrize("command", [["/nowhere/postgres"], ["sh", "-c", "echo out of luck >&2; exit 3"]])
async def test_a_server_that_does_not_start_says_why_and_leaves_nothing(command: list[str]) -> None:
    class Broken(EmbeddedPostgres):
        def _prepare(self) -> None:
            folders.append(self.folder)

        def _command(self) -> list[str]:
            return command

    folders: list[Path] = []
    with pytest.raises(StackError, match=r"(?s)Postgres .*its log:.*(/nowhere/postgres|out of luck)"):
        await asyncio.to_thread(Broken().start)
    assert [folder.exists() for folder in folders] == [False]


@pytest.fixture(scope="module")
def durable_postgres() -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres() as postgres:
        yield postgres


@asynccontextmanager
async def administration(address: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def create_topic(address: str, topic: str) -> None:
    async with administration(address) as admin:
        configuration = {"max.message.bytes": str(LARGE_BYTES)}
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=configuration)])


async def produce(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=address, acks="all", max_request_size=LARGE_BYTES, max_batch_size=LARGE_BYTES
    ) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def consume(address: str, topic: str, count: int) -> list[bytes | None]:
    async with AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        return [(await consumer.getone()).value for _ in range(count)]


async def execute(database_url: str, *statements: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def value_of(database_url: str, query: str) -> object:
    connection = await asyncpg.connect(database_url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def gone(ports: Sequence[int], paths: Sequence[Path]) -> None:
    """Wait until nothing listens on the ports any more and the paths are no longer there."""
    async with asyncio.timeout(30):
        while any([await listening(port) for port in ports]) or any(path.exists() for path in paths):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.05)


async def listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
