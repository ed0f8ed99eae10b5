"""The account as anybody may read it: from the views, on a connection of our own, beside the worker."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.store.reports import report_promises
from bo_worker.store.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    import asyncpg

    from bo_worker.config import Settings
    from bo_worker.store.reports import Report

LINES = """
select
    count(distinct order_id) as orders, count(*) as lines,
    count(*) filter (where rejected > 0) as rejected_lines,
    count(*) filter (where backordered > 0) as waiting_lines,
    count(distinct order_id) filter (where backordered > 0) as waiting_orders,
    count(*) filter (where backordered > 0 and expected_to is not null) as dated_lines,
    coalesce(sum(quantity), 0)::bigint as ordered,
    coalesce(sum(released + shipped), 0)::bigint as filled,
    coalesce(sum(held), 0)::bigint as held,
    coalesce(sum(backordered), 0)::bigint as waiting,
    coalesce(sum(rejected), 0)::bigint as rejected
from bo_worker.order_line_status
"""
STOCK = """
select coalesce(sum(on_hand), 0)::bigint as on_hand, coalesce(sum(allocated), 0)::bigint as allocated
from bo_worker.stock_status
"""
SUPPLY = """
select
    (select coalesce(sum(incoming), 0)::bigint from bo_worker.product) as incoming,
    count(*) as promises, coalesce(sum(moves), 0)::bigint as moves
from bo_worker.promise
"""
DELIVERIES = """
select count(*) as deliveries, count(*) filter (where received_on <= due_on) as deliveries_on_time
from bo_worker.delivery
"""
POSITIONS = "select topic, partition, epoch, next_offset from bo_worker.stream_position"


@dataclass(frozen=True, slots=True)
class Figures:
    """The account at one instant: orders, lines and units.

    `dated_lines` wait and have a promised day; `moves` counts how often customers were told another one.
    `takeovers` counts how often a worker took over an input partition; `applied` is the next offset of each.
    """

    orders: int = 0
    lines: int = 0
    rejected_lines: int = 0
    waiting_lines: int = 0
    waiting_orders: int = 0
    dated_lines: int = 0
    ordered: int = 0
    filled: int = 0
    held: int = 0
    waiting: int = 0
    rejected: int = 0
    on_hand: int = 0
    allocated: int = 0
    incoming: int = 0
    promises: int = 0
    moves: int = 0
    takeovers: int = 0
    applied: Mapping[tuple[str, int], int] = field(default_factory=dict)

    @property
    def fill_rate(self) -> float:
        """Of the units ordered, the share for which an instruction to ship or cross-dock was given."""
        return self.filled / self.ordered if self.ordered else 0.0

    def lag(self, ends: Mapping[tuple[str, int], int]) -> int:
        """Messages in the input topics, whose ends are given, that are not applied yet."""
        behind = (end - self.applied.get(place, 0) for place, end in ends.items() if place[0] in INPUT_TOPICS)
        return sum(messages for messages in behind if messages > 0)  # an end may be older than what is applied


class Promises(NamedTuple):
    """What became of the promised days, by level, and how many of the suppliers' own words were kept."""

    levels: list[Report]
    deliveries: int
    deliveries_on_time: int


class Account:
    """Reads the account."""

    def __init__(self, settings: Settings) -> None:
        self._session = Session(settings, "demo")
        self._prefix = settings.topic_prefix
        self._turn = asyncio.Lock()  # a connection does one thing at a time

    async def figures(self) -> Figures:
        """The account now, all figures of one instant."""
        async with (
            self._connected() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            lines, stock = await connection.fetchrow(LINES), await connection.fetchrow(STOCK)
            supply = await connection.fetchrow(SUPPLY)
            positions = await connection.fetch(POSITIONS)
        applied = {
            (row["topic"].removeprefix(self._prefix), row["partition"]): row["next_offset"] or 0 for row in positions
        }
        takeovers = sum(row["epoch"] for row in positions)
        rows = dict(lines or {}) | dict(stock or {}) | dict(supply or {})
        return Figures(**rows, takeovers=takeovers, applied=applied)

    async def promises(self) -> Promises:
        """What became of the promised days until today, as `bo-worker report promises` has it."""
        async with self._connected() as connection:
            levels = await report_promises(connection, datetime.now(UTC).date())
            deliveries = await connection.fetchrow(DELIVERIES)
        return Promises(levels, *(deliveries or (0, 0)))

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        """All rows of a query."""
        async with self._connected() as connection:
            return list(await connection.fetch(query))

    async def close(self) -> None:
        """Close the connection."""
        await self._session.discard()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._turn:
            yield await self._session.connected()
