"""Connections to Postgres: the settings that the worker's promises and plans depend on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg

if TYPE_CHECKING:
    from bo_worker.config import Settings


async def connect(settings: Settings, purpose: str) -> asyncpg.Connection:
    """Open a connection; `purpose` names it in pg_stat_activity.

    Raises:
        OSError, asyncpg.PostgresError, TimeoutError: the server can't be reached or refuses.
    """
    return await asyncpg.connect(
        settings.database_url.get_secret_value(),
        timeout=settings.database_connect_timeout_s,
        command_timeout=settings.database_statement_timeout_s + 5,
        server_settings=_server_settings(settings, purpose),
    )


def _server_settings(settings: Settings, purpose: str) -> dict[str, str]:
    return {
        "application_name": f"bo-worker {purpose}",
        "timezone": "UTC",
        # What is committed must survive: the offsets say that it was applied.
        "synchronous_commit": "on",
        "statement_timeout": _milliseconds(settings.database_statement_timeout_s),
        "lock_timeout": _milliseconds(settings.database_lock_timeout_s),
        "idle_in_transaction_session_timeout": _milliseconds(settings.database_statement_timeout_s),
        # Every query of the hot path has its index. A plan made while a table was still empty would scan it
        # from end to end, and would be kept until the next analyze.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
        "jit": "off",
    }


def _milliseconds(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
