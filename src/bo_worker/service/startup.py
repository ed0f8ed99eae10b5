"""Before the first message: waits for Kafka, Postgres, the schema and the topics, and names what is missing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo_worker.kafka.errors import KafkaUnavailable
from bo_worker.kafka.topics import missing_topics
from bo_worker.service.waiting import Deadline
from bo_worker.store.database import DatabaseUnavailableError, inspect_database
from bo_worker.store.migrations import MigrationError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.config import Settings

_ATTEMPT_MIN_S = 2.0
_ATTEMPT_MAX_S = 5.0
_PAUSE_S = 0.5
_NAMES_SHOWN_MAX = 3


class NotThereError(Exception):
    """Something that the worker needs is not there; the text is one line that says what to do."""


async def await_servers(settings: Settings, input_topics: Sequence[str]) -> None:
    """Wait until all is there that the worker needs, as long as the settings allow.

    Raises:
        NotThereError: it is not.
        ConfigurationError: no waiting will help.
    """
    deadline = Deadline(settings.startup_wait_s)
    while missing := await _missing(settings, input_topics, deadline.left_s()):
        if deadline.left_s() == 0:
            raise NotThereError("; ".join(missing))
        await asyncio.sleep(min(_PAUSE_S, deadline.left_s()))


async def _missing(settings: Settings, input_topics: Sequence[str], left_s: float) -> list[str]:
    attempt_s = min(max(left_s, _ATTEMPT_MIN_S), _ATTEMPT_MAX_S)
    faults = await asyncio.gather(
        _fault_of_kafka(settings, input_topics, attempt_s), _fault_of_database(settings, attempt_s)
    )
    return [fault for fault in faults if fault]


async def _fault_of_kafka(settings: Settings, input_topics: Sequence[str], attempt_s: float) -> str:
    try:
        missing = await missing_topics(settings, input_topics, attempt_s)
    except KafkaUnavailable as error:
        return f"Kafka at {settings.kafka_bootstrap_servers} can't be used: {error}"
    if not missing:
        return ""
    return f"{len(missing)} topics are missing ({some(missing)}): create them with `bo-worker topics`"


async def _fault_of_database(settings: Settings, attempt_s: float) -> str:
    try:
        pending = (await inspect_database(settings, attempt_s)).pending_migrations
    except (DatabaseUnavailableError, MigrationError) as error:
        return str(error)
    return f"the database lacks {some(pending)}: apply them with `bo-worker migrate`" if pending else ""


def some(names: Sequence[str]) -> str:
    """Return the first few names."""
    shown = ", ".join(names[:_NAMES_SHOWN_MAX])
    return shown if len(names) <= _NAMES_SHOWN_MAX else f"{shown}, …"
