"""Who of all workers does what only one may do: a lock that lasts as long as the session that holds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    import asyncpg

# Any constants will do, as long as every worker uses the same ones and no other advisory lock does.
RELAY_LOCK: Final = 0x626F5F72656C6179
SWEEP_LOCK: Final = 0x626F5F7377656570


async def lead(connection: asyncpg.Connection, lock: int) -> bool:
    """Try to become the one that holds a lock; it lasts as long as the session."""
    return bool(await connection.fetchval(QUERIES["lead"], lock))
