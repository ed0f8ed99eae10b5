"""Answers on standard output: tables for people at a terminal, plain columns for pipes, JSON for programs."""

from __future__ import annotations

import logging
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.observability.logs import configure_logging

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bo_worker.config import Settings

_WAIT_MAX_S = 10.0


def print_json(value: Any) -> None:
    """Print JSON, indented; instants as RFC 3339 in UTC."""
    sys.stdout.write(dump_json(value).decode())


def dump_json(value: Any) -> bytes:
    """Return the same as bytes."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE
    return orjson.dumps(value, default=str, option=options)


def print_line(text: str) -> None:
    """Print one line."""
    sys.stdout.write(f"{text}\n")


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table, or nothing where there are no rows. Numbers stand on the right."""
    found = list(rows)
    if not found:
        return
    numeric = [all(type(row[index]) is int for row in found) for index in range(len(columns))]
    cells = [[_text(value) for value in row] for row in found]
    if sys.stdout.isatty():
        _print_rich(title, columns, cells, numeric)
    else:
        _print_plain(title, columns, cells, numeric)


def quiet_logs() -> None:
    """Let a command speak for itself: of logs only warnings of our own, on standard error."""
    configure_logging("console", "warning")
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)


def wait_s(settings: Settings) -> float:
    """Return how long a command tries to reach a server while a person waits for it."""
    return min(settings.startup_wait_s, _WAIT_MAX_S)


def _text(value: Any) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S")
        case _:
            return str(value)


def _print_rich(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], numeric: Sequence[bool]) -> None:
    from rich.console import Console  # noqa: PLC0415 - a pipe does without it
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table(title=title, title_justify="left")
    for column, is_number in zip(columns, numeric, strict=True):
        table.add_column(column, justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*map(Text, row))
    Console().print(table)


def _print_plain(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> None:
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    print_line(title)
    for row in (columns, *rows):
        cells = [
            cell.rjust(width) if is_number else cell.ljust(width)
            for cell, width, is_number in zip(row, widths, numeric, strict=True)
        ]
        print_line("  ".join(cells).rstrip())
