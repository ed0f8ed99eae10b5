"""How soon events are out, and how much memory is used, when orders come at a steady pace."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from bo_worker.bench.contender import BO_WORKER, running
from bo_worker.bench.drain import preload
from bo_worker.bench.figures import Figure
from bo_worker.bench.load import LOCATION, Orders
from bo_worker.bench.site import BenchError, Site, opened

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.bench.contender import Running
    from bo_worker.stack.servers import Servers

_START_TIMEOUT_S = 60.0
_END_TIMEOUT_S = 30.0
_TICK_S = 0.005
_UNITS_ENOUGH = 10**8
_WARM_UP_ORDERS = 1000
_SETTLING_S = 2  # at the pace, before the measured time: servers that run for long have compiled their code
_P99_MS_MAX = 100
_RESIDENT_MB_MAX = 250


@dataclass(slots=True, frozen=True)
class Pace:
    """So many orders a second for so many seconds, and for a little while before."""

    per_s: int
    seconds: int

    @property
    def settling(self) -> int:
        """How many orders come before those that are measured."""
        return self.per_s * _SETTLING_S

    @property
    def count(self) -> int:
        """How many orders that makes."""
        return self.settling + self.per_s * self.seconds


async def keep_pace(servers: Servers, orders: Orders, pace: Pace) -> list[Figure]:
    """Send orders at a steady pace, and tell how late their events are and how memory grows.

    Raises:
        BenchError: the worker did not come to work, or did not keep up.
    """
    async with opened(servers) as site:
        await BO_WORKER.make_schema(site.settings.database_url.get_secret_value())
        await site.database.execute(BO_WORKER.stock, list(orders.skus), LOCATION, _UNITS_ENOUGH)
        async with running(BO_WORKER, site) as worker:
            await _warm_up(site, worker, orders)
            resident_mb = [worker.resident_mb()]
            cpu_before = worker.cpu_s()
            started_at = await _send(site, worker, orders, pace, resident_mb)
            await _reach(worker, (_WARM_UP_ORDERS + pace.count) * 2, _END_TIMEOUT_S)
            cpu_after = worker.cpu_s()
        late_ms = _latencies_ms(await site.outputs(), started_at, pace)
    scenario = f"steady, {pace.per_s:,} orders/s for {pace.seconds} s"
    return [
        *_quantiles(scenario, late_ms),
        *(
            Figure(
                scenario, f"CPU, {name}", (cpu_after[name] - used) / (pace.count / pace.per_s) * 100, "% of a core"
            )
            for name, used in cpu_before.items()
        ),
        Figure(scenario, "worker's memory at the start", resident_mb[0], "MB"),
        Figure(scenario, "at the end", resident_mb[-1], "MB"),
        Figure(scenario, "at most", max(resident_mb), "MB", at_most=_RESIDENT_MB_MAX),
    ]


async def _warm_up(site: Site, worker: Running, orders: Orders) -> None:
    await preload(site, orders, _WARM_UP_ORDERS)
    await _reach(worker, _WARM_UP_ORDERS * 2, _START_TIMEOUT_S)


async def _reach(worker: Running, wanted: int, within_s: float) -> None:
    published = await worker.reach(wanted, within_s)
    if published != wanted:
        raise BenchError(f"expected {wanted} messages within {within_s} s, found {published}")


async def _send(site: Site, worker: Running, orders: Orders, pace: Pace, resident_mb: list[float]) -> float:
    """Send every order at its time; return when (epoch seconds) the first was due. Notes the memory every second."""
    messages = orders.messages(_WARM_UP_ORDERS, pace.count)
    topic = site.settings.topic_prefix + "order-created"
    producer = AIOKafkaProducer(bootstrap_servers=site.settings.kafka_bootstrap_servers)
    await producer.start()
    sent = 0
    acknowledged: list[asyncio.Future[object]] = []
    started_at = time.time()
    while sent < pace.count:
        due = min(pace.count, int((time.time() - started_at) * pace.per_s) + 1)
        acknowledged += [await producer.send(topic, value, key) for _, key, value, _ in messages[sent:due]]
        if len(resident_mb) <= due // pace.per_s:
            resident_mb.append(worker.resident_mb())
        sent = due
        await asyncio.sleep(_TICK_S)
    await asyncio.gather(*acknowledged)
    await producer.stop()
    return started_at


def _latencies_ms(outputs: Iterable[tuple[bytes, float]], started_at: float, pace: Pace) -> list[float]:
    """From the instant an order was due to the last of its events in Kafka's log, smallest first."""
    written_at: dict[int, float] = {}
    for key, at in outputs:
        number = int(key.removeprefix(b"SO-")) - _WARM_UP_ORDERS
        written_at[number] = max(at, written_at.get(number, 0.0))
    measured = range(pace.settling, pace.count)
    return sorted((written_at[number] - started_at - number / pace.per_s) * 1000 for number in measured)


def _quantiles(scenario: str, late_ms: list[float]) -> list[Figure]:
    def at(share: float) -> float:
        return late_ms[min(len(late_ms) - 1, int(len(late_ms) * share))]

    return [
        Figure(scenario, "from order to events, median", at(0.5), "ms"),
        Figure(scenario, "95 % within", at(0.95), "ms"),
        Figure(scenario, "99 % within", at(0.99), "ms", at_most=_P99_MS_MAX),
        Figure(scenario, "all within", late_ms[-1], "ms"),
    ]
