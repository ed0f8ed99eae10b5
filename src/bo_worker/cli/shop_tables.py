"""The report of a shop as tables: what each figure is called, what it means, and how it is written."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from bo_worker.store.shop import AGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bo_worker.store.reports import Report

SHARES: Final = {"fill_rate", "backorder_rate", "rejection_rate", "share", "share_held", "level"}
_FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r")
_SERVICE: Final = ("of", "asked", "served", "waited", "rejected", "fill_rate", "backorder_rate", "rejection_rate")
_PROMISES: Final = ("level", "made", "open", "held", "broken", "withdrawn", "judged", "share_held", "mean_days_late")
_MONTHS: Final = (
    "month", "orders", "served", "waited", "rejected", "fill_rate", "backorder_rate", "rejection_rate", "waiting",
)  # fmt: skip
_PROMISED: Final = ("month", "level", "judged", "held", "share_held", "mean_days_late")
# How many columns name a row; one where nothing is said.
_NAMING: Final = {"intake": 0, "waiting": 0, "fill_time": 0, "dock": 0, "promises_by_month": 2, "value_by_month": 2}
_OLDEST: Final = ("rank", "order_id", "line_id", "sku", "units", "since", "days")
# Section, title, columns, and what the figures mean.
_KINDS: Final = (
    ("intake", "Taken in", ("orders", "lines", "units", "units_cancelled_before"),
     "Orders received in the period. units_cancelled_before: given up before their order came."),
    ("service", "Demand and what became of it at once", _SERVICE,
     ("served: all of it claimed from stock when the order was taken in. waited: some of it began to wait."
      " rejected: not sold. Each rate is of what was asked for.")),
    ("days", "Day by day", ("day", "orders", "served", "waited", "rejected", "waiting"),
     "Units by the day of their order (UTC). waiting: units that waited at the end of the day."),
    ("months", "Month by month", _MONTHS,
     "The same by month, with the rates of units. waiting: at the end of the month or of the period."),
    ("given_up", "Given up while waiting, by month", ("month", *AGES),
     "Units that customers gave up, by the month in which they did and the time since their order was taken in."),
    ("promises_by_month", "Promises kept, by month", _PROMISED,
     "Promises by the month of the first day that was told, once that has passed. Who gave up before is left out."),
    ("value_by_month", "Value of what waited, by month", ("month", "currency", "units", "value"),
     "Unit price times units that waited at the end of the month or of the period, per currency; known prices only."),
    ("waiting", "Waiting now", ("units", "lines", "orders", "products"),
     "Units that wait for stock at the time of the report, and on how many lines, orders and products."),
    ("ages", "How long units waited", ("age", "waiting", "filled", "cancelled"),
     ("Units by the time since their order was taken in: those that wait now; those that got stock in the period;"
      " those that customers gave up in the period while they waited.")),
    ("oldest", "The oldest waits", _OLDEST,
     "The lines that have waited longest, in completed days."),
    ("fill_time", "From order to fill", ("units", "median_days", "p90_days"),
     ("Units that waited and got stock in the period; half of them, and nine in ten, did within so many days of the"
      " order. Units that still wait are not in it.")),
    ("promises", "Promises kept", _PROMISES,
     "All promises until today, whatever the period. share_held: of those whose day has passed."),
    ("unmet", "Unmet demand", ("refused_by", "units", "lines", "orders"),
     ("Units rejected in the period. ship_complete: an order of several lines was not served whole; line: it was"
      " not to wait; product: its policy or state let no line wait.")),
    ("unmet_products", "Unmet demand by product", ("sku", "units", "lines"),
     "The products of which most units were rejected in the period."),
    ("value", "Value of what waits", ("currency", "units", "value"),
     "Unit price times units that wait now, exact, per currency. Without currency: units whose price is not known."),
    ("dock", "Cross-docking", ("received", "cross_docked", "share"),
     "Usable units of receipts in the period, and those that went from the dock to orders."),
)  # fmt: skip


class Section(NamedTuple):
    """Figures of one kind: a table with a sentence on what they mean. Values are as the report has them."""

    name: str
    title: str
    columns: tuple[str, ...]
    meaning: str
    rows: list[list[Any]]


def sections(report: Report) -> list[Section]:
    """Return all sections of a report, those without rows too."""
    return [
        Section(name, title, columns, meaning, [[row[column] for column in columns] for row in _rows(report, name)])
        for name, title, columns, meaning in _KINDS
    ]


def csv_text(report: Report) -> str:
    """Return the report as CSV, one figure per row: section, the name of the row where it has several, figure, value.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("section", "row", "figure", "value"))
    for name in ("from", "to", "at"):
        writer.writerow(("report", "", name, plain(report[name])))
    for section in sections(report):
        for row in section.rows:
            writer.writerows(map(_harmless, _figures(section, row)))
    return text.getvalue()


def shown(column: str, value: Any) -> str:
    """Return a value as people read it; - where there is none."""
    if value is None or value == "":
        return "-"
    if column in SHARES:
        return f"{value:.1%}".replace("%", " %")
    return f"{value:,}" if type(value) is int else plain(value)


def plain(value: Any) -> str:
    """Return a value as programs read it: instants as RFC 3339 in UTC, nothing for None."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{value:%Y-%m-%dT%H:%M:%SZ}"
        case _:
            return str(value)


def _rows(report: Report, name: str) -> list[Report]:
    found = report[name]
    rows = found if isinstance(found, list) else [found]
    if name == "oldest":
        return [{"rank": rank, **row} for rank, row in enumerate(rows, 1)]
    return rows


def _figures(section: Section, row: Sequence[Any]) -> Iterable[tuple[str, str, str, Any]]:
    first = _NAMING.get(section.name, 1)
    name = " ".join(map(plain, row[:first]))
    for column, value in zip(section.columns[first:], row[first:], strict=True):
        yield section.name, name, column, plain(value)


def _harmless(cells: Iterable[str]) -> list[str]:
    return [f"'{cell}" if cell.startswith(_FORMULA_STARTS) else cell for cell in cells]
