"""The picture of the stage: one panel that fits a terminal of 80 by 24 and uses a larger one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from bo_worker.demo.tally import DEAD_LETTERS
from bo_worker.messages.inbound import INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult

    from bo_worker.demo.stage import Stage

LINES_WITHOUT_HAPPENINGS = 21  # one of them below the panel, for the cursor
HAPPENINGS_MAX = 16


@dataclass(frozen=True, slots=True)
class Shares:
    """A bar of the full width, cut in proportion to its parts."""

    parts: Sequence[tuple[int, str]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it."""
        parts = self.parts if any(number for number, _ in self.parts) else [(1, "bright_black")]
        total = sum(number for number, _ in parts)
        drawn, so_far = 0, 0
        for number, style in parts:
            so_far += number
            end = round(so_far * options.max_width / total)
            yield Segment("█" * (end - drawn), console.get_style(style))
            drawn = end
        yield Segment.line()


def board(stage: Stage, height: int) -> RenderableType:
    """Draw the stage for a terminal of that many lines."""
    room = max(0, min(HAPPENINGS_MAX, height - LINES_WITHOUT_HAPPENINGS))
    happenings = [*stage.happenings.last(room)]
    ticker = [_cut(line) for line in happenings] + [Text()] * (room - len(happenings))
    return Panel(
        Group(_progress(stage), Text(), _demand(stage), Text(), _columns(stage), Text(), *ticker),
        title="[bold]bo-worker[/] [dim]real Kafka, real Postgres, real orders[/]",
        title_align="left",
        subtitle=_shop_clock(stage),
        subtitle_align="right",
        border_style="blue",
        padding=(0, 1),
    )


def status_line(stage: Stage) -> str:
    """The stage in one line, where there is no terminal to draw on."""
    figures, tally = stage.figures, stage.tally
    return (
        f"{stage.sent:,}/{stage.total:,} sent; {figures.orders:,} orders, {figures.lines:,} lines, "
        f"{figures.fill_rate:.1%} filled, {figures.waiting:,} units wait, {figures.incoming:,} are on their way; "
        f"{tally.units['cross_dock']:,} cross-docked, {tally.units['ship']:,} from storage; "
        f"lag {stage.lag:,}, {stage.lines_per_s:,.0f} lines/s; worker {stage.worker_pid or 'killed'}"
    )


def _cut(line: Text) -> Text:
    line.no_wrap, line.overflow = True, "ellipsis"
    return line


def _shop_clock(stage: Stage) -> str | None:
    at = stage.tally.shop_time
    return f"[dim]the shop's clock:[/] {at:%a} {at.day} {at:%b %Y, %H:%M}" if at else None


def _progress(stage: Stage) -> RenderableType:
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_column(no_wrap=True, justify="right")
    row.add_column(no_wrap=True, justify="right")
    lamp = "red" if stage.worker_pid is None else "green"
    worker = Text.assemble(("● ", lamp), f"worker {stage.worker_pid or 'killed'}")
    bar = ProgressBar(total=max(1, stage.total), completed=stage.sent)
    row.add_row(Text(stage.act, "bold"), bar, f"{stage.sent:,}/{stage.total:,}", worker)
    return row


def _demand(stage: Stage) -> RenderableType:
    figures, units = stage.figures, stage.tally.units
    parts = [
        ("from storage", units["ship"], "green"),
        ("cross-docked", units["cross_dock"], "cyan"),
        ("held", figures.held, "magenta"),
        ("waiting", figures.waiting, "yellow"),
        ("rejected", figures.rejected, "red"),
    ]
    legend = Text("units: ", "dim")
    for name, _, style in parts:
        legend.append("█ ", style).append(f"{name}  ")
    return Group(Shares([(number, style) for _, number, style in parts]), _cut(legend))


def _columns(stage: Stage) -> RenderableType:
    grid = Table.grid(expand=True, padding=(0, 3, 0, 0), pad_edge=False)
    for ratio in (10, 10, 12):
        grid.add_column(ratio=ratio)
    grid.add_row(_orders(stage), _stock(stage), _stream(stage))
    return grid


def _orders(stage: Stage) -> RenderableType:
    figures = stage.figures
    return _figures(
        "Orders",
        ("orders", f"{figures.orders:,}"),
        ("lines", f"{figures.lines:,}"),
        ("units", f"{figures.ordered:,}"),
        ("fill rate", Text(f"{figures.fill_rate:.1%}", "bold green")),
        ("orders waiting", Text(f"{figures.waiting_orders:,}", "yellow")),
        ("lines waiting", Text(f"{figures.waiting_lines:,}", "yellow")),
        ("units waiting", Text(f"{figures.waiting:,}", "yellow")),
        ("lines with a day", f"{figures.dated_lines:,}"),
        ("lines rejected", Text(f"{figures.rejected_lines:,}", "red")),
    )


def _stock(stage: Stage) -> RenderableType:
    figures, units = stage.figures, stage.tally.units
    return _figures(
        "Units",
        ("on their way", f"{figures.incoming:,}"),
        ("received", f"{units['received']:,}"),
        ("cross-docked", Text(f"{units['cross_dock']:,}", "bold cyan")),
        ("put away", f"{units['put_away']:,}"),
        ("from storage", Text(f"{units['ship']:,}", "green")),
        ("on hand", f"{figures.on_hand:,}"),
        ("allocated", f"{figures.allocated:,}"),
        ("held", Text(f"{figures.held:,}", "magenta")),
        ("came damaged", f"{units['damaged']:,}"),
    )


def _stream(stage: Stage) -> RenderableType:
    messages, answer = stage.tally.messages, stage.tally.answer_ms
    return _figures(
        "Messages",
        ("messages in", f"{sum(messages[topic] for topic in INPUT_TOPICS):,}"),
        ("notifications out", f"{messages['customer-notification']:,}"),
        ("fulfillments out", f"{messages['fulfillment']:,}"),
        ("availabilities out", f"{messages['availability-changed']:,}"),
        ("days moved", f"{stage.figures.moves:,}"),
        ("dead letters", f"{messages[DEAD_LETTERS]:,}"),
        ("lag", Text(f"{stage.lag:,}", "bold red" if stage.lag > 50 else "")),
        ("lines/s", f"{stage.lines_per_s:,.0f}"),
        ("answer, median", f"{answer[0]:,.0f} ms" if answer else "-"),
    )


def _figures(title: str, *rows: tuple[str, str | Text]) -> RenderableType:
    table = Table.grid(expand=True)
    table.add_column(ratio=1, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_row(Text(title, "bold underline"), "")
    for label, value in rows:
        table.add_row(Text(label, "dim"), value)
    return table
