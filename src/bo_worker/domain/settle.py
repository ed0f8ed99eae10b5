"""The level-triggered step that ends every change (R4): free units go to those who wait, and leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.allocation import serve_queue
from bo_worker.domain.arrival import put_away
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.release import release

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.arrival import Arrivals
    from bo_worker.domain.facts import NotificationLine


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
    for order_id in served:
        release_served(account, order_id, effect.arrivals)
    if effect.arrivals is not None:
        put_away(account, effect.arrivals)
    if effect.lost:
        _tell_lost(account, effect)


def release_served(account: Account, order_id: str, arrivals: Arrivals | None) -> None:
    """Release what an order holds and may send; tell its customer."""
    order = account.orders[order_id]
    released = release(account, order, arrivals)
    if released:
        completes = not order.is_waiting()
        notify(account, order, "backorder_filled", released, completes_order=completes)


def _tell_lost(account: Account, effect: Effect) -> None:
    """Tell customers of released units that were lost, unless the line was served again at once."""
    told: dict[str, list[NotificationLine]] = {}
    for (order_id, position), (waited, lost) in sorted(effect.lost.items()):
        line = next(line for line in account.orders[order_id].lines if line.position == position)
        quantity = min(lost, line.backordered - waited)
        if quantity > 0:
            told.setdefault(order_id, []).append(notified(line, quantity))
    for order_id, lines in told.items():
        notify(account, account.orders[order_id], "allocation_lost", lines)
