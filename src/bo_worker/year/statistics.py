"""What real orders are like: how many a day, how large, and which products in which quantities."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bo_worker.demo.retail import RetailLine, RetailOrder


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures of some orders. `popularity` is units of a SKU per order, over all orders; prices are in GBP."""

    orders: int
    days: int
    lines: int
    units: int
    median_lines: float
    median_quantity: float
    popularity: Mapping[str, float]
    prices: Mapping[str, str]

    @property
    def orders_per_day(self) -> float:
        """Orders on a day on which there were any."""
        return self.orders / self.days

    def daily_units(self, sku: str, orders_per_day: float) -> float:
        """Return how many units of a SKU a day asks for, on average."""
        return self.popularity[sku] * orders_per_day


def measure(orders: Sequence[RetailOrder]) -> Statistics:
    """Return the figures of some orders, at least one."""
    lines = pooled_lines(orders)
    units: Counter[str] = Counter()
    for line in lines:
        units[line.sku] += line.quantity
    return Statistics(
        orders=len(orders),
        days=len({order.placed_at.date() for order in orders}),
        lines=len(lines),
        units=units.total(),
        median_lines=median(len(order.lines) for order in orders),
        median_quantity=median(line.quantity for line in lines),
        popularity={sku: count / len(orders) for sku, count in sorted(units.items())},
        prices={line.sku: line.price for line in lines},
    )


def pooled_lines(orders: Sequence[RetailOrder]) -> list[RetailLine]:
    """Return the lines of all orders, in order: drawn from it, a line comes as often as it did."""
    return [line for order in orders for line in order.lines]
