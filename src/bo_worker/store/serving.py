"""How the workers serve, for those who read the views."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    import asyncpg


async def state_rank_by(connection: asyncpg.Connection, rank_by: str) -> None:
    """Say how this worker ranks; writes nothing where that is said already."""
    await connection.execute(QUERIES["state_rank_by"], rank_by)
