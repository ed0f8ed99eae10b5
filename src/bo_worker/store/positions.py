"""How far each input partition is applied, and who may apply it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import asyncpg

Partition = tuple[str, int]


class StalePositionError(Exception):
    """Another worker owns a partition by now, or has moved on with it: this batch must not be written."""


@dataclass(slots=True, frozen=True)
class Position:
    """Ownership of a partition: the epoch of the owner, and the offset that is applied next (None: the first)."""

    epoch: int
    next_offset: int | None


async def claim_partitions(
    connection: asyncpg.Connection, partitions: Iterable[Partition]
) -> dict[Partition, Position]:
    """Take ownership of partitions (full topic names); whoever owned them before can't write any more."""
    return await _read(connection, "claim_partitions", partitions)


async def read_positions(
    connection: asyncpg.Connection, partitions: Iterable[Partition]
) -> dict[Partition, Position]:
    """Return what is stored now."""
    return await _read(connection, "read_positions", partitions)


async def lock_positions(connection: asyncpg.Connection, bases: Mapping[Partition, Position]) -> None:
    """Lock the positions of a batch.

    Raises:
        StalePositionError: one of them is not ours, or not where the batch begins.
    """
    rows = await connection.fetch(
        QUERIES["lock_positions"],
        [topic for topic, _ in bases],
        [partition for _, partition in bases],
        [base.epoch for base in bases.values()],
        [base.next_offset for base in bases.values()],
    )
    if len(rows) != len(bases):
        raise StalePositionError(f"{len(bases) - len(rows)} of {len(bases)} partitions have another owner by now")


async def advance_positions(connection: asyncpg.Connection, next_offsets: Mapping[Partition, int]) -> None:
    """Store the next offsets of locked positions."""
    await connection.execute(
        QUERIES["advance_positions"],
        [topic for topic, _ in next_offsets],
        [partition for _, partition in next_offsets],
        list(next_offsets.values()),
    )


async def _read(
    connection: asyncpg.Connection, query: str, partitions: Iterable[Partition]
) -> dict[Partition, Position]:
    wanted = list(partitions)
    rows = await connection.fetch(
        QUERIES[query], [topic for topic, _ in wanted], [partition for _, partition in wanted]
    )
    return {(row["topic"], row["partition"]): Position(row["epoch"], row["next_offset"]) for row in rows}
