"""`year`: a year of a shop, and the report of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bo_worker.cli.output import print_line, quiet_logs
from bo_worker.cli.process import calm_collector, loop_factory
from bo_worker.cli.reporting import print_shop
from bo_worker.year import run
from bo_worker.year.program import Plan

if TYPE_CHECKING:
    from datetime import date, datetime
    from pathlib import Path

    from bo_worker.config import Settings


def run_year(days: int, seed: int, orders_per_day: float | None, file: Path | None) -> int:
    """Play a year and print its report, as a page if there is a file for it; return the exit code."""
    quiet_logs()

    def finish(settings: Settings, first: date, now: datetime) -> None:
        began = time.monotonic()
        if file is not None:
            print_shop(settings, first, now.date(), "table", file, now)
        print_shop(settings, first, now.date(), "table", None, now)
        print_line(f"Every day of the year held. The report took {time.monotonic() - began:.1f} s.")

    calm_collector()
    return run(Plan(days, seed, orders_per_day), finish, loop_factory())
