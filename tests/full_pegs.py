"""Promises and loads of trucks as they follow from every single line of a queue: the measure of quicker ways."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.cover import lanes_of
from bo_worker.domain.demand import SUSPENDED
from bo_worker.domain.estimate import LATER_DAYS
from bo_worker.domain.kinds import begins_on, is_in_time, starts_on
from bo_worker.domain.promise import NO_PROMISE, Promise, Promised, from_lead_time, look_out
from bo_worker.store.promises import promised_of

if TYPE_CHECKING:
    from datetime import date

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.outlook import Peg
    from bo_worker.domain.stock import Product

Key = tuple[str, int]


class Right(NamedTuple):
    """What a line is promised, what its customer was told last, and whether that is news."""

    promise: Promise
    told_to: date | None
    is_news: bool


async def all_lines(connection: asyncpg.Connection, sku: str, rank_by: str) -> list[Promised]:
    """Everybody who waits for a product, in rank."""
    rows = await connection.fetch("select * from bo_worker.order_line where sku = $1 and backordered > 0", sku)
    return sorted((promised_of(row, rank_by) for row in rows), key=lambda line: line.waiting.rank)


def moved_lines(account: Account, product: Product, lines: list[Promised]) -> dict[Key, Right]:
    """The lines that get another promise: of those that supply may be for, and of those that have one."""
    pegs = look_out(product).peg_all([line.waiting for line in lines])
    may_be_served = _heads(product, lines)
    found = {}
    for line in lines:
        key = line.waiting.order_id, line.waiting.position
        if key not in may_be_served and line.promise == NO_PROMISE:
            continue
        peg = pegs[key]
        right = _from_supply(account, line, peg) if peg else _without_supply(account, product, line)
        told = line.told_to
        if told is None or right.expected_to is None:
            is_news = told != right.expected_to
        else:
            is_news = abs((right.expected_to - told).days) >= account.terms.moved_days
        if is_news or right != line.promise:
            found[key] = Right(right, right.expected_to if is_news else told, is_news)
    return found


def loaded_units(product: Product, lines: list[Promised]) -> list[tuple[str, str, int, int, date, date]]:
    """What trucks bring: purchase order, order, position, units and days."""
    trucks = {key[:2] for key, line in product.supply.items() if line.status == "in_transit" and line.incoming}
    outlook = look_out(product)
    pegs = outlook.peg_all([line.waiting for line in lines])
    units: dict[tuple[str, str, int], tuple[int, date, date]] = {}
    for key, peg in pegs.items():
        for supply, quantity in peg.parts if peg else outlook.partly.get(key, ()):
            if (supply.purchase_order_id, supply.line_id) in trucks:
                place = (supply.purchase_order_id, *key)
                had, first, last = units.get(place, (0, supply.expected_from, supply.expected_to))
                units[place] = had + quantity, min(first, supply.expected_from), max(last, supply.expected_to)
    return sorted((*place, *rest) for place, rest in units.items())


def _heads(product: Product, lines: list[Promised]) -> set[Key]:
    """The lines ahead of which fewer units wait in their lane than are on their way for it."""
    units = lanes_of(product)
    ahead = dict.fromkeys(units, 0)
    found = set()
    for line in lines:
        waiting = line.waiting
        if ahead.get(waiting.pin, 0) < units.get(waiting.pin, 0):
            found.add((waiting.order_id, waiting.position))
            ahead[waiting.pin] += waiting.quantity
    return found


def _from_supply(account: Account, line: Promised, peg: Peg) -> Promise:
    return Promise(peg.expected_from, peg.expected_to) if peg.expected_to >= account.today else line.promise


def _without_supply(account: Account, product: Product, line: Promised) -> Promise:
    if line.waiting.pin.startswith(SUSPENDED):
        return NO_PROMISE
    found, start = from_lead_time(account, product), starts_on(product)
    given = line.promise.expected_to
    if found.expected_to is None and given == account.today and begins_on(product, account.today):
        return line.promise
    if found.expected_to is None or given is None or given < (start or given) or not is_in_time(product, given):
        return found
    latest = found.expected_to if start else max(found.expected_to, account.today + timedelta(days=LATER_DAYS))
    if given >= account.today:
        return line.promise if given <= latest else found
    return Promise(latest, latest) if is_in_time(product, latest) else NO_PROMISE
