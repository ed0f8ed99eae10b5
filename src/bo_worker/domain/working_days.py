"""Working days: what a deadline in business days is counted in."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

_SATURDAY = 5


def weekends(country: str | None, day: date) -> bool:
    """Tell whether nobody works on a day, where nothing is known of the country's holidays."""
    del country
    return day.weekday() >= _SATURDAY


def working_days_after(
    day: date, count: int, country: str | None = None, is_day_off: Callable[[str | None, date], bool] = weekends
) -> date:
    """Return the `count`-th working day after `day` in a country (ISO 3166-1, None: unknown)."""
    while count:
        day += timedelta(days=1)
        count -= not is_day_off(country, day)
    return day
