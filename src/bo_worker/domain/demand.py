"""What customers want: orders, their lines, and the claims that lines hold on stock.

A line's quantity is always the sum of its six buckets (R2): backordered, held, released, shipped, cancelled,
rejected. A claim is a part of `held` or `released` that lies at one location; one row per instruction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.domain.commands import Backorder, Price
    from bo_worker.domain.journal import Entry
    from bo_worker.domain.payment import OrderPayment

ANY_LOCATION = ""
# Before the pin of a line that must not be served; no id has it, so no stock lies there.
SUSPENDED = "!"
Rank = tuple[int, datetime, datetime, str, int]
NO_NEED = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, eq=False)
class Claim:
    """Units of one location that belong to one order line.

    `receipt_id` and `receipt_line` name the receipt that brought the units, if they were claimed on its dock;
    `fulfillment_id` names the instruction that released them, None while they are held. `pending_cause` names
    the unfinished cause that gave the units and is still to release them. `entry` is the journal's entry of a
    claim that was made just now.
    """

    number: int
    location: str
    held: int
    released: int = 0
    shipped: int = 0
    fulfillment_id: str | None = None
    lot: str | None = None
    receipt_id: str | None = None
    receipt_line: str | None = None
    pending_cause: str | None = None
    is_new: bool = True
    is_changed: bool = False
    entry: Entry | None = None


@dataclass(slots=True, eq=False)
class OrderLine:
    """One line of an order; `location` pins it to one location, None means any.

    While it is suspended, `location` is a place that does not exist: it keeps its rank, but nothing serves it.
    `expected_from` and `expected_to` are what a new line is promised while it waits. `is_promised` says that its
    customer was told a day, and that units wait, `is_drop_shipped` that its supplier sends them.
    `is_new` marks a line that is added to an order which exists; `stands_for` is the position of the line of which it
    took over the waiting units.
    """

    order: Order
    position: int
    line_id: str
    sku: str
    quantity: int
    location: str | None
    backorder: Backorder | None
    unit_price: Price | None
    backordered: int
    held: int = 0
    released: int = 0
    shipped: int = 0
    cancelled: int = 0
    rejected: int = 0
    claim_count: int = 0
    claims: list[Claim] = field(default_factory=list)
    is_changed: bool = False
    expected_from: date | None = None
    expected_to: date | None = None
    is_promised: bool = False
    is_drop_shipped: bool = False
    stands_for: int | None = None
    is_new: bool = False
    is_pin_changed: bool = False

    @property
    def is_suspended(self) -> bool:
        """Tell whether the line must not be served for now."""
        return self.location is not None and self.location.startswith(SUSPENDED)

    def suspend(self) -> None:
        """Let the line wait where nothing can come."""
        self.location = SUSPENDED + (self.location or ANY_LOCATION)
        self.is_changed = self.is_pin_changed = True

    def resume(self) -> None:
        """Let a suspended line wait where it waited before."""
        self.location = (self.location or ANY_LOCATION).removeprefix(SUSPENDED) or None
        self.is_changed = self.is_pin_changed = True


@dataclass(slots=True, eq=False)
class Order:
    """An order with the lines that were loaded: all of a new order, else at least every open line.

    Where its payment is followed, all lines are there, with their prices.
    `amended` holds, per field that an amendment set, the instant (RFC 3339 in UTC) and id of that amendment.
    `hold_until` is the last day on which what the order holds waits for the rest of it.
    """

    order_id: str
    placed_at: datetime
    customer: dict[str, str]
    priority: int
    ship_complete: bool
    need_by: datetime | None
    ship_to_country: str | None = None
    payment: OrderPayment | None = None
    digest: bytes = b""
    amended: dict[str, tuple[str, str]] = field(default_factory=dict)
    lines: list[OrderLine] = field(default_factory=list)
    hold_until: date | None = None
    is_new: bool = True
    is_changed: bool = False

    def is_waiting(self) -> bool:
        """Tell whether any unit of the order waits for stock."""
        for line in self.lines:  # noqa: SIM110 - a loop takes a third of the time, and every order comes here
            if line.backordered:
                return True
        return False

    def taken_over(self) -> dict[int, int]:
        """Return the units by position that other lines took over: cancelled, but not given up by the customer.

        The order must have been loaded whole.
        """
        units: dict[int, int] = {}
        for line in self.lines:
            if line.stands_for is not None:
                units[line.stands_for] = units.get(line.stands_for, 0) + line.quantity
        return units

    def holds_until(self, today: date, days_max: int) -> date | None:
        """Return until when what the order holds may wait for the rest of it, None where there is no reason to.

        Some of what waits must be promised by that day, at most `days_max` days from the first day of waiting on.
        """
        until = self.hold_until or today + timedelta(days=days_max)
        return until if days_max and today <= until and any(day <= until for day in self.days_to_come()) else None

    def days_to_come(self) -> list[date]:
        """Return the days for which units are promised that are still to come here."""
        return [
            line.expected_to
            for line in self.lines
            if line.backordered and line.expected_to is not None and not line.is_drop_shipped
        ]


def rank_by_placed_at(line: OrderLine) -> Rank:
    """Return the place of a waiting line in its queue, smallest first (R3)."""
    order = line.order
    return (-order.priority, order.placed_at, order.placed_at, order.order_id, line.position)


def rank_by_need_by(line: OrderLine) -> Rank:
    """Return the place of a waiting line where the earliest need goes first, none last (R3)."""
    order = line.order
    return (-order.priority, order.need_by or NO_NEED, order.placed_at, order.order_id, line.position)
