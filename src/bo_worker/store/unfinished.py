"""Causes too large for one transaction: what of them is still to be settled survives a crash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Collection

    import asyncpg

    from bo_worker.domain.cause import Cause


async def start_unfinished(
    connection: asyncpg.Connection, cause: Cause, remaining: dict[str, Any], skus: Collection[str]
) -> None:
    """Note a cause, and reserve its products: nothing else may touch them before it is finished."""
    text = orjson.dumps(remaining).decode()
    await connection.execute(
        QUERIES["start_unfinished"], cause.name, cause.topic, cause.natural_id, cause.traceparent, text
    )
    await connection.execute(QUERIES["mark_unfinished"], list(skus), cause.name)


async def list_unfinished(connection: asyncpg.Connection) -> list[str]:
    """Return the names of all unfinished causes."""
    return [row["cause"] for row in await connection.fetch(QUERIES["list_unfinished"])]


async def lock_unfinished(
    connection: asyncpg.Connection, name: str
) -> tuple[str, str, str | None, dict[str, Any]] | None:
    """Lock a cause; return its topic, natural id, trace and what remains. None where it is finished by now."""
    row = await connection.fetchrow(QUERIES["lock_unfinished"], name)
    if row is None:
        return None
    return row["topic"], row["natural_id"], row["traceparent"], orjson.loads(row["remaining"])


async def update_unfinished(connection: asyncpg.Connection, name: str, remaining: dict[str, Any]) -> None:
    """Store what remains of a locked cause."""
    await connection.execute(QUERIES["update_unfinished"], name, orjson.dumps(remaining).decode())


async def finish_cause(connection: asyncpg.Connection, name: str, skus: Collection[str]) -> None:
    """Forget a locked cause and free its products."""
    await connection.execute(QUERIES["mark_unfinished"], list(skus), None)
    await connection.execute(QUERIES["finish_cause"], name)


async def find_pending_orders(connection: asyncpg.Connection, name: str, orders_max: int) -> list[str]:
    """Return the next orders that hold units which the cause gave them and is still to release."""
    return [row["order_id"] for row in await connection.fetch(QUERIES["find_pending_orders"], name, orders_max)]
