"""What a shop may tell of a product: its state, and its stock over all locations."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.facts import Availability, LocationAvailability, PromisedQuantity
from bo_worker.domain.kinds import DROP_SHIP, ENDED, PRE_ORDER, is_in_time, starts_on
from bo_worker.domain.promise import day_without_supply, look_out
from bo_worker.domain.supply import incoming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.domain.commands import UpdatePolicy
    from bo_worker.domain.stock import Product


class Snapshot(NamedTuple):
    """What a shop can see of a product: the units available, what can be promised of later ones, and all the rest."""

    available: int
    promised: list[PromisedQuantity]
    seen: list[object]


def snapshot(product: Product) -> Snapshot:
    """Return what a shop can see of a product, to tell cheaply whether it changed."""
    safety_stock = product.safety_stock
    free = 0
    seen: list[object] = [product.waiting]
    for stock in product.stock.values():
        if stock.on_hand:
            available = 0 if product.is_closed else max(0, stock.on_hand - stock.allocated - safety_stock)
            free += available
            seen.append((stock.location, stock.on_hand, stock.allocated, available))
    seen += [(line.promised_on, line.incoming) for line in product.supply.values() if line.incoming]
    promised = available_to_promise(product, free)
    policy = product.policy
    if policy is not None and policy.backorder == "if_promised":
        # What it depends on, besides the day, whether one more unit can be promised.
        days = (policy.window_days, policy.lead_time_days, policy.release_on, policy.season_ends_on)
        seen.append((policy.kind, product.phase, *days))
    seen.append(_state(product, free, promised))
    return Snapshot(free, promised, seen)


def availability(product: Product, found: Snapshot, today: date | None = None) -> Availability:
    """Return the availability of a product that is `found` so; no day: whatever day it is, as far as that matters."""
    locations = [
        LocationAvailability(stock.location, stock.on_hand, stock.allocated, product.available(stock))
        for stock in sorted(product.stock.values(), key=lambda stock: stock.location)
        if stock.on_hand
    ]
    return Availability(
        product.sku,
        _state(product, found.available, found.promised, today),
        sum(location.on_hand for location in locations),
        sum(location.allocated for location in locations),
        found.available,
        product.waiting,
        incoming(product.supply.values()),
        found.promised,
        min((line.promised_on for line in product.supply.values() if line.incoming), default=None),
        locations,
    )


def available_to_promise(product: Product, available: int) -> list[PromisedQuantity]:
    """Return from which day on how many units can be promised to one who comes now, `available` ones aside today.

    That is the projected level from that day to the horizon's end: what arrives first fills up the safety stock of
    its location, and goes to those who wait. The level never falls later, as everybody who waits takes the first
    units that come; a line with a pin counts as one without.
    """
    if not product.supply or product.phase in (DROP_SHIP, ENDED):
        return []
    arrivals = _arrivals(product)
    level = available - product.waiting
    promised = []
    for day in sorted(arrivals):
        level += arrivals[day]
        if level > 0 and is_in_time(product, day):
            promised.append(PromisedQuantity(day, level))
    return promised


def _arrivals(product: Product) -> dict[date, int]:
    """Return by day the units on their way, but for those that fill up a safety stock."""
    found: dict[date, int] = {}
    if product.safety_stock:
        for supply in look_out(product).left():
            found[supply.expected_to] = found.get(supply.expected_to, 0) + supply.quantity
        return found
    # Asked for every product of a batch: without a safety stock nothing has to be filled up, and this is sooner done.
    start = starts_on(product) or date.min
    for line in product.supply.values():
        if line.incoming:
            day = max(start, line.promised_on)
            found[day] = found.get(day, 0) + line.incoming
    return found


def _state(product: Product, available: int, promised: Sequence[PromisedQuantity], today: date | None = None) -> str:
    """Say whether the next unit can be sold, and how. No day: whatever day it is, as far as that matters."""
    if available:
        return "in_stock"
    policy = product.policy
    if policy is None:
        return "out_of_stock" if product.closed_reason else "backorderable"
    if policy.discontinued:
        return "discontinued"
    if not _may_wait(product, policy, promised, today):
        return "out_of_stock"
    return "pre_order" if product.phase == PRE_ORDER else "backorderable"


def _may_wait(
    product: Product, policy: UpdatePolicy, promised: Sequence[PromisedQuantity], today: date | None
) -> bool:
    """Tell whether one more unit may wait, of a line that asks for nothing else than the policy gives."""
    if product.closed_reason or product.phase == ENDED or policy.kind == "indefinite" or policy.backorder == "deny":
        return False
    if policy.backorder == "if_promised" and not _can_promise(product, policy, promised, today):
        return False
    return policy.backorder_limit is None or product.waiting < policy.backorder_limit


def _can_promise(
    product: Product, policy: UpdatePolicy, promised: Sequence[PromisedQuantity], today: date | None
) -> bool:
    """Tell whether what is on its way, or else the lead time, can cover one more unit within the product's window."""
    day = promised[0].day if promised else None
    if day is None or (today is not None and day < today):
        day = day_without_supply(product, today or date.min)
    if day is None or today is None or policy.window_days is None:
        return day is not None
    return day <= today + timedelta(days=policy.window_days)
