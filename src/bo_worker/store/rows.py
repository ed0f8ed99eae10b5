"""Many rows in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg


async def execute_rows(
    connection: asyncpg.Connection, query: str, rows: Sequence[Sequence[object]], *more: object
) -> None:
    """Run a named query that takes one array per column of `rows`, then `more`; no rows, no statement."""
    if rows:
        await connection.execute(QUERIES[query], *map(list, zip(*rows, strict=True)), *more)
