"""A shop's day: new orders among cancellations, corrections and shipments, worked off as fast as it goes."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.bench.contender import BO_WORKER, running
from bo_worker.bench.drain import preload
from bo_worker.bench.figures import Figure
from bo_worker.bench.load import LOCATION, Orders
from bo_worker.bench.site import BenchError, opened
from bo_worker.messages.record import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bo_worker.bench.contender import Running
    from bo_worker.bench.site import Site
    from bo_worker.stack.servers import Servers

_UNITS_ENOUGH = 10**8
_WITHIN_S = 120.0
_CHUNK = 5000
_SHARE = 0.1
_RATE_MIN = 0.5


@dataclass(slots=True, frozen=True)
class Mixed:
    """`count` inputs: 7 of 10 are new orders; a tenth each cancels, corrects and ships.

    What is cancelled and shipped are orders that were taken in before.
    """

    orders: Orders
    count: int

    @property
    def others(self) -> int:
        """How many of each kind there are beside orders."""
        return int(self.count * _SHARE)

    @property
    def before(self) -> int:
        """How many orders must be there before."""
        return 2 * self.others

    @property
    def outputs(self) -> int:
        """An order and a cancellation give two messages each, a shipment gives one; a correction none here."""
        return 2 * (self.count - 3 * self.others) + 2 * self.others + self.others

    def messages(self) -> list[Message]:
        """Return the stream, in an order that is always the same."""
        stream = [
            *self.orders.messages(self.before, self.count - 3 * self.others),
            *(_cancellation(number) for number in range(self.others)),
            *(self._shipment(number) for number in range(self.others, self.before)),
            *self._corrections(),
        ]
        random.Random(self.orders.seed).shuffle(stream)
        return stream

    def _corrections(self) -> Iterator[Message]:
        choice = random.Random(self.orders.seed)
        for number in range(self.others):
            sku, delta = choice.choice(self.orders.skus), choice.choice((-2, -1, 1, 2))
            fields = {"sku": sku, "location": LOCATION, "quantity_delta": delta, "reason": "miscount"}
            yield _message("inventory-adjusted", sku, {"adjustment_id": f"ADJ-{number}", **fields}, "adjusted_at")

    def _shipment(self, number: int) -> Message:
        order = orjson.loads(self.orders.messages(number, 1)[0].value or b"")
        lines = [
            {"line_id": line["line_id"], "location": LOCATION, "quantity": line["quantity"]}
            for line in order["lines"]
        ]
        data = {"shipment_id": f"S-{number}", "order_id": f"SO-{number}", "carrier": "UPS", "lines": lines}
        return _message("shipment-dispatched", f"SO-{number}", data, "dispatched_at")


async def mix(servers: Servers, load: Mixed, orders_per_s: float | None) -> list[Figure]:
    """Work off the stream; compare its rate with that of orders alone where that was measured.

    Raises:
        BenchError: it was not worked off in time.
    """
    async with opened(servers) as site:
        await BO_WORKER.make_schema(site.settings.database_url.get_secret_value())
        await site.database.execute(BO_WORKER.stock, list(load.orders.skus), LOCATION, _UNITS_ENOUGH)
        await preload(site, load.orders, load.before)
        async with running(BO_WORKER, site) as worker:
            await _reach(worker, 2 * load.before)
        stream = load.messages()
        for first in range(0, len(stream), _CHUNK):
            await site.publisher.publish(stream[first : first + _CHUNK])
        await site.database.execute("checkpoint")
        async with running(BO_WORKER, site) as worker:
            return await _measure(site, worker, load, orders_per_s)


async def _measure(site: Site, worker: Running, load: Mixed, orders_per_s: float | None) -> list[Figure]:
    before = 2 * load.before
    first = await worker.reach(before + 1, _WITHIN_S)
    started_at, cpu_before = time.time(), worker.cpu_s()
    await _reach(worker, before + load.outputs)
    ended_at, cpu_after = await site.last_published_at(), worker.cpu_s()
    inputs = load.count * (before + load.outputs - first) / load.outputs
    scenario = "mixed, 7 orders to 1 cancellation, 1 correction, 1 shipment"
    rate = inputs / (ended_at - started_at)
    figures = [Figure(scenario, "inputs worked off", rate, "/s")]
    if orders_per_s is not None:
        times = rate / orders_per_s
        figures.append(Figure(scenario, "rate : rate of orders alone", times, "times", at_least=_RATE_MIN))
    used = {name: (cpu_after[name] - seconds) / inputs * 1e6 for name, seconds in cpu_before.items()}
    return [*figures, *(Figure(scenario, f"CPU, {name}", cpu_us, "µs/input") for name, cpu_us in used.items())]


async def _reach(worker: Running, published: int) -> None:
    found = await worker.reach(published, _WITHIN_S)
    if found < published:
        raise BenchError(f"mixed: {found} of {published} messages came in {_WITHIN_S:.0f} s")


def _cancellation(number: int) -> Message:
    data = {"cancellation_id": f"X-{number}", "order_id": f"SO-{number}", "reason": "customer"}
    return _message("order-cancelled", f"SO-{number}", data, "cancelled_at")


def _message(topic: str, key: str, data: dict[str, Any], instant: str) -> Message:
    return Message(topic, key.encode(), orjson.dumps(data | {instant: datetime.now(UTC).isoformat()}), [])
