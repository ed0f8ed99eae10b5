"""The purchase orders behind the receipts: what suppliers say, how late they are, and what they put off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bo_worker.demo.supply import Receipt

# One of the suppliers comes when it says, the other up to some days later.
PROMPT, TARDY = "SUP-PROMPT", "SUP-TARDY"
SUPPLIERS = {"NORTH": PROMPT, "SOUTH": TARDY}
TARDY_DAYS_MAX = 3
PUT_OFF_DAYS = 5  # more than was expected of it anyway, so customers hear of it
CONFIRMED_VERSION, PUT_OFF_VERSION, IN_TRANSIT_VERSION = 1, 2, 3
TRANSIT_ORDERS_MIN, TRANSIT_SHARE = 8, 6  # a truck leaves a sixth of the orders before it arrives, or some more


class Purchase(NamedTuple):
    """A version of the purchase order of a receipt, known after a number of the orders were placed."""

    after_orders: int
    updated_at: datetime
    version: int
    status: str
    receipt: Receipt
    put_off_days: int = 0

    @property
    def purchase_order_id(self) -> str:
        """Its id."""
        return self.receipt.purchase_order_id

    def as_data(self) -> dict[str, Any]:
        """The data of its `purchase-order-updated`."""
        return {
            "purchase_order_id": self.purchase_order_id,
            "version": self.version,
            "supplier_id": SUPPLIERS[self.receipt.location],
            "location": self.receipt.location,
            "updated_at": self.updated_at,
            "status": self.status,
            "lines": [self._line(line) for line in self.receipt.lines if line["quantity"]],
        }

    def _line(self, line: dict[str, Any]) -> dict[str, Any]:
        day = self._word(line["sku"]) + timedelta(days=self.put_off_days)
        return {
            "line_id": line["purchase_order_line_id"],
            "sku": line["sku"],
            "quantity": line["quantity"],
            "expected_from": day.isoformat(),
            "expected_to": day.isoformat(),
        }

    def _word(self, sku: str) -> date:
        """The day that the supplier gave first."""
        came_on = self.receipt.received_at.date()
        if SUPPLIERS[self.receipt.location] == PROMPT:
            return came_on
        mark = sku if self.receipt.is_opening else self.purchase_order_id
        return came_on - timedelta(days=crc32(mark.encode()) // 7 % (TARDY_DAYS_MAX + 1))


def delivered(receipts: Sequence[Receipt]) -> Iterator[Purchase]:
    """What brought the opening stock: from these deliveries it is known how late each supplier is."""
    for receipt in receipts:
        ordered_at = receipt.received_at - timedelta(days=14)
        yield Purchase(0, ordered_at, CONFIRMED_VERSION, "confirmed", receipt)


def expected(arrivals: Sequence[Receipt]) -> Iterator[Purchase]:
    """What the suppliers of the trucks confirmed before the first order."""
    for arrival in arrivals:
        ordered_at = arrivals[0].received_at - timedelta(days=7)
        yield Purchase(0, ordered_at, CONFIRMED_VERSION, "confirmed", arrival)


def changes(arrivals: Sequence[Receipt], order_count: int) -> Iterator[Purchase]:
    """What the suppliers say while orders come: one truck is put off, and each leaves some time before it arrives."""
    put_off = max((each for each in arrivals if SUPPLIERS[each.location] == TARDY), key=_turn, default=None)
    for arrival in arrivals:
        left_after = max(0, arrival.after_orders - max(TRANSIT_ORDERS_MIN, order_count // TRANSIT_SHARE))
        days = PUT_OFF_DAYS if arrival is put_off else 0
        if days:
            yield Purchase(left_after // 3, arrival.received_at, PUT_OFF_VERSION, "confirmed", arrival, days)
        yield Purchase(left_after, arrival.received_at, IN_TRANSIT_VERSION, "in_transit", arrival, days)


def _turn(arrival: Receipt) -> int:
    return arrival.after_orders
