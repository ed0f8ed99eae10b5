"""Connections to Postgres: the settings that the worker's promises and plans depend on."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import asyncpg

from bo_worker.config import ConfigurationError
from bo_worker.store.migrations import pending_migrations

if TYPE_CHECKING:
    from bo_worker.config import Settings

MAJOR_VERSION_MIN = 15
RELAY = "relay"
SWEEP = "sweep"
# For what may take as long as it takes: without a timeout of its own, a call has that of its connection.
PATIENCE_S = 7 * 24 * 3600.0
_RETRY_S = 0.2
_TRANSACTION_TIMEOUT_SINCE = 17
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # from which Postgres counts
_MICROSECOND = timedelta(microseconds=1)
_FIRST_DAY = _EPOCH.toordinal()
_LAST_DAY = date.max.toordinal()
_INSTANTS_CACHED = 4096
_PORT = re.compile(r":(\d+)(?=,|$)")
_PORT_MAX = 65_535


class DatabaseUnavailableError(Exception):
    """Postgres does not answer, or does not let us in."""


class DatabaseState(NamedTuple):
    """The server's major version, and the migrations that the database lacks."""

    major_version: int
    pending_migrations: list[str]


async def connect(settings: Settings, purpose: str) -> asyncpg.Connection:
    """Open a connection; `purpose` names it in pg_stat_activity.

    Raises:
        OSError, asyncpg.PostgresError, TimeoutError: the server can't be reached or refuses.
    """
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        timeout=settings.database_connect_timeout_s,
        command_timeout=settings.database_statement_timeout_s + 5,
        # To prepare a statement costs a round trip, and holds locks if the worker is frozen in the middle of it.
        max_cached_statement_lifetime=0,
        server_settings=_server_settings(settings, purpose),
    )


async def connect_worker(settings: Settings, purpose: str) -> asyncpg.Connection:
    """Open a connection on which no transaction lasts longer than a statement may.

    A worker that is frozen while it prepares a statement counts as busy, not as idle, and no other timeout ends its
    transaction and frees its locks. Servers before version 17 do not know this one.

    Raises:
        OSError, asyncpg.PostgresError, TimeoutError: as `connect` does.
    """
    connection = await connect(settings, purpose)
    try:
        if connection.get_server_version().major >= _TRANSACTION_TIMEOUT_SINCE:
            limit = _milliseconds(settings.database_statement_timeout_s)
            await connection.execute(f"set transaction_timeout = '{limit}'")
        # The library's own codec takes several times as long, and an order's instants are written often.
        await connection.set_type_codec(
            "timestamptz", schema="pg_catalog", encoder=_microseconds, decoder=_instant, format="tuple"
        )
        # The library's own one writes 9999-12-31 as infinity: no date to those who read it, nor to count days with.
        await connection.set_type_codec("date", schema="pg_catalog", encoder=_days, decoder=_day, format="tuple")
    except BaseException:
        connection.terminate()
        raise
    return connection


async def reach(settings: Settings, purpose: str, deadline_s: float) -> asyncpg.Connection:
    """Open a connection, and try again until `deadline_s` are over.

    Raises:
        DatabaseUnavailableError: it could not be had.
        ConfigurationError: the URL is not one.
    """
    ends_at = time.monotonic() + deadline_s
    while True:
        try:
            _check_ports(settings)
            return await connect(settings, purpose)
        except ValueError as error:
            # Its text may quote a part of the password.
            raise ConfigurationError("BO_DATABASE_URL: expected a URL of Postgres, found '***'") from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
            if time.monotonic() >= ends_at:
                reason = f"{error}" or "no reply"
                raise DatabaseUnavailableError(f"Postgres at {_place(settings)} can't be used: {reason}") from error
        await asyncio.sleep(_RETRY_S)


async def inspect_database(settings: Settings, deadline_s: float) -> DatabaseState:
    """Look at the server and the schema.

    Raises:
        DatabaseUnavailableError, ConfigurationError: as `reach` does.
        MigrationError: the database holds migrations that differ from ours.
    """
    connection = await reach(settings, "check", deadline_s)
    try:
        return DatabaseState(connection.get_server_version().major, await pending_migrations(connection))
    finally:
        await connection.close()


def _place(settings: Settings) -> str:
    """Host, port and database, without credentials."""
    url = urlsplit(settings.database_url.get_secret_value())
    return url.netloc.rpartition("@")[2] + url.path or "the usual place"


def _check_ports(settings: Settings) -> None:
    """Refuse a port that can't be: what the system makes of one depends on the event loop.

    Raises:
        ValueError: a port is not between 1 and 65535.
    """
    hosts = urlsplit(settings.database_url.get_secret_value()).netloc.rpartition("@")[2]
    if not all(1 <= int(port) <= _PORT_MAX for port in _PORT.findall(hosts)):
        raise ValueError


def _server_settings(settings: Settings, purpose: str) -> dict[str, str]:
    common = {
        "application_name": f"bo-worker {purpose}",
        "timezone": "UTC",
        # What is committed must survive: the offsets say that it was applied.
        "synchronous_commit": "on",
        "statement_timeout": _milliseconds(settings.database_statement_timeout_s),
        "lock_timeout": _milliseconds(settings.database_lock_timeout_s),
        # A worker that is frozen, or gone without a word, must not keep its locks: others wait for them.
        "idle_in_transaction_session_timeout": _milliseconds(settings.database_lock_timeout_s),
        "tcp_keepalives_idle": "15",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
        # Every query of the hot path has its index. A plan made while a table was still empty would scan it
        # from end to end, and would be kept until the next analyze.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "jit": "off",
    }
    if purpose == RELAY:
        # The leading relay holds its lock between transactions: it is idle while Kafka takes messages, and in pauses.
        idle_s = 3 * settings.kafka_request_timeout_s + settings.retry_wait_max_s
        # It only deletes what Kafka has: a deletion that is lost in a crash means that the same is published again.
        return common | {"idle_session_timeout": _milliseconds(idle_s), "synchronous_commit": "off"}
    if purpose == SWEEP:
        # The leading sweep holds its lock while it waits for the next round. One that is frozen there must not keep
        # it for ever, nor much longer than one that is frozen in a transaction.
        idle_s = settings.sweep_poll_s + settings.retry_wait_max_s + settings.database_statement_timeout_s
        return common | {"idle_session_timeout": _milliseconds(idle_s)}
    return common


@lru_cache(_INSTANTS_CACHED)
def _microseconds(instant: datetime) -> tuple[int]:
    return ((instant - _EPOCH) // _MICROSECOND,)


def _instant(microseconds: tuple[int]) -> datetime:
    return _EPOCH + microseconds[0] * _MICROSECOND


def _days(day: date) -> tuple[int]:
    return (day.toordinal() - _FIRST_DAY,)


def _day(days: tuple[int]) -> date:
    # Infinity is what older versions have stored for the last day.
    return date.fromordinal(min(days[0] + _FIRST_DAY, _LAST_DAY))


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
