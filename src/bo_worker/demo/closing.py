"""What is said at the end: the story, the audit, the summary, and what to try next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from bo_worker.demo.purchases import TARDY_DAYS_MAX
from bo_worker.demo.retail import (
    EXPRESS_EVERY,
    EXPRESS_PRIORITY,
    NO_BACKORDER_EVERY,
    PINNED_EVERY,
    PINNED_TO,
    SHIP_COMPLETE_EVERY,
)
from bo_worker.demo.story import moral, tell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from bo_worker.demo.checks import Finding
    from bo_worker.demo.figures import Promises
    from bo_worker.demo.seen import Seen
    from bo_worker.demo.stage import Stage
    from bo_worker.demo.tally import Outage
    from bo_worker.demo.worker_process import WorkerProcess


def print_opening(console: Console, order_count: int, sample_count: int) -> None:
    """Say what is real and what is not."""
    again = f" ({sample_count:,} of them, again and again with later dates)" if order_count > sample_count else ""
    console.rule("[bold]bo-worker: who gets what, when stock is short", align="left")
    console.print(
        f"\n[bold]Real:[/] Kafka, Postgres, the worker, and {order_count:,} orders of a British online shop{again}, "
        "with its customers (as numbers), times of the day, articles, quantities and prices. Source: Online Retail, "
        "UCI Machine Learning Repository, CC BY 4.0, doi 10.24432/C5BW33 (D. Chen).\n"
        "[bold]Added:[/] two warehouses, their opening stock and the trucks, made to fit the orders; purchase orders "
        f"for all of it, from a supplier that comes when it says and one that is up to {TARDY_DAYS_MAX} days late. "
        "Changed: the two days are today and tomorrow, every "
        f"{EXPRESS_EVERY}th order is express (priority {EXPRESS_PRIORITY}), every {SHIP_COMPLETE_EVERY}th ships only "
        f"complete, every {NO_BACKORDER_EVERY}th takes no backorder, every {PINNED_EVERY}th comes from {PINNED_TO} "
        "only; one order is sent twice, one is broken, and the worker is killed in the middle.\n"
    )


def print_story(console: Console, messages: Sequence[Seen], outage: Outage | None) -> None:
    """Tell the story, if there is one."""
    console.print()
    console.rule("[bold]The story of one backorder, in the messages of the topics", align="left")
    if not messages:
        console.print("In so short a run no order was served from the dock.")
        return
    console.print(tell(messages), f" {moral(messages, outage)}", sep="\n")


def print_findings(console: Console, findings: Iterable[Finding]) -> None:
    """Say what holds and what does not."""
    console.print()
    console.rule("[bold]The audit: database and topics compared, unit by unit", align="left")
    for finding in findings:
        mark = Text(" ✓ ", "bold green") if finding.holds else Text(" ✗ ", "bold red")
        console.print(mark.append(finding.sentence, "default"))


def print_summary(console: Console, stage: Stage, seconds: float, promises: Promises) -> None:
    """Sum it up."""
    figures, tally = stage.figures, stage.tally
    console.print()
    console.rule("[bold]Summary", align="left")
    done = f"{figures.orders:,} orders, {figures.lines:,} lines, {figures.ordered:,} units in {seconds:.0f} s"
    open_units = f"{figures.waiting:,} units wait, {figures.held:,} are held for orders that ship complete"
    sentences = [
        f"{done}: {figures.fill_rate:.1%} filled",
        f"{tally.units['ship']:,} units from storage, {tally.units['cross_dock']:,} straight from the dock",
        f"{open_units}, {figures.rejected:,} were rejected",
        f"{sum(tally.messages.values()):,} messages on the topics; at most {stage.lines_per_s_max:,.0f} lines/s",
    ]
    if tally.answer_ms:
        median, late = tally.answer_ms
        sentences.append(f"from order sent to first event read {median:,.0f} ms (median; 95 %: {late:,.0f} ms)")
    if tally.outage and tally.outage.seconds:
        sentences.append(f"one crash of the worker, caught up after {tally.outage.seconds:.1f} s")
    sentences[3:3] = _promises(promises, stage.figures.moves)
    for sentence in sentences:
        console.print(f" {sentence}")


def _promises(promises: Promises, moves: int) -> Iterator[str]:
    """How far the days held, the suppliers' and ours."""
    if promises.deliveries:
        share = promises.deliveries_on_time / promises.deliveries
        yield f"suppliers kept their own word in {share:.0%} of {promises.deliveries:,} deliveries"
    for level in promises.levels:
        yield (
            f"{level['made']:,} lines were promised a day that holds with {level['level']:.0%}: {level['held']:,} "
            f"held, {level['broken']:,} broken, {level['open']:,} still wait; {moves:,} moved"
        )


def print_next(console: Console) -> None:
    """Say what to try next."""
    program = _program()
    console.print()
    console.rule("[bold]Try next", align="left")
    for command, meaning in (
        (f"{program} demo --keep-running", "the same, then on until Ctrl-C"),
        (f"{program} demo --orders 5000", "more orders in the same time"),
        (f"{program} stack", "Kafka and Postgres alone"),
        (f"{program} --help", "everything else"),
    ):
        console.print(Text.assemble((f" {command}", "bold cyan"), ("  # " + meaning, "dim")), soft_wrap=True)


def print_attach(console: Console, worker: WorkerProcess, order_id: str, sku: str) -> None:
    """Say how to look into what goes on."""
    program, variables = _program(), worker.variables()
    console.print()
    console.rule("[bold]It goes on. In another terminal", align="left")
    for name, value in variables.items():
        console.print(Text(f" export {name}={value}", "cyan"), soft_wrap=True)
    for command in (
        f"{program} show order {order_id}",
        f"{program} show sku {sku}",
        f"{program} report promises",
        f"{program} dlq list",
        f"curl -s {worker.url}/metrics",
    ):
        console.print(Text(f" {command}", "bold cyan"), soft_wrap=True)
    console.print(Text(" Ctrl-C ends all of it.", "dim"))
    console.print()


def _program() -> str:
    """The command as it can be typed here."""
    program = Path(sys.executable).with_name("bo-worker")
    try:
        return str(program.relative_to(Path.cwd()))
    except ValueError:
        return str(program)
