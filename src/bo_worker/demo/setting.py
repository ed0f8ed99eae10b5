"""Where the demonstration takes place: servers, an empty database, topics, and settings that nobody else's touch."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bo_worker.config import load_settings
from bo_worker.kafka.topics import delete_topics, ensure_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.setting_texts import PREFIX
from bo_worker.stack.servers import KAFKA_VARIABLE, servers
from bo_worker.store.database import connect
from bo_worker.store.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bo_worker.config import Settings
    from bo_worker.stack.servers import Servers

SESSION_TIMEOUT_S = 6  # the least that Kafka allows: so long a killed worker's partitions are nobody's


@contextmanager
def own_servers(progress: Callable[[str], None], *, durable: bool = True, **given: Any) -> Iterator[Settings]:
    """Servers with all that a worker needs, for as long as the context lasts, and with `given` settings. Blocking.

    Raises:
        StackError: The servers could not be had.
    """
    with _without_settings_around(), servers(progress, durable=durable) as found:
        # On servers that are not ours alone, names of our own keep us apart from everybody else.
        mark = f"demo_{secrets.token_hex(4)}" if KAFKA_VARIABLE in os.environ else ""
        settings = _settings(found, mark).model_copy(update=given)
        try:
            asyncio.run(_prepare(found.database_url, settings, progress))
            yield settings
        finally:
            if mark:
                asyncio.run(_clear(found.database_url, settings))


def _settings(found: Servers, mark: str) -> Settings:
    database_url = urlsplit(found.database_url)._replace(path=f"/{_database(mark)}").geturl()
    return load_settings(
        kafka_bootstrap_servers=found.bootstrap_servers,
        database_url=SecretStr(database_url),
        topic_prefix=f"{mark}." if mark else "",
        kafka_group_id=f"bo-worker{mark and '-'}{mark}",
        kafka_session_timeout_s=SESSION_TIMEOUT_S,
    )


def _database(mark: str) -> str:
    return f"bo_worker_{mark}" if mark else "bo_worker"


async def _prepare(server_url: str, settings: Settings, progress: Callable[[str], None]) -> None:
    progress("making the database")
    url = settings.database_url.get_secret_value()
    await _administer(server_url, f"create database {urlsplit(url).path[1:]}")
    await migrate(url)
    progress("making the topics")
    await ensure_topics(settings, INPUT_TOPICS)


async def _clear(server_url: str, settings: Settings) -> None:
    url = settings.database_url.get_secret_value()
    await _administer(server_url, f"drop database if exists {urlsplit(url).path[1:]} with (force)")
    await delete_topics(settings)


async def _administer(server_url: str, statement: str) -> None:
    connection = await connect(load_settings(database_url=SecretStr(server_url)), "demo")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def _without_settings_around() -> Iterator[None]:
    """What the environment says is meant for another worker."""
    meant = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith(PREFIX) and not name.startswith(f"{PREFIX}TEST_")
    }
    try:
        yield
    finally:
        os.environ.update(meant)
