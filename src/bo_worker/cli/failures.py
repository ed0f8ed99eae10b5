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


def explain(error: BaseException) -> Failure | None:
    """Return what to say of an error; None where it is a bug, whose traceback somebody must see."""
    match error:
        case BaseExceptionGroup():
            return explain(error.exceptions[0])
        case ConfigurationError():
            return Failure(str(error), WRONG_CONFIGURATION)
        case NotThereError() | DatabaseUnavailableError() | KafkaUnavailable() | StackError():
            return Failure(f"bo-worker: {error}", NOT_THERE)
        case PublishFailed():
            return Failure(f"bo-worker: Kafka did not take the messages: {error}", FAILED)
        case CommandFailedError() | MigrationError() | KafkaFault():
            return Failure(f"bo-worker: {error}", FAILED)
        case asyncpg.UndefinedTableError() | asyncpg.InvalidSchemaNameError():
            return Failure("bo-worker: the schema is missing or old: apply it with `bo-worker migrate`", FAILED)
        case asyncpg.PostgresConnectionError() | asyncpg.InterfaceError():
            return Failure(f"bo-worker: Postgres hung up: {error}", NOT_THERE)
        case asyncpg.PostgresError():
            return Failure(f"bo-worker: Postgres refused: {error}", FAILED)
        case _:
            return None
