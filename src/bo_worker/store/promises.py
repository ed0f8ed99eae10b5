"""What waiting lines are promised, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.demand import NO_NEED
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.promise import Promise, Promised
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Rank
    from bo_worker.domain.repeg import Moved


def rank_of(row: asyncpg.Record, rank_by: str) -> Rank:
    """Return the rank of a line."""
    by = (row["need_by"] or NO_NEED) if rank_by == "need_by" else row["placed_at"]
    return (-row["priority"], by, row["placed_at"], row["order_id"], row["position"])


def waiting_of(row: asyncpg.Record, rank_by: str) -> Waiting:
    """Return a line that waits, with its rank."""
    return Waiting(rank_of(row, rank_by), row["pin"], row["backordered"], row["order_id"], row["position"])


def promised_of(row: asyncpg.Record, rank_by: str) -> Promised:
    """Return a line that waits, with what it is promised."""
    waiting = waiting_of(row, rank_by)
    return Promised(waiting, Promise(row["expected_from"], row["expected_to"]), row["told_to"], row["need_by"])


async def update_promises(connection: asyncpg.Connection, moved: Iterable[Moved]) -> None:
    """Write what lines are promised. Their product is locked."""
    rows = [
        (line.waiting.order_id, line.waiting.position, *line.promise, line.told_to)
        for line in sorted(moved, key=lambda line: (line.waiting.order_id, line.waiting.position))
    ]
    await execute_rows(connection, "update_promises", rows)


async def save_promises(connection: asyncpg.Connection, account: Account) -> None:
    """Keep what was promised to new lines, and what came of promises. Their orders are locked and stored."""
    told = [(line.order.order_id, line.position, line.sku, line.expected_to) for line in account.promised]
    await _save_told(connection, account, told)
    ended = [(order_id, position, kept) for (order_id, position), kept in sorted(account.ended.items())]
    await execute_rows(connection, "end_promises", ended, account.today)
    await execute_rows(connection, "forget_told_days", sorted(account.undated))


async def save_news(connection: asyncpg.Connection, account: Account, news: Iterable[Moved]) -> None:
    """Keep what customers were told of promises that moved. Their orders are locked."""
    rows = [(line.waiting.order_id, line.waiting.position, line.sku, line.promise.expected_to) for line in news]
    await _save_told(connection, account, [row for row in rows if row[3]])
    dateless = sorted(row[:2] for row in rows if not row[3])
    await execute_rows(connection, "move_promises", dateless)


async def _save_told(
    connection: asyncpg.Connection, account: Account, told: list[tuple[str, int, str, date | None]]
) -> None:
    if told:
        order_ids, positions, skus, days = map(list, zip(*sorted(told), strict=True))
        today, terms = account.today, account.terms
        heard_on = today if terms.choices.on_track_days else None
        await connection.execute(
            QUERIES["save_promises"], order_ids, positions, skus, terms.level, today, days, heard_on
        )


async def find_promises_due(connection: asyncpg.Connection, today: date, products_max: int) -> list[str]:
    """Return SKUs whose promises may have moved, or passed before today."""
    return [row[0] for row in await connection.fetch(QUERIES["find_promises_due"], today, products_max)]


async def find_earliest_promises(connection: asyncpg.Connection, skus: Iterable[str], today: date) -> dict[str, date]:
    """Return the earliest days from today on that waiting lines of products are promised. The products are locked."""
    rows = await connection.fetch(QUERIES["find_earliest_promises"], list(skus), today)
    return {row[0]: row[1] for row in rows}
