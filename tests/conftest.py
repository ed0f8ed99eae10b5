"""Servers for the tests that ask for them: started at the first such test, shared by all, left alone by the rest."""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from bo_worker.config import load_settings
from bo_worker.kafka.topics import delete_topics
from bo_worker.stack.kafka import EmbeddedKafka
from bo_worker.stack.postgres import EmbeddedPostgres
from bo_worker.stack.servers import KAFKA_VARIABLE, Servers, servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# The same examples in every run, so that a change alone can make a test fail. For a wider search, with the seed
# and the example printed where it finds something: --hypothesis-profile=deep
settings.register_profile("steady", max_examples=50, deadline=None, derandomize=True, database=None)
settings.register_profile("deep", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def stack() -> Iterator[Servers]:
    """Kafka and Postgres for the whole session; tests share them, so none may stop or starve them."""
    with servers(durable=False) as found:
        yield found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template_database(stack: Servers) -> AsyncIterator[str]:
    """The name of a migrated database without rows, from which each test's own is cloned."""
    from bo_worker.store.migrations import migrate  # noqa: PLC0415 - only tests with a database need the store

    name = f"bo_worker_template_{secrets.token_hex(4)}"
    await administer(stack.database_url, f"create database {name}")
    await migrate(database_named(stack.database_url, name))
    yield name
    await administer(stack.database_url, f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def database_url(stack: Servers, template_database: str) -> AsyncIterator[str]:
    """A migrated, empty database of the test's own."""
    name = f"bo_worker_test_{secrets.token_hex(4)}"
    await administer(stack.database_url, f"create database {name} template {template_database}")
    yield database_named(stack.database_url, name)
    await administer(stack.database_url, f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def bare_database_url(stack: Servers) -> AsyncIterator[str]:
    """A database of the test's own, without any schema."""
    name = f"bo_worker_bare_{secrets.token_hex(4)}"
    await administer(stack.database_url, f"create database {name}")
    yield database_named(stack.database_url, name)
    await administer(stack.database_url, f"drop database {name} with (force)")


@pytest_asyncio.fixture
async def topic_prefix(stack: Servers) -> AsyncIterator[str]:
    """A prefix for topics and groups that no other test uses."""
    prefix = f"t{secrets.token_hex(4)}."
    yield prefix
    await topics_dropped(stack, prefix)


@pytest.fixture
def own_kafka() -> Iterator[EmbeddedKafka]:
    """A Kafka of the test's own, which it may stop, kill or freeze."""
    with EmbeddedKafka() as kafka:
        yield kafka


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A durable Postgres of the test's own, without any schema, which it may stop, kill or freeze."""
    with EmbeddedPostgres() as postgres:
        yield postgres


async def administer(database_url: str, statement: str) -> None:
    """Run one statement outside of a transaction."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def topics_dropped(servers: Servers, prefix: str) -> None:
    """Delete the topics with a prefix, unless they go with the servers anyway."""
    if os.environ.get(KAFKA_VARIABLE) == servers.bootstrap_servers:
        await delete_topics(load_settings(kafka_bootstrap_servers=servers.bootstrap_servers, topic_prefix=prefix))


def database_named(database_url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlsplit(database_url)._replace(path=f"/{name}").geturl()
