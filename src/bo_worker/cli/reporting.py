"""`report`: how well the worker did, in numbers."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal

from bo_worker.cli.failures import CommandFailedError
from bo_worker.cli.output import print_json, print_line, print_table, quiet_logs, wait_s
from bo_worker.cli.shop_page import page
from bo_worker.cli.shop_tables import csv_text, sections, shown
from bo_worker.store.database import reach
from bo_worker.store.reports import report_promises
from bo_worker.store.shop import Period, report_shop

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.config import Settings
    from bo_worker.store.reports import Report

_PROMISES = (
    "level", "made", "open", "held", "broken", "withdrawn", "judged", "share_held", "mean_days_late",
    "worst_days_late", "moves_per_promise",
)  # fmt: skip

# A table of more days is left out; the months say enough, and all other forms have them.
_DAYS_SHOWN_MAX: Final = 62


def print_promises(settings: Settings, *, as_json: bool) -> None:
    """Print what came of the promises that customers were made, by the level at which they were to hold."""
    quiet_logs()
    today = datetime.now(UTC).date()
    levels = asyncio.run(_ask_promises(settings, today))
    if as_json:
        print_json({"today": today, "levels": levels})
        return
    if not levels:
        print_line("no customer was promised a day yet")
    print_table(f"Promises until {today}", _PROMISES, ([level[name] for name in _PROMISES] for level in levels))


def print_shop(
    settings: Settings,
    first: date | None,
    last: date | None,
    form: Literal["table", "json", "csv"],
    file: Path | None,
    at: datetime | None = None,
) -> None:
    """Print the report of a shop from the first to the last day, both counted in; by default of the last 30.

    With a file it is written there as a page; a table is then not printed. It is a report as of now, or of `at`.

    Raises:
        CommandFailedError: the file can't be written.
    """
    quiet_logs()
    now = at or datetime.now(UTC)
    usual = Period.until(last or max(now.date(), first or date.min))
    report = asyncio.run(_ask_shop(settings, Period(first or usual.first, usual.last), now))
    if file is not None:
        _write(file, page(report))
    if form == "json":
        print_json(report)
    elif form == "csv":
        sys.stdout.write(csv_text(report))
    elif file is None:
        _print_sections(report)
    else:
        print_line(f"wrote {file}")


def _print_sections(report: Report) -> None:
    print_line(f"From {report['from']} to {report['to']} (UTC), as of {report['at']:%Y-%m-%d %H:%M} UTC")
    for section in sections(report):
        if section.name == "days" and len(section.rows) > _DAYS_SHOWN_MAX:
            continue
        columns = [_column(name, [row[index] for row in section.rows]) for index, name in enumerate(section.columns)]
        print_table(section.title, section.columns, list(zip(*columns, strict=True)))


def _column(name: str, values: list[Any]) -> list[Any]:
    """Write a column for people. Numbers with decimals are made as wide as it, to stand on the right."""
    written = [value if type(value) is int else shown(name, value) for value in values]
    if not any(isinstance(value, float | Decimal) for value in values):
        return written
    width = max(len(name), *map(len, map(str, written)))
    return [str(value).rjust(width) for value in written]


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailedError(f"{file} can't be written: {error.strerror}") from error


async def _ask_shop(settings: Settings, period: Period, now: datetime) -> Report:
    connection = await reach(settings, "report", wait_s(settings))
    try:
        return await report_shop(connection, period, now)
    finally:
        await connection.close()


async def _ask_promises(settings: Settings, today: date) -> list[Report]:
    connection = await reach(settings, "report", wait_s(settings))
    try:
        return await report_promises(connection, today)
    finally:
        await connection.close()
