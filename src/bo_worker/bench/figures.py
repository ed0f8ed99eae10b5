"""What a benchmark found: figures with their goals, on which machine, as a table or as JSON."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(slots=True, frozen=True)
class Figure:
    """One number of one scenario; a goal is a bound, where there is one."""

    scenario: str
    name: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None without one."""
        if self.at_least is None and self.at_most is None:
            return None
        return (self.at_least is None or self.value >= self.at_least) and (
            self.at_most is None or self.value <= self.at_most
        )


def table(figures: Iterable[Figure]) -> Table:
    """Return the figures as a table, one section per scenario."""
    shown = Table("scenario", "figure", title="bo-worker benchmark", title_justify="left")
    for heading in ("found", "goal"):
        shown.add_column(heading, justify="right")
    scenario = None
    for figure in figures:
        if scenario not in {None, figure.scenario}:
            shown.add_section()
        first = "" if figure.scenario == scenario else figure.scenario
        shown.add_row(first, figure.name, f"{_number(figure.value)} {figure.unit}", _goal(figure))
        scenario = figure.scenario
    return shown


def write_json(path: Path, machine: Sequence[str], settings: dict[str, Any], figures: Sequence[Figure]) -> None:
    """Write everything that was found, and under which circumstances."""
    found = [asdict(figure) | {"is_met": figure.is_met} for figure in figures]
    content = {"machine": list(machine), "settings": settings, "figures": found}
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def machine() -> list[str]:
    """Return what one must know of a machine to compare its figures."""
    packages = ("bo-worker", "aiokafka", "asyncpg", "pydantic", "uvloop")
    versions = [f"{name} {version}" for name in packages if (version := _version(name))]
    return [
        f"{os.cpu_count()} cores, {_processor()}, {platform.system()} {platform.release()}",
        f"load average {', '.join(f'{load:.1f}' for load in os.getloadavg())} before the start",
        f"{platform.python_implementation()} {platform.python_version()}, {', '.join(versions)}",
    ]


def _number(value: float) -> str:
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def _goal(figure: Figure) -> str:
    if figure.is_met is None:
        return ""
    sign, bound = ("≥", figure.at_least) if figure.at_least is not None else ("≤", figure.at_most)
    color = "green" if figure.is_met else "red"
    return f"[{color}]{sign} {_number(bound or 0)} {'✓' if figure.is_met else '✗'}[/]"


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()
