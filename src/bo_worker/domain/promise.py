"""What a waiting line is promised: the days between which its units come, where that can be known."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, Final, NamedTuple

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.kinds import DROP_SHIP, WITHOUT_LEAD_TIME, is_in_time, starts_on
from bo_worker.domain.missing import QueueUndividedError
from bo_worker.domain.outlook import Outlook, Supply, Waiting
from bo_worker.domain.supply import incoming

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.outlook import Part
    from bo_worker.domain.stock import Product


class Promise(NamedTuple):
    """The days between which units come; None while nothing that is confirmed covers them."""

    expected_from: date | None = None
    expected_to: date | None = None


NO_PROMISE = Promise()
_IN_RANK: Final = attrgetter("rank")


class Promised(NamedTuple):
    """A line that waits, what it is promised now, the last day its customer was told, and when the order must go."""

    waiting: Waiting
    promise: Promise
    told_to: date | None
    need_by: datetime | None = None


def promise(account: Account, product: Product, line: OrderLine, units: int) -> Promise:
    """Return what `units` of a line are promised that is about to wait; the supply counts as given to it."""
    found = _from_supply(account, product, line, units) if product.supply else NO_PROMISE
    # A day that has passed is about to be put off, or to count no longer.
    return found if found.expected_to and found.expected_to >= account.today else from_lead_time(account, product)


def from_lead_time(account: Account, product: Product) -> Promise:
    """Return the promise of a product that is made, or ordered, for whoever waits."""
    day = day_without_supply(product, account.today)
    return Promise(day, day) if day else NO_PROMISE


def day_without_supply(product: Product, today: date) -> date | None:
    """Return the day that is promised today to a line that no supply covers.

    A product that is released later is promised for that day, where nothing is known of what is on its way.
    """
    policy = product.policy
    if policy is None:
        return None
    start = starts_on(product)
    if policy.lead_time_days is not None and policy.kind not in WITHOUT_LEAD_TIME:
        day = today + timedelta(days=policy.lead_time_days)
        day = max(day, start or day)
    elif start is not None and not incoming(product.supply.values()):
        day = start
    else:
        return None
    return day if is_in_time(product, day) else None


def is_promised(account: Account, product: Product, line: OrderLine, units: int) -> bool:
    """Tell whether `units` of a line can be promised within the product's window."""
    found = promise(account, product, line, units)
    product.outlook = None  # It was only asked.
    window = product.policy.window_days if product.policy else None
    if found.expected_to is None:
        return False
    return window is None or found.expected_to <= account.today + timedelta(days=window)


def look_out(product: Product) -> Outlook:
    """Return what is on its way to a product, given to nobody yet. Arrivals fill up the safety stock first.

    Nobody is served before the product is released, and what comes too late for its season is for nobody.
    """
    start = starts_on(product) or date.min
    supply = [
        Supply(
            line.location,
            line.incoming,
            max(start, line.expected_from),
            max(start, line.promised_on),
            line.purchase_order_id,
            line.line_id,
        )
        for line in product.supply.values()
        if line.incoming and product.phase != DROP_SHIP and is_in_time(product, max(start, line.promised_on))
    ]
    shortfalls = {
        stock.location: stock.allocated + product.safety_stock - stock.on_hand for stock in product.stock.values()
    }
    places = {line.location for line in supply}
    return Outlook(supply, {place: max(0, shortfalls.get(place, product.safety_stock)) for place in places})


def _from_supply(account: Account, product: Product, line: OrderLine, units: int) -> Promise:
    newest = Waiting(account.rank(line), line.location or ANY_LOCATION, units, line.order.order_id, line.position)
    if product.queue_end is not None and newest.rank > product.queue_end:
        product.are_promises_due = True  # Not everybody ahead was loaded.
        return NO_PROMISE
    outlook = product.outlook
    if outlook is None or newest.rank < product.outlook_end:
        queue = _queue(account, product, newest)
        behind = any(waiting.rank > newest.rank for waiting in queue)
        outlook = look_out(product)
        outlook.take_all([waiting for waiting in queue if waiting.rank < newest.rank])
        product.outlook = None if behind else outlook
        product.are_promises_due |= behind
    peg = outlook.append(newest)
    product.outlook_end = newest.rank
    product.are_promises_due |= _is_on_truck(product, peg.parts if peg else outlook.partly.get(newest[3:], ()))
    return Promise(peg.expected_from, peg.expected_to) if peg else NO_PROMISE


def _is_on_truck(product: Product, parts: Iterable[Part]) -> bool:
    """Tell whether any unit is in transit: who gets it is to be planned."""
    lines = product.supply
    return any(
        lines[supply.purchase_order_id, supply.line_id, product.sku].status == "in_transit" for supply, _ in parts
    )


def _queue(account: Account, product: Product, newest: Waiting) -> list[Waiting]:
    """Return the lines that wait now, as far as they were loaded; some of them may stand as one.

    Raises:
        QueueUndividedError: `newest` ranks between some of those, or another line does and it makes a difference.
    """
    live = [
        Waiting(account.rank(line), line.location or ANY_LOCATION, line.backordered, *key)
        for key, line in product.live.items()
        if line.backordered
    ]
    if product.marks is not None and any(_divides(product, line, newest) for line in (*live, newest)):
        raise QueueUndividedError(product.sku, newest.pin)
    return [*product.queue, *live]


def _divides(product: Product, line: Waiting, newest: Waiting) -> bool:
    """Tell whether a line may rank between lines that stand as one, and takes others than they, or ends the queue."""
    if not product.queue or line.rank >= product.queue[-1].rank or line.rank in (product.marks or ()):
        return False
    run = product.queue[bisect_right(product.queue, line.rank, key=_IN_RANK)]
    return line is newest or run.pin != line.pin
