"""The report of a shop: how well demand was met in a period, and what waits now. Keys of the answer are stable."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.store.database import PATIENCE_S
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.store.reports import Report

PERIOD_DAYS: Final = 30
OLDEST_MAX: Final = 10
PRODUCTS_MAX: Final = 10
AGES: Final = ("under 1 day", "1 to 7 days", "8 to 30 days", "over 30 days")
_STATES: Final = ("waiting", "filled", "cancelled")
_SCOPES: Final = ("units", "lines", "orders")


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC, both counted in."""

    first: date
    last: date

    @classmethod
    def until(cls, last: date) -> Period:
        """Return the usual period that ends with a day."""
        return cls(last - timedelta(days=PERIOD_DAYS - 1), last)

    @property
    def instants(self) -> tuple[datetime, datetime]:
        """The instant at which it begins, and the one before which it ends."""
        begin, end = (datetime.combine(day, time(), UTC) for day in (self.first, self.last))
        return begin, end + timedelta(days=1)


async def report_shop(connection: asyncpg.Connection, period: Period, now: datetime) -> Report:
    """Return the figures of a period, of what waits `now`, and of all promises until now; of one snapshot.

    Shares are of 1, rounded to 4 decimals, and None where there is nothing to share. Ages and times are in days.
    """
    spans = period.instants
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute(QUERIES["allow_any_plan"])
        await connection.execute(QUERIES["allow_long_report"])
        demand = await _fetch(connection, "report_demand", *spans)
        backlog = await _fetch(connection, "report_backlog", *spans)
        (waiting,) = await _fetch(connection, "report_waiting")
        (fill_time,) = await _fetch(connection, "report_fill_time", *spans)
        (dock,) = await _fetch(connection, "report_dock", *spans)
        given_up = await _fetch(connection, "report_given_up", *spans)
        today = now.astimezone(UTC).date()
        promised = await _fetch(connection, "report_promises_by_month", period.first, period.last, today)
        days = [_day(day, end) for day, end in zip(demand, backlog, strict=True)]
        return {
            "from": period.first,
            "to": period.last,
            "at": now,
            "intake": _intake(demand),
            "service": [_service(demand, scope) for scope in _SCOPES],
            "days": days,
            "months": by_month(days),
            "given_up": _given_up(days, given_up),
            "promises_by_month": [_monthly(row) for row in promised],
            "value_by_month": [_monthly(row) for row in await _fetch(connection, "report_value_by_month", *spans)],
            "waiting": waiting,
            "ages": _ages(await _fetch(connection, "report_ages", *spans, now)),
            "oldest": await _fetch(connection, "report_oldest", now, OLDEST_MAX),
            "fill_time": fill_time,
            "promises": await _fetch(connection, "report_promises", today),
            "unmet": await _fetch(connection, "report_unmet", *spans),
            "unmet_products": await _fetch(connection, "report_unmet_products", *spans, PRODUCTS_MAX),
            "value": await _fetch(connection, "report_value"),
            "dock": dock | {"share": share(dock["cross_docked"], dock["received"])},
        }


def share(part: int, whole: int) -> float | None:
    """Return a part of a whole as a share of 1, rounded to 4 decimals; None of nothing."""
    return round(part / whole, 4) if whole else None


async def _fetch(connection: asyncpg.Connection, query: str, *arguments: Any) -> list[Report]:
    return [dict(row) for row in await connection.fetch(QUERIES[query], *arguments, timeout=PATIENCE_S)]


def _intake(demand: list[Report]) -> Report:
    intake = {scope: _sum(demand, scope) for scope in ("orders", "lines", "units")}
    asked = sum(_sum(demand, f"units_{part}") for part in ("served", "waited", "rejected"))
    return intake | {"units_cancelled_before": intake["units"] - asked}


def _service(demand: list[Report], scope: str) -> Report:
    served, waited, rejected = (_sum(demand, f"{scope}_{part}") for part in ("served", "waited", "rejected"))
    # An order may have units that wait and others that are rejected; of a line, or a unit, only one holds.
    asked = _sum(demand, "orders_asked") if scope == "orders" else served + waited + rejected
    return {
        "of": scope,
        "asked": asked,
        "served": served,
        "waited": waited,
        "rejected": rejected,
        "fill_rate": share(served, asked),
        "backorder_rate": share(waited, asked),
        "rejection_rate": share(rejected, asked),
    }


def _day(demand: Report, backlog: Report) -> Report:
    return {
        "day": demand["day"],
        "orders": demand["orders"],
        "served": demand["units_served"],
        "waited": demand["units_waited"],
        "rejected": demand["units_rejected"],
        "waiting": backlog["waiting"],
    }


def by_month(days: list[Report]) -> list[Report]:
    """Return the sums of the days by month; what waited is that of the last day."""
    months: dict[str, list[Report]] = {}
    for day in days:
        months.setdefault(_month(day["day"]), []).append(day)
    return [_month_of(month, some) for month, some in months.items()]


def _month_of(month: str, days: list[Report]) -> Report:
    sums = {name: _sum(days, name) for name in ("orders", "served", "waited", "rejected")}
    asked = sums["served"] + sums["waited"] + sums["rejected"]
    return {
        "month": month,
        **sums,
        "fill_rate": share(sums["served"], asked),
        "backorder_rate": share(sums["waited"], asked),
        "rejection_rate": share(sums["rejected"], asked),
        "waiting": days[-1]["waiting"],
    }


def _given_up(days: list[Report], found: list[Report]) -> list[Report]:
    units = {(_month(row["month"]), row["age"]): row["units"] for row in found}
    months = dict.fromkeys(_month(day["day"]) for day in days)
    return [
        {"month": month} | {name: units.get((month, age), 0) for age, name in enumerate(AGES)} for month in months
    ]


def _monthly(row: Report) -> Report:
    return row | {"month": _month(row["month"])}


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _ages(found: list[Report]) -> list[Report]:
    units = {(row["state"], row["age"]): row["units"] for row in found}
    return [{"age": name} | {state: units.get((state, age), 0) for state in _STATES} for age, name in enumerate(AGES)]


def _sum(rows: list[Report], name: str) -> int:
    return sum(row[name] for row in rows)
