"""The level-triggered step that ends every change (R4): free units go to those who wait, and leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from bo_worker.domain.allocation import serve_queue
from bo_worker.domain.arrival import put_away
from bo_worker.domain.consolidation import tell_hold
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.order_supply import replace_lost
from bo_worker.domain.release import release

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.arrival import Arrivals
    from bo_worker.domain.facts import NotificationLine

Replaced = Mapping[tuple[str, str], int]


@dataclass(slots=True, eq=False)
class Effect:
    """What a change left to settle: the locations where units may be free now, by SKU.

    `orders` names orders that may have something to release even if they are served nothing. `lost` holds, per
    line (order id, position) that lost units to a correction, the units that waited before and the released
    units that were lost.
    """

    locations: dict[str, list[str]] = field(default_factory=dict)
    arrivals: Arrivals | None = None
    orders: dict[str, None] = field(default_factory=dict)
    lost: dict[tuple[str, int], list[int]] = field(default_factory=dict)

    def touch(self, sku: str, location: str) -> None:
        """Note that units of `sku` may be free at `location`."""
        found = self.locations.setdefault(sku, [])
        if location not in found:
            found.append(location)


def settle(account: Account, effect: Effect) -> None:
    """Serve the queues, release what was served, put away the rest."""
    served = dict(effect.orders)
    for sku, locations in effect.locations.items():
        serve_queue(account, account.product(sku), locations, effect.arrivals, served=served)
    replaced = _tell_lost(account, effect) if effect.lost else {}
    for order_id in served:
        release_served(account, order_id, effect.arrivals, replaced)
    if effect.arrivals is not None:
        put_away(account, effect.arrivals)


def release_served(
    account: Account, order_id: str, arrivals: Arrivals | None, replaced: Replaced = MappingProxyType({})
) -> None:
    """Release what an order holds and may send; tell its customer, or else why it waits for the rest.

    Units that only stand in for released ones that were lost at once are no news: `replaced` counts them, by
    order and line.
    """
    order = account.orders[order_id]
    held_before = order.hold_until
    released = release(account, order, arrivals)
    if order.hold_until is not None and held_before is None:
        tell_hold(account, order)
    for line in released:
        line.quantity -= replaced.get((order_id, line.line_id), 0)
    if news := [line for line in released if line.quantity]:
        completes = not order.is_waiting()
        notify(account, order, "backorder_filled", news, completes_order=completes)


def _tell_lost(account: Account, effect: Effect) -> Replaced:
    """Tell customers of released units that stay lost; return those that were served again at once.

    Where each order has supply of its own, held units that stay lost are missing as well.
    """
    told: dict[str, list[NotificationLine]] = {}
    gone: dict[str, dict[int, int]] = {}
    replaced: dict[tuple[str, str], int] = {}
    for (order_id, position), (waited, lost) in sorted(effect.lost.items()):
        line = next(line for line in account.orders[order_id].lines if line.position == position)
        short = max(0, line.backordered - waited)
        missing = min(lost, short)
        replaced[order_id, line.line_id] = lost - missing
        if missing:
            told.setdefault(order_id, []).append(notified(line, missing))
            if not waited:
                account.undated.append((order_id, position))
        if short:
            gone.setdefault(order_id, {})[position] = short
    for order_id, lines in told.items():
        notify(account, account.orders[order_id], "allocation_lost", lines)
    for order_id, units in gone.items():
        replace_lost(account, account.orders[order_id], units)
    return replaced
