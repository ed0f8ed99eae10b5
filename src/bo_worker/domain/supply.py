"""What is on its way: purchase orders, and the units that their lines still bring."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

UNKNOWN: Final = "unknown"
COUNTED: Final = frozenset({"confirmed", "in_transit"})
ENDED: Final = frozenset({"cancelled", "closed"})


@dataclass(slots=True, eq=False)
class SupplyLine:
    """Units of one SKU that one line of a purchase order brings to its location.

    `expected_from` and `expected_to` are the supplier's word, `due_on` is the earliest `expected_to` that was its
    word while the units counted: lateness is measured from there. `promised_on` is the day on which we rely.
    `is_overdue` says that this day passed and nothing came. What came for a line that the purchase order does not
    have, or not yet, is kept with a `quantity` of 0.
    """

    purchase_order_id: str
    line_id: str
    sku: str
    supplier_id: str
    location: str
    status: str
    quantity: int = 0
    received: int = 0
    expected_from: date = date.max
    expected_to: date = date.max
    due_on: date = date.max
    promised_on: date = date.max
    last_received_on: date | None = None
    is_overdue: bool = False
    is_new: bool = True
    is_changed: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what tells the line from any other."""
        return (self.purchase_order_id, self.line_id, self.sku)

    @property
    def open(self) -> int:
        """Return the units that have not come; none where more came than was ordered."""
        return max(0, self.quantity - self.received)

    @property
    def incoming(self) -> int:
        """Return the units that are counted on."""
        return self.open if self.status in COUNTED and not self.is_overdue else 0

    def receive(self, quantity: int, on: date) -> None:
        """Count units that came; who is late but delivers is counted on again."""
        self.received += quantity
        self.last_received_on = max(on, self.last_received_on or on)
        self.is_overdue = False
        self.is_changed = True


@dataclass(slots=True, eq=False)
class PurchaseOrder:
    """A purchase order in its latest version; its lines by line id and SKU. Version -1: not announced yet."""

    purchase_order_id: str
    version: int = -1
    digest: bytes = b""
    supplier_id: str = ""
    location: str = ""
    status: str = UNKNOWN
    lines: dict[tuple[str, str], SupplyLine] = field(default_factory=dict)
    is_new: bool = True
    is_changed: bool = False

    def line(self, line_id: str, sku: str) -> SupplyLine:
        """Return a line, a new one that orders nothing where there is none."""
        found = self.lines.get((line_id, sku))
        if found is None:
            found = SupplyLine(
                self.purchase_order_id, line_id, sku, self.supplier_id, self.location or "", self.status
            )
            self.lines[line_id, sku] = found
        return found

    def receive(self, line_id: str | None, sku: str, quantity: int, on: date) -> list[SupplyLine]:
        """Count units that came against the line that is named, else against the lines of the SKU, earliest first.

        What no line is open for counts as delivered over, on the last of them. Return the lines that changed.
        """
        if line_id is not None:
            touched = [(self.line(line_id, sku), quantity)]
        else:
            touched = _spread(self.lines_of(sku), quantity) or [(self.line("", sku), quantity)]
        for line, part in touched:
            line.receive(part, on)
        self.is_changed = True
        return [line for line, _ in touched]

    def lines_of(self, sku: str) -> list[SupplyLine]:
        """Return the lines that order a SKU, earliest first."""
        lines = [line for line in self.lines.values() if line.sku == sku and line.quantity]
        return sorted(lines, key=lambda line: (line.expected_to, line.expected_from, line.line_id))


def _spread(lines: list[SupplyLine], quantity: int) -> list[tuple[SupplyLine, int]]:
    spread = []
    for line in lines:
        part = min(quantity, line.open)
        if part:
            spread.append((line, part))
            quantity -= part
    if quantity and lines:
        spread.append((lines[-1], quantity))
    return spread


def incoming(lines: Iterable[SupplyLine]) -> int:
    """Return the units that are counted on."""
    return sum([line.incoming for line in lines])


@dataclass(slots=True, frozen=True)
class Delivery:
    """A purchase order line that ended: when it was due by the supplier's word, and when its last units came."""

    purchase_order_id: str
    line_id: str
    sku: str
    supplier_id: str
    due_on: date
    received_on: date
