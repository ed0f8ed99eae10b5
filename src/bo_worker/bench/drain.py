"""How fast a worker works off what waits in its topics: in stock, for one product, and out of stock."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bo_worker.bench.contender import running
from bo_worker.bench.figures import Figure
from bo_worker.bench.load import LOCATION, Orders
from bo_worker.bench.site import BenchError, Site, opened

if TYPE_CHECKING:
    from bo_worker.bench.contender import Contender, Running
    from bo_worker.stack.servers import Servers

_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 180.0
_PRELOAD_CHUNK = 5000
_UNITS_ENOUGH = 10**8


@dataclass(slots=True, frozen=True)
class Drain:
    """What to work off; `units` of each product are in stock. With `within_s` it is cut off after that time."""

    name: str
    orders: Orders
    count: int
    units: int = _UNITS_ENOUGH
    within_s: float | None = None

    @property
    def messages(self) -> int:
        """How many messages come out: one for an order that waits, two for one that is served."""
        return self.count * (2 if self.units else 1)


@dataclass(slots=True, frozen=True)
class Drained:
    """What a drain took; CPU time in microseconds per order, by program; phases in seconds."""

    orders_per_s: float
    cpu_us: dict[str, float]
    phases_s: dict[str, float]

    def figures(self, scenario: str, at_least: float | None = None) -> list[Figure]:
        """Return it as figures."""
        total_s = sum(self.phases_s.values()) or 1.0
        return [
            Figure(scenario, "orders worked off", self.orders_per_s, "/s", at_least=at_least),
            *(Figure(scenario, f"CPU, {name}", used, "µs/order") for name, used in self.cpu_us.items()),
            *(
                Figure(scenario, f"time in {phase}", seconds / total_s * 100, "%")
                for phase, seconds in self.phases_s.items()
            ),
        ]


async def drain(servers: Servers, contender: Contender, load: Drain) -> Drained:
    """Fill the topics, start the worker, and measure from its first output to its last one in Kafka.

    Raises:
        BenchError: it did not come to work, or did not do what it should have done.
    """
    async with opened(servers) as site:
        await contender.make_schema(site.settings.database_url.get_secret_value())
        await site.database.execute(contender.stock, list(load.orders.skus), LOCATION, load.units)
        await preload(site, load.orders, load.count)
        await site.database.execute("checkpoint")
        async with running(contender, site) as worker:
            drained, is_whole = await _measure(site, worker, load)
        if is_whole:
            await _verify(site, contender, load)
        elif load.within_s is None:
            raise BenchError(f"{load.name}: not done within {_END_TIMEOUT_S:.0f} s")
    return drained


async def preload(site: Site, orders: Orders, count: int) -> None:
    """Put orders into the input topic."""
    for first in range(0, count, _PRELOAD_CHUNK):
        await site.publisher.publish(orders.messages(first, min(_PRELOAD_CHUNK, count - first)))


async def _measure(site: Site, worker: Running, load: Drain) -> tuple[Drained, bool]:
    """Return also whether everything was worked off. What is out at the first look is not counted."""
    first = await worker.reach(1, _START_TIMEOUT_S)
    started_at, cpu_before = time.time(), worker.cpu_s()
    last = await worker.reach(load.messages, load.within_s or _END_TIMEOUT_S)
    ended_at, cpu_after = time.time(), worker.cpu_s()
    is_whole = last >= load.messages
    if is_whole:
        ended_at = await site.last_published_at()
    if last == first:
        raise BenchError(f"{load.name}: all {last} messages came at once, or none; take more orders")
    orders = (last - first) * load.count / load.messages
    cpu_us = {name: (cpu_after[name] - used) / orders * 1e6 for name, used in cpu_before.items()}
    return Drained(orders / (ended_at - started_at), cpu_us, await worker.phases_s()), is_whole


async def _verify(site: Site, contender: Contender, load: Drain) -> None:
    """Every order was taken in, and every unit was given, or waits."""
    asked = load.orders.units(load.count)
    expected = (load.count, asked, 0) if load.units else (load.count, 0, asked)
    sums = await site.database.fetchrow(contender.sums)
    found = tuple(sums or ())
    if found != expected:
        raise BenchError(f"{contender.name}: expected (orders, given, waiting) {expected}, found {found}")
