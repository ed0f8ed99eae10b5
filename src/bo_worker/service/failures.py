"""What to do about an error: one table."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Literal

import asyncpg
from asyncpg import exceptions as postgres

from bo_worker.messages.packing import PackingError

if TYPE_CHECKING:
    from collections.abc import Iterator

Remedy = Literal["retry", "park", "stop"]

# The first that fits holds. What is not named is the fault of a message, and is parked among the dead letters.
_TABLE: tuple[tuple[Remedy, tuple[type[BaseException], ...]], ...] = (
    # The servers: they come back, or somebody else was in the way.
    (
        "retry",
        (
            OSError,
            TimeoutError,
            postgres.PostgresConnectionError,
            postgres.InterfaceError,
            postgres.InternalClientError,
            postgres.OperatorInterventionError,
            postgres.InsufficientResourcesError,
            postgres.TransactionRollbackError,
            postgres.LockNotAvailableError,
            postgres.ReadOnlySQLTransactionError,
            postgres.IdleInTransactionSessionTimeoutError,
            postgres.TransactionTimeoutError,
            # The schema was migrated under us; a new session knows the new one.
            postgres.InvalidCachedStatementError,
            # Two workers met the same new key: on the next attempt the later one sees it.
            postgres.UniqueViolationError,
        ),
    ),
    # The message: a value that Postgres can't take.
    ("park", (postgres.DataError, postgres.ProgramLimitExceededError)),
    # Us: an invariant is broken, or the schema is not ours. Going on would make it worse.
    ("stop", (asyncpg.PostgresError, PackingError, AssertionError, MemoryError)),
)


class InvariantBrokenError(Exception):
    """The worker must stop: what it was about to write contradicts the account."""


def remedy(error: BaseException) -> Remedy:
    """Return what to do about an error."""
    for answer, kinds in _TABLE:
        if isinstance(error, kinds):
            return answer
    return "park"


def described(error: BaseException) -> str:
    """Return what a log may say of an error: one about data quotes it, and that may be a customer's."""
    return type(error).__name__ if isinstance(error, postgres.DataError) else repr(error)


def pauses(first_s: float, max_s: float) -> Iterator[float]:
    """Yield the seconds to wait before each next attempt: doubling up to a limit, with jitter."""
    pause_s = first_s
    while True:
        yield pause_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret
        pause_s = min(pause_s * 2, max_s)
