"""A change that serves more lines than one transaction may take: begun, gone on with, and finished, in small steps.

The first transaction records the change and reserves its products. The next ones give units to the queue, a bounded
number of lines each; the units are held. Then the orders that were given something are released, so that each gets
one instruction and one notification however many lines it had. The products stay reserved until the end: to
everybody else the change happens at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from bo_worker.domain.allocation import serve_queue
from bo_worker.domain.arrival import Arrival, Arrivals, put_away
from bo_worker.domain.cause import Cause
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.settle import release_served
from bo_worker.service.work import Work, load_lanes, save_work
from bo_worker.store.keys import lock_keys
from bo_worker.store.orders import load_orders
from bo_worker.store.products import lock_products
from bo_worker.store.unfinished import (
    find_pending_orders,
    finish_cause,
    lock_unfinished,
    update_unfinished,
)

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.domain.settle import Effect
    from bo_worker.domain.stock import Product
    from bo_worker.service.work import Lessons, Rules

# More than any product can have: a lane is loaded as far as one transaction may go.
_ALL_UNITS = 2**62


class Step(NamedTuple):
    """What came of a step: whether the cause is finished, and units by kind."""

    finished: bool
    units: Counter[str]


@dataclass(slots=True)
class Remainder:
    """What remains of a cause: `to_serve` holds the locations by SKU whose queues are not served yet."""

    skus: list[str]
    to_serve: dict[str, list[str]]
    arrivals: Arrivals | None
    orders: list[str] = field(default_factory=list)

    def dump(self) -> dict[str, Any]:
        """Return it as JSON values."""
        arrivals = self.arrivals
        return {
            "skus": self.skus,
            "to_serve": self.to_serve,
            "orders": self.orders,
            "arrivals": arrivals
            and {
                "receipt_id": arrivals.receipt_id,
                "location": arrivals.location,
                "dock_door": arrivals.dock_door,
                "received_at": arrivals.received_at.isoformat(),
                "purchase_order_id": arrivals.purchase_order_id,
                "orders": arrivals.orders,
                "given": arrivals.given,
                "lines": [
                    [line.line_id, line.sku, line.lot, line.quantity, line.unclaimed, line.docked]
                    for line in arrivals.lines.values()
                ],
            },
        }


def load_remainder(remaining: dict[str, Any]) -> Remainder:
    """Return what `dump` gave."""
    stored = remaining["arrivals"]
    arrivals = stored and Arrivals(
        stored["receipt_id"],
        stored["location"],
        stored["dock_door"],
        {line[0]: Arrival(*line) for line in stored["lines"]},
        datetime.fromisoformat(stored["received_at"]),
        stored["purchase_order_id"],
        stored["orders"],
        stored.get("given", {}),  # An older version began without them.
    )
    return Remainder(remaining["skus"], remaining["to_serve"], arrivals, remaining["orders"])


def remainder_of(effect: Effect) -> Remainder:
    """Return what a change leaves to settle when nothing of it is settled yet."""
    return Remainder(list(effect.locations), dict(effect.locations), effect.arrivals, list(effect.orders))


async def go_on(connection: asyncpg.Connection, name: str, lessons: Lessons, rules: Rules, now: datetime) -> Step:
    """Take the next step of a cause, in one transaction.

    Raises:
        OrdersBusyError: try again, with these orders locked first.
    """
    async with connection.transaction():
        locked = await lock_unfinished(connection, name)
        if locked is None:
            return Step(finished=True, units=Counter())
        topic, natural_id, traceparent, remaining = locked
        cause = Cause(topic, natural_id, traceparent)
        rest = load_remainder(remaining)
        work = Work(rules.new_account(now))
        work.account.cause = cause
        if rest.to_serve:
            await _serve_next(connection, rest, work, lessons, rules)
            finished = False
        else:
            finished = await _release_next(connection, rest, work, rules)
        await save_work(connection, work, now)
        if finished:
            await finish_cause(connection, name, rest.skus)
        else:
            await update_unfinished(connection, name, rest.dump())
    return Step(finished, work.units)


async def _serve_next(
    connection: asyncpg.Connection, rest: Remainder, work: Work, lessons: Lessons, rules: Rules
) -> None:
    """Give units of the next product to as many lines as one transaction may take."""
    sku, locations = next(iter(rest.to_serve.items()))
    work.keys = await lock_keys(connection, lessons.order_ids)
    work.account.products = await lock_products(connection, [sku], settling=work.account.cause.name)
    product = work.account.products[sku]
    if product.has_backlog:
        lines_max = max(1, rules.fill_lines_max // (len(locations) + 1))
        lanes = {(sku, pin): _ALL_UNITS for pin in (ANY_LOCATION, *locations)}
        await load_lanes(connection, work, lanes, rules.rank_by, lines_max, lines_max * len(lanes))
    served: dict[str, None] = {}
    if serve_queue(work.account, product, locations, rest.arrivals, served=served, may_pause=True):
        del rest.to_serve[sku]
    for order_id in served:
        for line in work.account.orders[order_id].lines:
            for claim in line.claims:
                if claim.is_new:
                    claim.pending_cause = work.account.cause.name


async def _release_next(connection: asyncpg.Connection, rest: Remainder, work: Work, rules: Rules) -> bool:
    """Release the next orders that were given something; when there are none, put away the rest."""
    order_ids = rest.orders or await find_pending_orders(connection, work.account.cause.name, rules.fill_lines_max)
    rest.orders = []
    if not order_ids:
        if rest.arrivals is not None:
            work.keys = await lock_keys(connection, [rest.arrivals.receipt_id])
            put_away(work.account, rest.arrivals)
        work.account.products = await lock_products(connection, rest.skus, settling=work.account.cause.name)
        for product in work.account.products.values():
            _tell_again(product, work.account.cause)
        return True
    work.keys = await lock_keys(connection, order_ids)
    work.account.orders = await load_orders(connection, order_ids, whole=False)
    cause = work.account.cause.name
    for order_id in order_ids:
        order = work.account.orders[order_id]
        pending = [(line, claim) for line in order.lines for claim in line.claims if claim.pending_cause == cause]
        release_served(work.account, order_id, rest.arrivals)
        for line, claim in pending:
            claim.pending_cause = None
            claim.is_changed = line.is_changed = True
    return False


def _tell_again(product: Product, cause: Cause) -> None:
    """Let shops, purchasing and the waitlist of a product hear of what the steps have left, as of one change."""
    product.is_reserved, product.published = False, None
    product.is_changed, product.touched_by = True, cause
    if product.waitlist is not None:
        product.waitlist.is_asked = True
