"""What it costs to serve a waiting line from a receipt, in a short queue and in a very long one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bo_worker.bench.contender import BO_WORKER, running
from bo_worker.bench.figures import Figure
from bo_worker.bench.load import HOT_SKU, receipt
from bo_worker.bench.site import BenchError, Site, opened
from bo_worker.store.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.bench.contender import Running
    from bo_worker.stack.servers import Servers

_TIMEOUT_S = 60.0
_TIMES_MAX = 1.5
# Orders of one line of one unit that wait since they were placed, one a second; the customers were told of it.
# Ids don't rise with time, as real ones may not.
_QUEUE = (
    """
    create temporary table waiting as
    select
        'SO-' || upper(substr(md5(n::text), 1, 8)) || '-' || n as order_id,
        now() - make_interval(secs => $1 - n) as placed_at
    from generate_series(1, $1::integer) as n
    """,
    "insert into bo_worker.message_key (key, notifications) select order_id, 1 from waiting",
    """
    insert into bo_worker.sales_order (order_id, digest, placed_at, priority, ship_complete, customer, received_at)
    select order_id, '\\x00', placed_at, 0, false, '{"customer_id":"C-1","email":"c1@example.com"}', placed_at
    from waiting
    """,
    """
    insert into bo_worker.order_line (
        order_id, position, line_id, sku, pin, quantity, backordered, held, released, shipped, cancelled, rejected,
        claim_count, priority, placed_at
    )
    select order_id, 1, '1', $1::text, '', 1, 1, 0, 0, 0, 0, 0, 0, 0, placed_at from waiting
    """,
    "insert into bo_worker.product (sku, waiting) values ($1, $2)",
    "drop table waiting",
)
_SERVED = "select count(*) from bo_worker.order_line where released = 1 and backordered = 0"


@dataclass(slots=True, frozen=True)
class Receipts:
    """Receipts to play in one after the other; the first warms up and is not counted."""

    count: int
    lines: int


@dataclass(slots=True, frozen=True)
class Filled:
    """What one filled line took, in microseconds: from the receipt to the last message in Kafka, and CPU time."""

    wall_us: float
    cpu_us: float


async def compare_queues(
    servers: Servers, lengths: tuple[int, int], receipts: Receipts, progress: Callable[[str], None]
) -> list[Figure]:
    """Measure a short queue and a long one.

    Raises:
        BenchError: receipts were not served as they should have been.
    """
    found = []
    for length in lengths:
        progress(f"queue: {length:,} waiting lines")
        found.append(await _fill(servers, length, receipts))
    short, long = found
    scenario = f"queue, {receipts.lines:,} lines a receipt"
    return [
        *(
            figure
            for length, filled in zip(lengths, found, strict=True)
            for figure in (
                Figure(scenario, f"{length:,} waiting", filled.wall_us, "µs/line"),
                Figure(scenario, f"{length:,} waiting, CPU", filled.cpu_us, "µs/line"),
            )
        ),
        Figure(scenario, "long : short", long.wall_us / short.wall_us, "times", at_most=_TIMES_MAX),
        Figure(scenario, "long : short, CPU", long.cpu_us / (short.cpu_us or 1), "times", at_most=_TIMES_MAX),
    ]


async def _fill(servers: Servers, length: int, receipts: Receipts) -> Filled:
    async with opened(servers) as site:
        await migrate(site.settings.database_url.get_secret_value())
        await _make_queue(site, length)
        async with running(BO_WORKER, site) as worker:
            found = [await _receive(site, worker, number, receipts.lines) for number in range(receipts.count)][1:]
        served = await site.database.fetchval(_SERVED)
    if served != receipts.count * receipts.lines:
        raise BenchError(f"expected {receipts.count * receipts.lines} lines served, found {served}")
    return Filled(median(each.wall_us for each in found), median(each.cpu_us for each in found))


async def _make_queue(site: Site, length: int) -> None:
    """Write a queue straight into the database, in keeping with every counter."""
    table, keys, orders, lines, product, drop = _QUEUE
    async with site.database.transaction():
        await site.database.execute(table, length)
        await site.database.execute(keys)
        await site.database.execute(orders)
        await site.database.execute(lines, HOT_SKU)
        await site.database.execute(product, HOT_SKU, length)
        await site.database.execute(drop)
    await site.database.execute("vacuum analyze")
    await site.database.execute("checkpoint")


async def _receive(site: Site, worker: Running, number: int, lines: int) -> Filled:
    """Each line is told of twice: an instruction and a notification."""
    wanted = (number + 1) * lines * 2
    cpu_before, started_at = worker.cpu_s(), time.time()
    await site.publisher.publish([receipt(f"R-{number}", HOT_SKU, lines)])
    published = await worker.reach(wanted, _TIMEOUT_S)
    cpu_after, elapsed_s = worker.cpu_s(), await site.last_published_at() - started_at
    if published != wanted:
        raise BenchError(f"expected {wanted} messages of receipts, found {published}")
    used_s = sum(cpu_after[name] - used for name, used in cpu_before.items())
    return Filled(elapsed_s / lines * 1e6, used_s / lines * 1e6)
