"""Notices of delays, answers to them, and the lines that are looked at for it, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.consent import Consent, Expectation, Notice
from bo_worker.domain.stock import Stock
from bo_worker.store.products import product_of
from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import date, datetime

    import asyncpg

    from bo_worker.domain.commands import Choice
    from bo_worker.domain.repeg import Moved
    from bo_worker.domain.stock import Product

Place = tuple[str, int]
Lane = tuple[str, str, int]

_NOTICE_COLUMNS = (
    "order_id", "number", "position", "quantity", "told_at", "reason", "agreed_to", "new_from", "new_to", "options",
    "respond_by", "rule", "silence", "token_hash",
)  # fmt: skip


class RefusedAnswer(NamedTuple):
    """An answer to a notice that was refused; `digest` is that of its content, `error` the code of the refusal."""

    order_id: str
    response_id: str
    digest: bytes
    line_id: str
    choice: Choice
    substitute_sku: str | None
    token_hash: bytes
    responded_at: datetime
    error: str


class Walk(NamedTuple):
    """How far the daily look for lines is: promises before a day, the day of the last whole look, the last lane."""

    promises_to: date
    ended_on: date | None
    lane: Lane


async def load_consents(
    connection: asyncpg.Connection, order_ids: Collection[str]
) -> tuple[dict[Place, Consent], dict[Place, Expectation]]:
    """Return the consents of the lines of orders, and what those that are looked at expect. The keys are locked."""
    consents: dict[Place, Consent] = {}
    expected: dict[Place, Expectation] = {}
    for row in await connection.fetch(QUERIES["load_delay_watch"], list(order_ids)):
        order_id, position, check_on, respond_by, *expectation = row
        consents[order_id, position] = Consent(
            order_id, position, check_on=check_on, respond_by=respond_by, is_followed=True, was_followed=True
        )
        expected[order_id, position] = Expectation(*expectation)
    for row in await connection.fetch(QUERIES["load_delay_notices"], list(order_ids)):
        order_id, number, position, *fields = row
        notice = Notice(number, position, *fields)
        notice.is_new = False
        consents.setdefault((order_id, position), Consent(order_id, position)).notices.append(notice)
    return consents, expected


async def save_consents(connection: asyncpg.Connection, consents: Iterable[Consent], now: datetime) -> None:
    """Write new notices, what came of others, and when lines are looked at again. Their orders are locked."""
    every = sorted(consents, key=lambda consent: (consent.order_id, consent.position))
    notices = [(consent.order_id, notice) for consent in every for notice in consent.notices]
    new = [_notice_row(order_id, notice) for order_id, notice in notices if notice.is_new]
    if new:
        await connection.copy_records_to_table(
            "delay_notice", schema_name="bo_worker", columns=_NOTICE_COLUMNS, records=new
        )
    ended = [_end_row(order_id, notice) for order_id, notice in notices if notice.is_changed]
    await execute_rows(connection, "end_delay_notices", ended, now)
    changed = [consent for consent in every if consent.is_changed]
    followed = [
        (consent.order_id, consent.position, consent.check_on, consent.respond_by)
        for consent in changed
        if consent.is_followed
    ]
    await execute_rows(connection, "save_delay_watch", followed)
    gone = [
        (consent.order_id, consent.position)
        for consent in changed
        if consent.was_followed and not consent.is_followed
    ]
    await execute_rows(connection, "drop_delay_watch", gone)


def _notice_row(order_id: str, notice: Notice) -> tuple[object, ...]:
    return (
        order_id,
        notice.number,
        notice.position,
        notice.quantity,
        notice.told_at,
        notice.reason,
        notice.agreed_to,
        notice.new_from,
        notice.new_to,
        notice.options,
        notice.respond_by,
        notice.rule,
        notice.silence,
        notice.token_hash,
    )


def _end_row(order_id: str, notice: Notice) -> tuple[object, ...]:
    return (
        order_id,
        notice.number,
        notice.position,
        notice.answer,
        notice.response_id,
        notice.answered_at,
        notice.outcome,
    )


async def keep_refused_answers(
    connection: asyncpg.Connection, answers: Iterable[RefusedAnswer], now: datetime
) -> None:
    """Keep answers as evidence, each content once; the keys of their orders are locked, or the orders are new."""
    first: dict[tuple[str, str, bytes], RefusedAnswer] = {}
    for answer in answers:
        first.setdefault((answer.order_id, answer.response_id, answer.digest), answer)
    await execute_rows(connection, "keep_refused_answers", list(first.values()), now)


async def watch_moved(connection: asyncpg.Connection, moved: Iterable[Moved], today: date, days: int) -> None:
    """Have lines looked at whose promises moved, as far as a delay may come of it. Their products are locked.

    Those that had no day were to come `days` after they were placed, or sooner.
    """
    rows = sorted((line.waiting.order_id, line.waiting.position, line.promise.expected_to) for line in moved)
    await execute_rows(connection, "watch_moved", rows, today, days)


async def load_walk(connection: asyncpg.Connection) -> Walk | None:
    """Return how far the daily look is; None where there was none yet."""
    row = await connection.fetchrow(QUERIES["load_delay_walk"])
    return Walk(row["promises_to"], row["ended_on"], (row["sku"], row["pin"], row["priority"])) if row else None


async def save_walk(connection: asyncpg.Connection, walk: Walk) -> None:
    """Store how far the daily look is."""
    await connection.execute(QUERIES["save_delay_walk"], walk.promises_to, walk.ended_on, *walk.lane)


async def watch_promises(connection: asyncpg.Connection, first: date, today: date, lines_max: int) -> int:
    """Have lines looked at today whose promised day passed since `first`; return how many, at most `lines_max`."""
    return int(await connection.fetchval(QUERIES["watch_promises"], first, today, today, lines_max))


async def walk_lanes(connection: asyncpg.Connection, after: Lane, lanes_max: int) -> list[Lane]:
    """Return the next lanes in which lines wait, after one of them."""
    return [tuple(row) for row in await connection.fetch(QUERIES["walk_lanes"], *after, lanes_max)]


async def watch_lanes(
    connection: asyncpg.Connection, lanes: Collection[Lane], today: date, due_by: date, days: int, lines_max: int
) -> int:
    """Have those lines of lanes looked at today that were to come by `due_by`, `days` after they were placed.

    Returns how many, at most `lines_max`; the window of a product may make the days fewer.
    """
    columns = map(list, zip(*lanes, strict=True))
    return int(await connection.fetchval(QUERIES["watch_lanes"], *columns, due_by, days, today, lines_max))


async def find_delays_due(connection: asyncpg.Connection, today: date, lines_max: int) -> list[str]:
    """Return orders with lines that are to be looked at by today."""
    return [row[0] for row in await connection.fetch(QUERIES["find_delays_due"], today, lines_max)]


async def find_silences_due(connection: asyncpg.Connection, now: datetime, lines_max: int) -> list[str]:
    """Return orders with lines for which the time for an answer is over."""
    return [row[0] for row in await connection.fetch(QUERIES["find_silences_due"], now, lines_max)]


async def peek_products(connection: asyncpg.Connection, skus: Collection[str]) -> dict[str, Product]:
    """Return products with their stock as they are at this instant, without a lock: nothing may be done to them."""
    products = {
        row["sku"]: product_of(row) for row in await connection.fetch(QUERIES["explain_products"], list(skus))
    }
    for sku, location, on_hand, allocated in await connection.fetch(QUERIES["load_stock"], list(products)):
        products[sku].stock[location] = Stock(sku, location, on_hand, allocated, is_new=False)
    return products


async def load_token_secret(connection: asyncpg.Connection, fresh: bytes) -> bytes:
    """Return the secret for tokens that all workers share; it is `fresh` if there was none."""
    found = await connection.fetchval(QUERIES["load_token_secret"])
    if found is None:
        await connection.execute(QUERIES["keep_token_secret"], fresh)
        found = await connection.fetchval(QUERIES["load_token_secret"])
    return bytes(found)
