"""`report`: how well the worker did, in numbers."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from bo_worker.cli.output import print_json, print_line, print_table, quiet_logs, wait_s
from bo_worker.store.database import reach
from bo_worker.store.reports import report_promises

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.store.reports import Report

_PROMISES = (
    "level", "made", "open", "held", "broken", "withdrawn", "judged", "share_held", "mean_days_late",
    "worst_days_late", "moves_per_promise",
)  # fmt: skip


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


async def _ask_promises(settings: Settings, today: date) -> list[Report]:
    connection = await reach(settings, "report", wait_s(settings))
    try:
        return await report_promises(connection, today)
    finally:
        await connection.close()
