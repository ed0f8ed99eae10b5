"""Which dead letters an operator has sent back."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import asyncpg


class Replay(NamedTuple):
    """A dead letter: the full name of its topic, its place there, and when it failed (as its header says)."""

    topic: str
    partition: int
    offset: int
    failed_at: str


async def list_replays(connection: asyncpg.Connection, topics: Iterable[str]) -> set[Replay]:
    """Return what was sent back of these dead-letter topics (full names)."""
    return {Replay(*row) for row in await connection.fetch(QUERIES["list_replays"], list(topics))}


async def save_replays(connection: asyncpg.Connection, replays: Collection[Replay]) -> None:
    """Note what was sent back, at least one; a second time changes nothing."""
    await connection.execute(QUERIES["save_replays"], *map(list, zip(*replays, strict=True)))
