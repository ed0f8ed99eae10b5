"""Messages to publish: written with the change they tell of, deleted when Kafka has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    import asyncpg


@dataclass(slots=True, frozen=True)
class OutboxRow:
    """The packed messages of one transaction."""

    row_id: int
    created_at: datetime
    message_count: int
    body: bytes


async def append_outbox(connection: asyncpg.Connection, message_count: int, body: bytes) -> None:
    """Write messages; the last insert of a transaction, when all of its locks are held (R11)."""
    await connection.execute(QUERIES["append_outbox"], message_count, body)


async def read_outbox(connection: asyncpg.Connection, bytes_max: int) -> list[OutboxRow]:
    """Return the oldest visible rows in order, at least one if there is any."""
    return [OutboxRow(*row) for row in await connection.fetch(QUERIES["read_outbox"], bytes_max)]


async def delete_outbox(connection: asyncpg.Connection, row_ids: Collection[int]) -> None:
    """Forget what was published."""
    await connection.execute(QUERIES["delete_outbox"], list(row_ids))


async def newest_outbox(connection: asyncpg.Connection) -> int:
    """Return the id of the newest visible row, 0 where there is none."""
    return int(await connection.fetchval(QUERIES["newest_outbox"]))


async def measure_outbox(connection: asyncpg.Connection) -> tuple[int, float]:
    """Return how many rows wait, and the age of the oldest in seconds."""
    row = await connection.fetchrow(QUERIES["measure_outbox"])
    return (row["rows"], row["age_s"]) if row else (0, 0.0)
