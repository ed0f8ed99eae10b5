"""A year from its opening to its report."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console

from bo_worker.demo.retail import load_orders
from bo_worker.demo.setting import own_servers
from bo_worker.demo.starting import starting
from bo_worker.kafka.errors import KafkaFault
from bo_worker.year.days import busyness, days_from
from bo_worker.year.link import PARTITIONS, Clock, Link, NotThroughError, linked
from bo_worker.year.months import MonthLines
from bo_worker.year.shop import EVENING, Shop, at
from bo_worker.year.statistics import measure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from bo_worker.config import Settings
    from bo_worker.year.statistics import Statistics
    from bo_worker.year.step import Heard

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]
    Finish = Callable[[Settings, date, datetime], None]

_EXIT_FAILED: Final = 1
_FINDINGS_SHOWN: Final = 20
_TUNING: Final = {"topic_partitions": PARTITIONS, "sweep_poll_s": 0.2, "relay_poll_s": 0.01}


class YearError(Exception):
    """A day that did not come out right; the text says which, and what is wrong."""


class Plan(NamedTuple):
    """How long a year is, and how busy. Without `orders_per_day`: as the real days and their season suggest."""

    days: int = 365
    seed: int = 1
    orders_per_day: float | None = None


def run(plan: Plan, finish: Finish, loop_factory: LoopFactory | None = None) -> int:
    """Play a year on servers of its own, audit each day, and let `finish` report while the servers still run.

    `finish` gets the settings, the first day and the instant at which the year ended. Returns the exit code: 0 when
    every day held.

    Raises:
        StackError: there are no servers.
    """
    console = Console(highlight=False, soft_wrap=True, markup=False)
    with starting(console) as progress, own_servers(progress, durable=False, **_TUNING) as settings:
        progress("opening the shop")
        try:
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                now = runner.run(_play(plan, settings, console))
        except ExceptionGroup as group:
            expected, others = group.split((YearError, NotThroughError, KafkaFault))
            if others or expected is None:
                raise
            console.print(f"The year ends early: {_first(expected)}")
            return _EXIT_FAILED
        finish(settings, days_from(1)[0], now)
    return 0


async def _play(plan: Plan, settings: Settings, console: Console) -> datetime:
    sample = load_orders()
    statistics = measure(sample)
    days = days_from(plan.days)
    per_day = plan.orders_per_day or typical_day(statistics, days_from(statistics.days))
    _print_opening(console, statistics, plan, per_day)
    shop = Shop(sample, statistics, days, per_day, plan.seed)
    lines = MonthLines(console, shop)
    async with linked(settings, Clock(at(days[0], EVENING.min))) as link:
        for now, steps in shop.opening():
            shop.hear(_undisputed(await link.play(now, steps), days[0]), days[0])
        for day in days:
            began = time.monotonic()
            for now, steps in shop.phases(day):
                shop.hear(_undisputed(await link.play(now, steps), day), day)
            link.clock.now = at(day, EVENING)
            played = time.monotonic()
            await _close_day(link, shop, day)
            lines.add(day, played - began, time.monotonic() - played)
        lines.end()
    return link.clock.now


async def _close_day(link: Link, shop: Shop, day: date) -> None:
    """Compare the account with itself, and with what the warehouse counts.

    Raises:
        YearError: they differ.
    """
    findings = await link.differences(shop.warehouse.stock)
    if findings:
        raise YearError("\n  ".join([f"{day}: the audit does not hold", *findings[:_FINDINGS_SHOWN]]))


def _undisputed(heard: list[Heard], day: date) -> list[Heard]:
    """Everything that is sent is right, so nothing may be refused.

    Raises:
        YearError: something was.
    """
    refused = [
        f"{one.topic} {one.key}: {one.data['dlq_error']}, {one.data['dlq_reason']}"
        for one in heard
        if one.topic.endswith(".dlq")
    ]
    if refused:
        raise YearError("\n  ".join([f"{day}: refused", *refused[:_FINDINGS_SHOWN]]))
    return heard


def typical_day(statistics: Statistics, days: Sequence[date]) -> float:
    """Return the orders of a mean day, given those of some days of a season."""
    return statistics.orders / sum(map(busyness, days))


def _print_opening(console: Console, statistics: Statistics, plan: Plan, per_day: float) -> None:
    console.print(
        f"The sample: {statistics.orders} real orders of {statistics.days} days, {statistics.lines:,} lines, "
        f"{statistics.units:,} units of {len(statistics.prices):,} articles; an order has "
        f"{statistics.median_lines:g} lines, a line {statistics.median_quantity:g} units (medians)."
    )
    console.print(
        f"The year: {plan.days} days of {per_day:.0f} orders on average, seed {plan.seed}. The audit is done at the "
        "end of each day."
    )


def _first(error: BaseException) -> BaseException:
    return _first(error.exceptions[0]) if isinstance(error, BaseExceptionGroup) else error
