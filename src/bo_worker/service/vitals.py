"""How the worker is: gauges that are measured every few seconds, and the checks behind the probes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import structlog

from bo_worker.observability.health import HealthState
from bo_worker.store.migrations import pending_migrations
from bo_worker.store.outbox import measure_outbox
from bo_worker.store.serving import state_rank_by
from bo_worker.store.unfinished import list_unfinished

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import asyncpg

    from bo_worker.observability.metrics import Metrics
    from bo_worker.service.intake import Intake
    from bo_worker.service.sweep import Sweep
    from bo_worker.store.session import Session

log = structlog.get_logger()
_INTERVAL_S = 2.0
_T = TypeVar("_T")


class Vitals:
    """Looks after a worker, on a database session of its own, which is used by one at a time.

    `rank_by` is how the worker ranks, which the view of the queue must know. `started` is set once everything the
    worker needs is there, `stopping` when it is to end.
    """

    def __init__(
        self,
        session: Session,
        metrics: Metrics,
        intake: Intake,
        sweep: Sweep,
        *,
        rank_by: str,
        started: asyncio.Event,
        stopping: asyncio.Event,
    ) -> None:
        self._session = session
        self._metrics = metrics
        self._intake = intake
        self._rank_by = rank_by
        self._started = started
        self._stopping = stopping
        self._turn = asyncio.Lock()
        self.health = HealthState(
            live={
                "reading": intake.reading.check,
                "applying": intake.applying.check,
                "sweeping": sweep.sweeping.check,
            },
            ready={
                "start": self._check_start,
                "database": self._check_database,
                "group": self._check_group,
                "shutdown": self._check_shutdown,
            },
            registry=metrics.registry,
        )

    async def watch(self) -> None:
        """Measure until cancelled; what can't be measured is left as it was."""
        while True:
            try:
                await self._measure_consumer()
                await self._with_session(self._measure_database)
            except Exception as error:  # noqa: BLE001 - no measurement is worth the worker
                log.info("gauges_not_measured", error=repr(error))
            await asyncio.sleep(_INTERVAL_S)

    async def _measure_consumer(self) -> None:
        await self._intake.commit_offsets()
        consumer = self._intake.consumer
        self._metrics.show_lag(await consumer.lag() if consumer else {})
        if consumer and not consumer.joined:
            # The group gives them to others by now, or it can't be asked.
            self._metrics.partitions_owned.set(0)

    async def _measure_database(self, connection: asyncpg.Connection) -> None:
        await state_rank_by(connection, self._rank_by)
        rows, age_s = await measure_outbox(connection)
        self._metrics.outbox_rows.set(rows)
        self._metrics.outbox_oldest_age.set(age_s)
        self._metrics.unfinished_fills.set(len(await list_unfinished(connection)))

    async def _check_start(self) -> str | None:
        return None if self._started.is_set() else "waiting for Kafka, Postgres, the schema and the topics"

    async def _check_database(self) -> str | None:
        pending = await self._with_session(pending_migrations)
        return f"migrations are missing: {', '.join(pending)}" if pending else None

    async def _check_group(self) -> str | None:
        consumer = self._intake.consumer
        return None if consumer and consumer.joined else "not a member of the group"

    async def _check_shutdown(self) -> str | None:
        return "draining" if self._stopping.is_set() else None

    async def _with_session(self, use: Callable[[asyncpg.Connection], Awaitable[_T]]) -> _T:
        async with self._turn:
            try:
                return await use(await self._session.connected())
            except BaseException:
                # A query that was cut off would leave its answer to the next one.
                self._session.abandon()
                raise
