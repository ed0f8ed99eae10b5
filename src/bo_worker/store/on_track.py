"""Customers who are to hear that their day still holds, as the database finds them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.on_track import Followed
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    import asyncpg

    from bo_worker.domain.on_track import Place


async def find_on_track_due(connection: asyncpg.Connection, heard_by: date, lines_max: int) -> set[str]:
    """Return orders with lines of which a customer last heard by a day, those of longest ago first."""
    return {row[0] for row in await connection.fetch(QUERIES["find_on_track_due"], heard_by, lines_max)}


async def load_on_track(connection: asyncpg.Connection, order_ids: Collection[str]) -> dict[str, list[Followed]]:
    """Return, by order, the lines of which a customer is to hear. The orders are locked."""
    found: dict[str, list[Followed]] = {}
    for row in await connection.fetch(QUERIES["load_on_track"], list(order_ids)):
        found.setdefault(row["order_id"], []).append(Followed(*row))
    return found


async def update_heard(connection: asyncpg.Connection, heard: Mapping[Place, date | None]) -> None:
    """Store when customers last heard of lines; None is never again. Their orders are locked."""
    await execute_rows(connection, "update_heard", [(*place, day) for place, day in sorted(heard.items())])
