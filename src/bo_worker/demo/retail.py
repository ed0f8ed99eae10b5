"""The real orders that the demonstration plays, and the few changes made to show every way to be served."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from importlib import resources
from itertools import count, islice
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PINNED_TO = "SOUTH"
EXPRESS_PRIORITY = 5
# Every so manieth order is changed; primes, so that the changes also meet on one order.
EXPRESS_EVERY, SHIP_COMPLETE_EVERY, NO_BACKORDER_EVERY, PINNED_EVERY = 11, 13, 17, 19
ROUND_DAYS = 2
FIRST_DAY = date(2010, 12, 1)


@dataclass(frozen=True, slots=True)
class RetailLine:
    """An article with the units and the price of one unit in GBP."""

    sku: str
    quantity: int
    price: str


@dataclass(frozen=True, slots=True)
class RetailOrder:
    """An order as the shop took it, and how it is to be served."""

    order_id: str
    placed_at: datetime
    customer_id: str
    lines: tuple[RetailLine, ...]
    priority: int = 0
    ship_complete: bool = False
    backorder: str | None = None
    location: str | None = None

    @property
    def units(self) -> int:
        """Units over all lines."""
        return sum(line.quantity for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """The data of its `order-created`."""
        return {
            "order_id": self.order_id,
            "placed_at": self.placed_at,
            "customer": {"customer_id": self.customer_id},
            "priority": self.priority,
            "ship_complete": self.ship_complete,
            "lines": [self._line(number, line) for number, line in enumerate(self.lines, 1)],
        }

    def _line(self, number: int, line: RetailLine) -> dict[str, Any]:
        return {
            "line_id": str(number),
            "sku": line.sku,
            "quantity": line.quantity,
            "unit_price": {"amount": line.price, "currency": "GBP"},
            "backorder": self.backorder,
            "location": self.location,
        }


def load_orders() -> list[RetailOrder]:
    """Every order of the package's sample, in the order in which they were placed, unchanged."""
    lines = resources.files(__package__).joinpath("online_retail.jsonl").read_bytes().splitlines()
    return [_order(orjson.loads(line)) for line in lines]


def changed_orders() -> Iterator[RetailOrder]:
    """The orders with our changes, without end: when the sample is used up it begins again, two days later."""
    sample = load_orders()
    for round_number in count():
        for index, order in enumerate(sample, round_number * len(sample)):
            yield _change(_in_round(order, round_number), index)


def take(orders: Iterator[RetailOrder], number: int) -> list[RetailOrder]:
    """The next orders."""
    return list(islice(orders, number))


def move_to(first_day: date, orders: Sequence[RetailOrder]) -> list[RetailOrder]:
    """The same orders at the same times of the day, the first day of the sample being another one."""
    later = first_day - FIRST_DAY
    return [replace(order, placed_at=order.placed_at + later) for order in orders]


def _order(data: dict[str, Any]) -> RetailOrder:
    lines = tuple(RetailLine(*line) for line in data["lines"])
    return RetailOrder(data["order_id"], datetime.fromisoformat(data["placed_at"]), data["customer_id"], lines)


def _in_round(order: RetailOrder, round_number: int) -> RetailOrder:
    if not round_number:
        return order
    later = timedelta(days=ROUND_DAYS * round_number)
    return replace(order, order_id=f"{order.order_id}.{round_number + 1}", placed_at=order.placed_at + later)


def _change(order: RetailOrder, index: int) -> RetailOrder:
    return replace(
        order,
        priority=EXPRESS_PRIORITY if index % EXPRESS_EVERY == 5 else 0,
        ship_complete=index % SHIP_COMPLETE_EVERY == 7,
        backorder="deny" if index % NO_BACKORDER_EVERY == 9 else None,
        location=PINNED_TO if index % PINNED_EVERY == 3 else None,
    )
