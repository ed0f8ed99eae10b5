"""Whole queues, added up or compared with what covers them, without loading their lines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bo_worker.domain.demand import NO_NEED
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.plan import Carried
from bo_worker.domain.promise import Promise
from bo_worker.store.promises import promised_of, rank_of
from bo_worker.store.queries import QUERIES, ranked

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date, datetime

    import asyncpg

    from bo_worker.domain.cover import Cover
    from bo_worker.domain.demand import Rank
    from bo_worker.domain.promise import Promised
    from bo_worker.domain.repeg import Otherwise

# So many waiting lines of each lane of a product are read; it is locked meanwhile.
LANE_LINES_MAX: Final = 200_000


class Queue(NamedTuple):
    """Who waits for a product, in rank: `runs` of lines with one pin, each as one with the rank of its last.

    It is known up to `end` only, where that is not None.
    """

    runs: list[Waiting]
    end: Rank | None


class Found(NamedTuple):
    """A line, what it should be promised, and whether it is the last of its lane that supply may be for."""

    sku: str
    line: Promised
    promise: Promise
    is_end: bool


async def find_waiting_lanes(
    connection: asyncpg.Connection, lanes: Iterable[tuple[str, str]]
) -> dict[str, list[str]]:
    """Return, by SKU, the pins of those lanes that have lines. The products are locked."""
    found: dict[str, list[str]] = {}
    given = sorted(lanes)
    if given:
        for sku, pin in await connection.fetch(QUERIES["find_waiting_lanes"], *map(list, zip(*given, strict=True))):
            found.setdefault(sku, []).append(pin)
    return found


async def find_queue_ends(
    connection: asyncpg.Connection, skus: Iterable[str], rank_by: str
) -> dict[str, tuple[Rank, bool]]:
    """Return the rank of the last line that waits for each product without a pin, and whether others have one."""
    rows = await connection.fetch(QUERIES[ranked("find_queue_ends", rank_by)], list(skus))
    return {row["sku"]: (rank_of(row, rank_by), row["has_pins"]) for row in rows}


async def load_runs(
    connection: asyncpg.Connection,
    lanes: Sequence[tuple[str, str, int]],
    rank_by: str,
    lines_max: int = LANE_LINES_MAX,
    *,
    without: Collection[str] = (),
    marks: Collection[tuple[str, Rank]] = (),
    one_by_one: bool = False,
) -> dict[str, Queue]:
    """Return the queues that `lanes` (SKU, pin, units on their way) make up. Their products are locked.

    Lines of the orders `without` are left out. No run goes past a mark, which is a rank in the queue of a SKU; if
    `one_by_one`, each is a single line.
    """
    if not lanes:
        return {}
    places = _columns([(sku, *_place(rank, rank_by)) for sku, rank in marks], 6)
    query = QUERIES[ranked("load_runs", rank_by)]
    rows = await connection.fetch(
        query, *map(list, zip(*lanes, strict=True)), lines_max, list(without), *places, one_by_one
    )
    queues = {sku: Queue([], None) for sku, _, _ in lanes}
    counted = dict.fromkeys(queues, 0)
    for row in rows:
        sku, units = row["sku"], row["units_to"] - counted[row["sku"]]
        queue = queues[sku]
        if row["is_cut"] and queue.end is None:
            queues[sku] = queue = queue._replace(end=rank_of(row, rank_by))
        if units:
            queue.runs.append(Waiting(rank_of(row, rank_by), row["pin"], units, row["order_id"], row["position"]))
            counted[sku] = row["units_to"]
    return queues


async def find_moved(
    connection: asyncpg.Connection,
    covers: Sequence[Cover],
    others: Mapping[str, Otherwise],
    rank_by: str,
    terms: tuple[int, date],
    lines_max: int,
) -> list[Found]:
    """Return the lines of lanes with another promise than what covers them, at most `lines_max`, and their ends.

    `others` says by SKU what a line is promised that is not covered; `terms` are the days by which a promise moves
    before a customer is told, and today. The products are locked.
    """
    if not covers:
        return []
    lanes = [(cover.sku, cover.pin, cover.units, *others[cover.sku]) for cover in covers]
    shares: list[tuple[int, int, date, date]] = []
    for number, cover in enumerate(covers, 1):
        units = 0
        for supply, quantity in cover.parts:
            units += quantity
            shares.append((number, units, supply.expected_from, supply.expected_to))
    rows = await connection.fetch(
        QUERIES[ranked("find_moved", rank_by)],
        *map(list, zip(*lanes, strict=True)),
        *_columns(shares, 4),
        LANE_LINES_MAX,
        lines_max + len(covers),
        *terms,
    )
    return _found(rows, rank_by)


async def find_moved_behind(
    connection: asyncpg.Connection,
    ends: Iterable[Found],
    others: Mapping[str, Otherwise],
    rank_by: str,
    terms: tuple[int, date],
    lines_max: int,
) -> list[Found]:
    """Return the lines behind the `ends` of their lanes that should not have the promise that they have."""
    places = [
        (end.sku, end.line.waiting.pin, *_place(end.line.waiting.rank, rank_by))
        for end in ends
    ]  # fmt: skip
    rows = await connection.fetch(
        QUERIES["find_moved_behind"],
        *map(list, zip(*((sku, *other) for sku, other in others.items()), strict=True)),
        *_columns(places, 7),
        lines_max,
        rank_by == "need_by",
        *terms,
    )
    return _found(rows, rank_by)


async def load_carried(
    connection: asyncpg.Connection, lanes: Sequence[tuple[Cover, list[tuple[int, int]]]], rank_by: str, lines_max: int
) -> dict[str, list[Carried]]:
    """Return, by SKU, the lines that get any of some units of their lanes, at most `lines_max` of each.

    The units are those behind the first so many, and up to so many, in order. The products are locked.
    """
    if not lanes:
        return {}
    named = [(cover.sku, cover.pin, spans[-1][1]) for cover, spans in lanes]
    parts = [(number, *span) for number, (_, spans) in enumerate(lanes, 1) for span in spans]
    rows = await connection.fetch(
        QUERIES[ranked("load_carried", rank_by)],
        *map(list, zip(*named, strict=True)),
        *map(list, zip(*parts, strict=True)),
        LANE_LINES_MAX,
        lines_max,
    )
    carried: dict[str, list[Carried]] = {}
    for row in rows:
        carried.setdefault(row["sku"], []).append(Carried(promised_of(row, rank_by), row["ahead"]))
    return carried


def _found(rows: Iterable[asyncpg.Record], rank_by: str) -> list[Found]:
    return [
        Found(row["sku"], promised_of(row, rank_by), Promise(row["new_from"], row["new_to"]), row["is_end"])
        for row in rows
    ]


def _place(rank: Rank, rank_by: str) -> tuple[int, datetime, datetime | None, str, int]:
    """Return the columns of a rank: priority, placed_at, need_by, order id and position."""
    priority, by, placed_at, order_id, position = rank
    return (-priority, placed_at, None if rank_by != "need_by" or by == NO_NEED else by, order_id, position)


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]
