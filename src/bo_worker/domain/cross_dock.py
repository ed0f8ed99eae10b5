"""What may leave from the dock, and what is put away first although somebody waits for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

_LAST_INSTANT: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(slots=True, frozen=True)
class DockTerms:
    """Criteria of cross-docking; 0 is off. They never say who gets units, only by which way these leave.

    At most `orders_max` orders a receipt; at least the share `share_min` (0 to 1) of what a line waits for; an
    order that has a need_by between `hours_min` and `hours_max` hours after the arrival; lots that last for
    `shelf_days_min` days from the receipt on. `let_all_leave` says that every order may leave.
    """

    orders_max: int = 0
    share_min: float = 0.0
    hours_min: int = 0
    hours_max: int = 0
    shelf_days_min: int = 0
    let_all_leave: bool = field(init=False)

    def __post_init__(self) -> None:
        limits = (self.orders_max, self.share_min, self.hours_min, self.hours_max)
        object.__setattr__(self, "let_all_leave", not any(limits))  # Asked for every order that is served.

    def fits_share(self, quantity: int, waiting: int) -> bool:
        """Tell whether units are enough of those that a line waits for."""
        return quantity >= self.share_min * waiting

    def fits_hours(self, need_by: datetime | None, arrived_at: datetime) -> bool:
        """Tell whether an order leaves soon enough, and not too soon, after the goods came."""
        return need_by is None or self._fits(need_by, arrived_at, arrived_at)

    def may_fit_hours(self, need_by: datetime | None, first: date, last: date) -> bool:
        """Tell whether it would if the goods came at some instant between two days, both included (UTC)."""
        if need_by is None or not (self.hours_min or self.hours_max):
            return True
        # There is no day after 9999-12-31, which some give for a day that nobody knows.
        begin, end = (datetime.combine(day, time.min, UTC) for day in (first, last))
        return self._fits(need_by, begin, end + min(timedelta(days=1), _LAST_INSTANT - end))

    def fits_shelf(self, expires_on: date | None, received_on: date) -> bool:
        """Tell whether a lot lasts long enough."""
        if expires_on is None or not self.shelf_days_min:
            return True
        return (expires_on - received_on).days >= self.shelf_days_min

    def _fits(self, need_by: datetime, earliest: datetime, latest: datetime) -> bool:
        too_soon = self.hours_min and need_by - earliest < timedelta(hours=self.hours_min)
        too_late = self.hours_max and need_by - latest > timedelta(hours=self.hours_max)
        return not too_soon and not too_late
