"""`migrate` and `topics`: what must be there before a worker starts. Both may run again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo_worker.cli.output import print_line, quiet_logs
from bo_worker.kafka.topics import ensure_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.store.database import reach
from bo_worker.store.migrations import migrate

if TYPE_CHECKING:
    from bo_worker.config import Settings


def print_migrations(settings: Settings) -> None:
    """Apply what the database lacks."""
    quiet_logs()
    applied = asyncio.run(_migrate(settings))
    for name in applied:
        print_line(f"applied {name}")
    if not applied:
        print_line("the schema is up to date")


def print_topics(settings: Settings) -> None:
    """Create the topics that Kafka lacks."""
    quiet_logs()
    created = asyncio.run(ensure_topics(settings, INPUT_TOPICS, settings.startup_wait_s))
    for name in created:
        print_line(f"created {name}")
    if not created:
        print_line("all topics are there")


async def _migrate(settings: Settings) -> list[str]:
    await (await reach(settings, "migrate", settings.startup_wait_s)).close()
    return await migrate(settings.database_url.get_secret_value())
