"""Errors that are no bugs: what is said of each, in one line, and the exit code it ends with."""

from __future__ import annotations

from typing import Final, NamedTuple

import asyncpg

from bo_worker.config import ConfigurationError
from bo_worker.kafka.errors import KafkaFault, KafkaUnavailable, PublishFailed
from bo_worker.service.startup import NotThereError
from bo_worker.stack.process import StackError
from bo_worker.store.database import DatabaseUnavailableError
from bo_worker.store.migrations import MigrationError

FAILED: Final = 1
WRONG_CONFIGURATION: Final = 2
NOT_THERE: Final = 69


class CommandFailedError(Exception):
    """A command could not do what it was asked for; the text says why."""


class Failure(NamedTuple):
    """What to say, and the exit code."""

    text: str
    code: int


# The first that fits holds; {} is the error's own text.
_TABLE: Final[tuple[tuple[tuple[type[BaseException], ...], str, int], ...]] = (
    ((ConfigurationError,), "{}", WRONG_CONFIGURATION),
    ((NotThereError, DatabaseUnavailableError, KafkaUnavailable, StackError), "bo-worker: {}", NOT_THERE),
    ((PublishFailed,), "bo-worker: Kafka did not take the messages: {}", FAILED),
    ((CommandFailedError, MigrationError, KafkaFault), "bo-worker: {}", FAILED),
    (
        (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError),
        "bo-worker: the database lacks something ({}): apply the schema with `bo-worker migrate`",
        FAILED,
    ),
    ((asyncpg.PostgresConnectionError, asyncpg.InterfaceError), "bo-worker: Postgres hung up: {}", NOT_THERE),
    ((asyncpg.PostgresError,), "bo-worker: Postgres refused: {}", FAILED),
)


def explain(error: BaseException) -> Failure | None:
    """Return what to say of an error; None where it is a bug, whose traceback somebody must see."""
    if isinstance(error, BaseExceptionGroup):
        return explain(error.exceptions[0])
    for kinds, text, code in _TABLE:
        if isinstance(error, kinds):
            return Failure(text.format(error), code)
    return None
