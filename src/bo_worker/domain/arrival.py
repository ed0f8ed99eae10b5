"""Units on the receiving dock: which claims they go to, and what of them is put away (R8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.facts import PutAway, PutAwayLine
from bo_worker.domain.identity import derive_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import ReceiveInventory


@dataclass(slots=True, eq=False)
class Arrival:
    """Units of one receipt line: `unclaimed` ones may be claimed on the dock, `docked` ones left from it."""

    line_id: str
    sku: str
    lot: str | None
    quantity: int
    unclaimed: int
    docked: int = 0


@dataclass(slots=True, eq=False)
class Arrivals:
    """The units that a receipt brought to its location, in the order of its lines.

    `purchase_order_id` names its purchase order where that was in transit; then `given` are the units by SKU that
    went to order lines. `orders` counts those that left from the dock.
    """

    receipt_id: str
    location: str
    dock_door: str | None
    lines: dict[str, Arrival]
    received_at: datetime
    purchase_order_id: str | None = None
    orders: int = 0
    given: dict[str, int] = field(default_factory=dict)
    by_sku: dict[str, list[Arrival]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for arrival in self.lines.values():
            self.by_sku.setdefault(arrival.sku, []).append(arrival)

    def of(self, sku: str) -> Sequence[Arrival]:
        """Return the arrivals of one SKU, first line first."""
        return self.by_sku.get(sku, ())

    def give(self, sku: str, quantity: int) -> int:
        """Count units that go to an order line; return those of them that came just now, which go first."""
        before = self.given.get(sku, 0)
        part = min(quantity, sum([arrival.quantity for arrival in self.of(sku)]) - before)
        self.given[sku] = before + part
        return part

    def dock(self, line_id: str | None, quantity: int) -> str | None:
        """Count units of a receipt line that leave from the dock; return their lot."""
        arrival = self.lines[line_id or ""]
        arrival.docked += quantity
        return arrival.lot


def arrivals_of(account: Account, command: ReceiveInventory) -> Arrivals:
    """Return what a receipt brings, nothing of it claimed yet. Of a lot that expires too soon nothing can be."""
    received_on = command.received_at.date()
    fits = account.terms.dock.fits_shelf
    lines = {
        line.line_id: Arrival(
            line.line_id,
            line.sku,
            line.lot,
            line.quantity,
            line.quantity if fits(line.expires_on, received_on) else 0,
        )
        for line in command.lines
    }
    arrivals = Arrivals(command.receipt_id, command.location, command.dock_door, lines, command.received_at)
    if command.purchase_order_id and account.purchase_order(command.purchase_order_id).status == "in_transit":
        arrivals.purchase_order_id = command.purchase_order_id
    return arrivals


def put_away(account: Account, arrivals: Arrivals) -> None:
    """Send to storage what did not leave from the dock; publish nothing where there is nothing."""
    stored = [arrival for arrival in arrivals.lines.values() if arrival.quantity > arrival.docked]
    lines = [PutAwayLine(arrival.sku, arrival.quantity - arrival.docked, arrival.lot) for arrival in stored]
    for line in lines:
        account.note("put_away", line.quantity, line.sku, arrivals.location)
    if lines:
        fulfillment_id = derive_id("F-", account.cause.name, arrivals.location, "put_away")
        account.publish(PutAway(fulfillment_id, arrivals.receipt_id, arrivals.location, arrivals.dock_door, lines))
