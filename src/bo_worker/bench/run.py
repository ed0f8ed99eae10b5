"""The whole benchmark: which scenarios, how much of each, and what is shown of them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console

from bo_worker.bench.backlog import Receipts, compare_queues
from bo_worker.bench.contender import BO_WORKER
from bo_worker.bench.drain import Drain, drain
from bo_worker.bench.figures import Figure, machine, table, write_json
from bo_worker.bench.load import HOT_SKU, Orders, skus
from bo_worker.bench.mixed import Mixed, mix
from bo_worker.bench.site import BenchError
from bo_worker.bench.steady import Pace, keep_pace
from bo_worker.config import load_settings
from bo_worker.stack.servers import servers

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from pathlib import Path

    from bo_worker.bench.contender import Contender
    from bo_worker.stack.servers import Servers

SCENARIOS = ("drain", "mixed", "hot", "queue", "steady")
_PRODUCTS = 1000
_ORDERS_PER_S_MIN = 10_000
_TIMES_FASTER_MIN = 10
_TUNING = ("batch_records_max", "fill_lines_max", "publish_bytes_max", "relay_poll_s", "topic_partitions")


@dataclass(slots=True, frozen=True)
class Plan:
    """How much of everything."""

    scenarios: tuple[str, ...] = SCENARIOS
    orders: int = 200_000
    mixed_inputs: int = 40_000
    hot_orders: int = 40_000
    baseline_orders: int = 15_000
    baseline_s: float = 25.0
    queues: tuple[int, int] = (10_000, 1_000_000)
    receipts: Receipts = field(default=Receipts(5, 2000))
    pace: Pace = field(default=Pace(1000, 40))

    @classmethod
    def quick(cls) -> Self:
        """Less of everything, in less than two minutes."""
        return cls(
            orders=20_000,
            mixed_inputs=15_000,
            hot_orders=15_000,
            baseline_orders=4000,
            baseline_s=8.0,
            queues=(10_000, 100_000),
            receipts=Receipts(3, 2000),
            pace=Pace(1000, 10),
        )

    def narrowed(self, scenarios: Sequence[str], orders: int | None = None) -> Self:
        """Return the plan with these scenarios alone (all of them where none is named), and so many orders."""
        return replace(self, scenarios=tuple(scenarios) or self.scenarios, orders=orders or self.orders)


def run_bench(plan: Plan, json_file: Path | None = None, *, baseline: Contender | None = None) -> int:
    """Run a plan on servers of its own and show what was found; return the exit code.

    With a `baseline`, the drain is repeated with that worker, and the two are compared.

    Raises:
        StackError: there are no servers.
    """
    # The clients of the benchmark itself report each partition that a new topic does not have yet.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console, about = Console(), machine()
    try:
        figures = _measure(plan, console, baseline)
    except BenchError as error:
        console.print(f"bo-worker bench: {error}", style="red", markup=False)
        return 1
    settings = _settings(plan)
    console.print(table(figures))
    console.print(*about, f"settings: {settings}", sep="\n", style="dim", highlight=False)
    if json_file:
        write_json(json_file, about, settings, figures)
    return 0


def _measure(plan: Plan, console: Console, baseline: Contender | None) -> list[Figure]:
    if unknown := set(plan.scenarios) - set(SCENARIOS):
        raise BenchError(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    with console.status("") as status:

        def progress(phrase: str) -> None:
            status.update(phrase)
            if not console.is_terminal:
                console.print(phrase)

        with servers(progress) as found:
            return asyncio.run(_run(plan, found, progress, baseline))


async def _run(
    plan: Plan, found: Servers, progress: Callable[[str], None], baseline: Contender | None
) -> list[Figure]:
    return [figure async for figure in _figures(plan, found, progress, baseline)]


async def _figures(
    plan: Plan, found: Servers, progress: Callable[[str], None], baseline: Contender | None
) -> AsyncIterator[Figure]:
    orders_per_s = None
    for scenario in plan.scenarios:
        match scenario:
            case "drain":
                measured = await _drain(plan, found, progress, baseline)
                orders_per_s = measured[0].value
            case "mixed":
                progress(f"mixed: {plan.mixed_inputs:,} inputs")
                measured = await mix(found, Mixed(Orders(skus(_PRODUCTS)), plan.mixed_inputs), orders_per_s)
            case "hot":
                measured = await _hot(plan, found, progress)
            case "queue":
                measured = await compare_queues(found, plan.queues, plan.receipts, progress)
            case _:
                progress(f"steady: {plan.pace.per_s:,} orders/s for {plan.pace.seconds} s")
                measured = await keep_pace(found, Orders(skus(_PRODUCTS)), plan.pace)
        for figure in measured:
            yield figure


async def _drain(
    plan: Plan, found: Servers, progress: Callable[[str], None], baseline: Contender | None
) -> list[Figure]:
    progress(f"drain: {plan.orders:,} orders")
    orders = Orders(skus(_PRODUCTS))
    ours = await drain(found, BO_WORKER, Drain("drain", orders, plan.orders))
    scenario = f"drain, two lines over {_PRODUCTS:,} products"
    figures = ours.figures(scenario, at_least=_ORDERS_PER_S_MIN)
    if baseline is None:
        return figures
    progress(f"drain: {baseline.name}")
    theirs = await drain(found, baseline, Drain("baseline", orders, plan.baseline_orders, within_s=plan.baseline_s))
    times = ours.orders_per_s / theirs.orders_per_s
    cpu_times = sum(theirs.cpu_us.values()) / (sum(ours.cpu_us.values()) or 1)
    return [
        *figures,
        *theirs.figures(f"the same, {baseline.name}"),
        Figure("side by side", "CPU of an order", cpu_times, "times less"),
        Figure("side by side", "orders a second", times, "times", at_least=_TIMES_FASTER_MIN),
    ]


async def _hot(plan: Plan, found: Servers, progress: Callable[[str], None]) -> list[Figure]:
    figures: list[Figure] = []
    for name, units in (("all served", 10**9), ("all wait", 0)):
        progress(f"hot: {plan.hot_orders:,} orders for one product, {name}")
        load = Drain("hot", Orders([HOT_SKU]), plan.hot_orders, units)
        figures += (await drain(found, BO_WORKER, load)).figures(f"one hot product, {name}", _ORDERS_PER_S_MIN)
    return figures


def _settings(plan: Plan) -> dict[str, Any]:
    """What the figures depend on."""
    settings = load_settings()
    return asdict(plan) | {name: getattr(settings, name) for name in _TUNING}
