"""One line for each month while a year goes by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from rich.console import Console

    from bo_worker.year.shop import Shop

_COLUMNS: Final = (
    ("month", 7), ("orders", 7), ("units", 9), ("shipped", 9), ("purchases", 9), ("receipts", 8), ("cancelled", 9),
    ("waiting", 8), ("audits", 6), ("s/day", 6), ("s/audit", 7),
)  # fmt: skip


class MonthLines:
    """Prints a line when a month is over: what came in it, what waits at its end, and how long a day of it took."""

    def __init__(self, console: Console, shop: Shop) -> None:
        self._console = console
        self._shop = shop
        self._before: Counter[str] = Counter()
        self._month: date | None = None
        self._days = 0
        self._seconds = self._audit_s = 0.0
        self._print([name for name, _ in _COLUMNS])

    def add(self, day: date, seconds: float, audit_s: float) -> None:
        """Count a day that is over, and held."""
        if self._month and (day.year, day.month) != (self._month.year, self._month.month):
            self.end()
        self._month = day
        self._days += 1
        self._seconds += seconds
        self._audit_s += audit_s

    def end(self) -> None:
        """Print the month so far, if there was a day in it."""
        if self._month is None or not self._days:
            return
        now = self._counted()
        new = now - self._before
        figures = [new[name] for name in ("order-created", "units", "sent", "purchases", "inventory-received")]
        figures += [new["order-cancelled"], self._shop.customers.units_waiting, self._days]
        seconds = [f"{self._seconds / self._days:.2f}", f"{self._audit_s / self._days:.2f}"]
        self._print([f"{self._month:%Y-%m}", *(f"{figure:,}" for figure in figures), *seconds])
        self._before, self._days, self._seconds, self._audit_s = now, 0, 0.0, 0.0

    def _counted(self) -> Counter[str]:
        shop = self._shop
        own = {"units": shop.units_ordered, "sent": shop.warehouse.units_sent, "purchases": shop.buying.count}
        return Counter(shop.sent) + Counter(own)

    def _print(self, cells: list[str]) -> None:
        self._console.print("  ".join(cell.rjust(width) for cell, (_, width) in zip(cells, _COLUMNS, strict=True)))
