"""Receipts that fit the orders: stock for much of the demand, trucks for most of the rest, nothing for some."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from bo_worker.demo.retail import RetailOrder

LOCATIONS = ("NORTH", "SOUTH")
DOCK_DOORS = 6
ORDERS_PER_TRUCK = 30
TRUCKS_MIN, TRUCKS_MAX = 2, 9
# Tenths of the articles, by a hash of the article: in full supply, half of it, none.
FULL_SUPPLY, HALF_SUPPLY = range(6), range(6, 8)
LAST_TENTH_NEVER_COMES_IN_FULL = 9


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods that arrive after a number of the orders were placed."""

    after_orders: int
    receipt_id: str
    location: str
    received_at: datetime
    dock_door: str
    purchase_order_id: str
    lines: tuple[dict[str, Any], ...]

    @property
    def is_opening(self) -> bool:
        """Whether it is in the warehouse before the first order."""
        return not self.after_orders

    def as_data(self) -> dict[str, Any]:
        """The data of its `inventory-received`."""
        return {
            "receipt_id": self.receipt_id,
            "location": self.location,
            "received_at": self.received_at,
            "dock_door": self.dock_door,
            "purchase_order_id": self.purchase_order_id,
            "lines": self.lines,
        }


def opening_receipts(orders: Sequence[RetailOrder], number: int) -> Iterator[Receipt]:
    """What is in the warehouses before the first of the orders, one receipt for each warehouse."""
    loads = {location: Counter[str]() for location in LOCATIONS}
    for sku, demand in _demand(orders).items():
        _stow(loads, sku, _opening_quantity(sku, demand))
    at = orders[0].placed_at - timedelta(hours=2)
    for location, load in loads.items():
        if lines := _receipt_lines(load):
            opening_id = f"{location}-{number}"
            yield Receipt(0, f"OPENING-{opening_id}", location, at, "D1", f"PO-{opening_id}", lines)


def trucks(orders: Sequence[RetailOrder], number: int) -> Iterator[Receipt]:
    """Trucks spread over the time of the orders, from warehouse to warehouse in turn."""
    truck_count = max(TRUCKS_MIN, min(TRUCKS_MAX, len(orders) // ORDERS_PER_TRUCK))
    loads = [Counter[str]() for _ in range(truck_count)]
    for sku, demand in _demand(orders).items():
        missing = demand - _opening_quantity(sku, demand)
        for turn, quantity in enumerate(_deliveries(sku, missing)):
            loads[(crc32(sku.encode()) // 10 + turn * (truck_count // 2)) % truck_count][sku] += quantity
    for index, load in enumerate(loads):
        after = (index + 1) * len(orders) // truck_count - len(orders) // (4 * truck_count)
        door = f"D{1 + index % DOCK_DOORS}"
        location = LOCATIONS[index % len(LOCATIONS)]
        at = orders[after - 1].placed_at
        if lines := _receipt_lines(load):
            truck_number = (number - 1) * TRUCKS_MAX + index + 1
            yield Receipt(after, f"TRUCK-{truck_number}", location, at, door, f"PO-{truck_number}", lines)


def still_to_come(orders: Sequence[RetailOrder], number: int) -> Iterator[Receipt]:
    """What arrives a week after all this: half of the articles of which the trucks do not bring enough."""
    load: Counter[str] = Counter()
    for sku, demand in _demand(orders).items():
        missing = demand - _opening_quantity(sku, demand)
        if _tenth(sku) == LAST_TENTH_NEVER_COMES_IN_FULL and crc32(sku.encode()) // 10 % 2:
            load[sku] += missing - sum(_deliveries(sku, missing))
    if lines := _receipt_lines(load):
        at = orders[-1].placed_at + timedelta(days=7)
        yield Receipt(len(orders), f"TRUCK-NEXT-{number}", LOCATIONS[-1], at, "D1", f"PO-NEXT-{number}", lines)


def _demand(orders: Iterable[RetailOrder]) -> Counter[str]:
    demand: Counter[str] = Counter()
    for order in orders:
        for line in order.lines:
            demand[line.sku] += line.quantity
    return demand


def _tenth(sku: str) -> int:
    return crc32(sku.encode()) % 10


def _opening_quantity(sku: str, demand: int) -> int:
    if _tenth(sku) in FULL_SUPPLY:
        return demand + demand // 8
    return demand // 2 if _tenth(sku) in HALF_SUPPLY else 0


def _deliveries(sku: str, missing: int) -> list[int]:
    """A little more than is missing, in one truck or two; of the last tenth of the articles not enough."""
    if missing <= 0:
        return []
    if _tenth(sku) in HALF_SUPPLY:
        return [missing + missing // 5 + 1]
    first = (missing + 1) // 2
    return [first] if _tenth(sku) == LAST_TENTH_NEVER_COMES_IN_FULL else [first, missing - first + missing // 4 + 1]


def _stow(loads: dict[str, Counter[str]], sku: str, quantity: int) -> None:
    """Some articles lie in both warehouses, most in one."""
    north, south = (loads[location] for location in LOCATIONS)
    match crc32(sku.encode()) % 3:
        case 0:
            north[sku] += quantity
        case 1:
            south[sku] += quantity
        case _:
            north[sku] += quantity // 2
            south[sku] += quantity - quantity // 2


def _receipt_lines(load: Counter[str]) -> tuple[dict[str, Any], ...]:
    arrived = ((sku, quantity) for sku, quantity in sorted(load.items()) if quantity)
    return tuple(_receipt_line(number, sku, quantity) for number, (sku, quantity) in enumerate(arrived, 1))


def _receipt_line(number: int, sku: str, quantity: int) -> dict[str, Any]:
    mark = crc32(sku.encode()) >> 8
    damaged = 1 + mark % 3 if mark % 9 == 0 else 0
    return {
        "line_id": str(number),
        "sku": sku,
        "quantity": quantity,
        "damaged_quantity": damaged,
        "lot": f"L{mark % 10_000:04}",
        "purchase_order_line_id": str(number),
    }
