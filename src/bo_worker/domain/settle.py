"""The level-triggered step that ends every change (R4): free units go to those who wait, and leave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.allocation import serve_queue
from bo_worker.domain.arrival import put_away
from bo_worker.domain.notice import notify
from bo_worker.domain.release import release

if TYPE_CHECKING:
    from bo_worker.domain.account import Account, Cause
    from bo_worker.domain.arrival import Arrivals


@dataclass(slots=True, eq=False)
class Effect:
    """What a change left to settle: the locations where units may be free now, by SKU.

    `orders` names orders that may have something to release even if they are served nothing.
    """

    locations: dict[str, list[str]] = field(default_factory=dict)
    arrivals: Arrivals | None = None
    orders: dict[str, None] = field(default_factory=dict)

    def touch(self, sku: str, location: str) -> None:
        """Note that units of `sku` may be free at `location`."""
        found = self.locations.setdefault(sku, [])
        if location not in found:
            found.append(location)


def settle(account: Account, cause: Cause, effect: Effect) -> None:
    """Serve the queues, release what was served, put away the rest."""
    served = dict(effect.orders)
    for sku, locations in effect.locations.items():
        serve_queue(account, account.product(sku), locations, effect.arrivals, served=served)
    for order_id in served:
        release_served(account, cause, order_id, effect.arrivals)
    if effect.arrivals is not None:
        put_away(account, cause, effect.arrivals)


def release_served(account: Account, cause: Cause, order_id: str, arrivals: Arrivals | None) -> None:
    """Release what an order holds and may send; tell its customer."""
    order = account.orders[order_id]
    released = release(account, cause, order, arrivals)
    if released:
        completes = not order.is_waiting()
        notify(account, cause, order, "backorder_filled", released, completes_order=completes)
