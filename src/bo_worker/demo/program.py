"""The demonstration from its beginning to its end."""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import ExitStack
from io import TextIOWrapper
from typing import TYPE_CHECKING

from rich.console import Console

from bo_worker.demo import closing
from bo_worker.demo.performance import DemoError, Performance
from bo_worker.demo.retail import load_orders
from bo_worker.demo.setting import own_servers
from bo_worker.demo.starting import starting
from bo_worker.demo.worker_process import WorkerProcess
from bo_worker.kafka.errors import KafkaFault
from bo_worker.stack.process import StackError

if TYPE_CHECKING:
    from bo_worker.demo.checks import Finding
    from bo_worker.demo.seen import Seen

EXPECTED = (DemoError, KafkaFault, OSError)
EXIT_FAILED, EXIT_NO_SERVERS, EXIT_INTERRUPTED = 1, 69, 130


def run(*, keep_running: bool = False, orders: int | None = None) -> int:
    """Play `orders` orders (all of the sample without a number), tell and check what became of them.

    With `keep_running` it goes on until Ctrl-C. Returns the exit code: 0 when every check holds.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a sign is no reason to end
    logging.basicConfig(handlers=[logging.NullHandler()])  # what clients say of their retries is not for the screen
    console = Console(highlight=False)
    try:
        return _run(console, orders, keep_running=keep_running)
    except KeyboardInterrupt:
        console.print("Interrupted; nothing is left behind.")
        return EXIT_INTERRUPTED
    except StackError as error:
        console.print(f"The servers could not be started: {error}", markup=False, soft_wrap=True)
        return EXIT_NO_SERVERS
    except ExceptionGroup as group:
        expected, bugs = group.split(EXPECTED)
        if bugs or expected is None:
            raise
        console.print(f"The demonstration ends early: {_first(expected)}", markup=False, soft_wrap=True)
        return EXIT_FAILED


def _run(console: Console, orders: int | None, *, keep_running: bool) -> int:
    sample_count = len(load_orders())
    order_count = orders or sample_count
    closing.print_opening(console, order_count, sample_count)
    with ExitStack() as ending:
        with starting(console) as progress:
            settings = ending.enter_context(own_servers(progress))
            progress("starting the worker")
            worker = ending.enter_context(WorkerProcess(settings))
        ending.callback(console.print, "\n[dim]Stopping the worker, Kafka and Postgres ...[/]")
        performance = Performance(settings, worker, console)
        try:
            return asyncio.run(_perform(performance, console, order_count, keep_running=keep_running))
        except KeyboardInterrupt:
            if performance.findings is None:
                raise
            return _exit_code(performance.findings)


async def _perform(performance: Performance, console: Console, order_count: int, *, keep_running: bool) -> int:
    async with performance.ready():
        await performance.play(order_count)
        story = performance.story()
        closing.print_story(console, story, performance.stage.tally.outage)
        findings = await performance.audit()
        closing.print_findings(console, findings)
        closing.print_summary(console, performance.stage, performance.seconds, await performance.promises())
        if keep_running:
            closing.print_attach(console, performance.worker, *_example(story))
            await performance.go_on()
        closing.print_next(console)
    return _exit_code(findings)


def _example(story: list[Seen]) -> tuple[str, str]:
    """An order and an article that are worth a look."""
    for seen in story:
        if seen.kind == "order_backordered":
            return seen.key, seen.lines[0]["sku"]
    first = load_orders()[0]
    return first.order_id, first.lines[0].sku


def _exit_code(findings: list[Finding]) -> int:
    return 0 if all(finding.holds for finding in findings) else EXIT_FAILED


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
