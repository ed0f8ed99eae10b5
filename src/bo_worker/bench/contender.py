"""A worker to be measured, in a process of its own; what is measured does not depend on how it is made."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
import urllib.request
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from bo_worker.bench.processes import cpu_s, resident_mb
from bo_worker.bench.site import BenchError, Site
from bo_worker.stack.process import HOST, GuardedProcess
from bo_worker.store.migrations import migrate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

_POLL_S = 0.1
_LOG_SHOWN = 3000
_HTTP_TIMEOUT_S = 2.0


@dataclass(slots=True, frozen=True)
class Contender:
    """How a worker is made and started.

    `stock` is SQL that puts $3 units of each product $1 at location $2; `sums` is SQL for the orders taken in,
    the units given and the units that wait.
    """

    name: str
    command: tuple[str, ...]
    make_schema: Callable[[str], Awaitable[object]]
    stock: str
    sums: str


BO_WORKER = Contender(
    "bo-worker",
    (sys.executable, "-m", "bo_worker", "run"),
    migrate,
    """
    with made as (insert into bo_worker.product (sku) select unnest($1::text[]) returning sku)
    insert into bo_worker.stock (sku, location, on_hand, allocated) select sku, $2::text, $3::bigint, 0 from made
    """,
    """
    select
        (select count(*) from bo_worker.sales_order) as orders,
        (select coalesce(sum(allocated), 0)::bigint from bo_worker.stock) as given,
        (select coalesce(sum(backordered), 0)::bigint from bo_worker.order_line) as waiting
    """,
)


class Running:
    """A worker that runs, and ends when we do, however we end."""

    def __init__(self, contender: Contender, site: Site, folder: Path) -> None:
        self._site = site
        self._log = folder / "worker.log"
        self._http_port = _free_port()
        own = {"BO_HTTP_HOST": HOST, "BO_HTTP_PORT": str(self._http_port), "BO_LOG_LEVEL": "warning"}
        variables = [f"{name}={value}" for name, value in (site.environment | own).items()]
        self._process = GuardedProcess(
            ["env", *variables, *contender.command],
            folder=folder,
            log=self._log,
            end_signal=signal.SIGKILL,
            identity=None,
        )

    async def reach(self, published: int, within_s: float) -> int:
        """Wait until so many messages are published, or the time is up; return how many are.

        Raises:
            BenchError: the worker has ended.
        """
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + within_s
        while (count := await self._site.published()) < published and loop.time() < ends_at:
            if not self._process.running:
                raise BenchError(f"the worker ended:\n{self._log.read_text(errors='replace')[-_LOG_SHOWN:]}")
            await asyncio.sleep(_POLL_S)
        return count

    def cpu_s(self) -> dict[str, float]:
        """Return the CPU time of the worker and of the servers, as far as they can be seen."""
        mine = cpu_s(self._process.pid)
        return ({} if mine is None else {"worker": mine}) | self._site.server_cpu_s()

    def resident_mb(self) -> float:
        """Return the memory of the worker, in megabytes."""
        return resident_mb(self._process.pid)

    async def phases_s(self) -> dict[str, float]:
        """Return the seconds spent in each phase; empty where the worker does not tell."""
        try:
            page = await asyncio.to_thread(_read, f"http://{HOST}:{self._http_port}/metrics")
        except OSError:
            return {}
        samples = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
        return {
            sample.labels["phase"]: sample.value
            for sample in samples
            if sample.name == "bo_worker_phase_seconds_total"
        }

    async def stop(self) -> None:
        """Ask it to end, and make it."""
        await asyncio.to_thread(self._process.end, signal.SIGTERM)


@asynccontextmanager
async def running(contender: Contender, site: Site) -> AsyncIterator[Running]:
    """Start a worker, and end it at last."""
    with tempfile.TemporaryDirectory(prefix="bo-worker-bench-", ignore_cleanup_errors=True) as folder:
        started = Running(contender, site, Path(folder))
        try:
            yield started
        finally:
            await started.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


def _read(url: str) -> str:
    with urllib.request.urlopen(url, timeout=_HTTP_TIMEOUT_S) as answer:  # noqa: S310 - a URL of our own
        return str(answer.read().decode())
