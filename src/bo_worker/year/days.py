"""Days that look like the real ones: orders drawn from the sample, as many as month and weekday bring."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import sqrt
from typing import TYPE_CHECKING, Final

from bo_worker.demo.retail import FIRST_DAY
from bo_worker.year.statistics import pooled_lines

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence
    from datetime import date

    from bo_worker.demo.retail import RetailOrder

# A shop for gifts: quiet in January, busy from September on, busiest before Christmas; few buy on a Saturday.
MONTHS: Final = (0.65, 0.65, 0.8, 0.75, 0.85, 0.8, 0.8, 0.75, 1.1, 1.25, 1.7, 1.9)
WEEKDAYS: Final = (1.1, 1.2, 1.2, 1.2, 1.1, 0.4, 0.8)
# Half of the orders are real ones whole; the others have the size of one and lines of any.
_WHOLE_SHARE: Final = 0.5


class Days:
    """Gives the orders of each day, the real ones on the days on which they were placed.

    `orders_per_day` is the mean over a year. The same generator state gives the same days.
    """

    def __init__(self, sample: Sequence[RetailOrder], choice: random.Random, orders_per_day: float) -> None:
        self._sample = sample
        self._pool = pooled_lines(sample)
        self._choice = choice
        self._orders_per_day = orders_per_day

    def orders(self, day: date) -> list[RetailOrder]:
        """Return the orders of a day in the order in which they are placed; days must be asked for in order."""
        real = [order for order in self._sample if order.placed_at.date() == day]
        if real:
            return real
        mean = self._orders_per_day * busyness(day)
        count = max(1, round(self._choice.gauss(mean, sqrt(mean))))
        drawn = sorted((self._draw(day) for _ in range(count)), key=lambda order: order.placed_at)
        return [replace(order, order_id=f"Y{day:%y%m%d}-{number:04d}") for number, order in enumerate(drawn, 1)]

    def _draw(self, day: date) -> RetailOrder:
        order = self._choice.choice(self._sample)
        placed_at = order.placed_at + (day - order.placed_at.date())
        if self._choice.random() < _WHOLE_SHARE:
            return replace(order, placed_at=placed_at)
        lines = tuple(self._choice.choice(self._pool) for _ in order.lines)
        return replace(order, placed_at=placed_at, lines=lines)


def busyness(day: date) -> float:
    """Return how many orders a day brings, as a multiple of the mean of a year."""
    month = MONTHS[day.month - 1] * len(MONTHS) / sum(MONTHS)
    return month * WEEKDAYS[day.weekday()] * len(WEEKDAYS) / sum(WEEKDAYS)


def days_from(count: int, first: date = FIRST_DAY) -> list[date]:
    """Return so many days, by default from that of the first real order on."""
    return [first + timedelta(days=number) for number in range(count)]
