"""The worker as a whole: its parts put together, run until it is told to stop, and ended in time."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

import structlog

from bo_worker.config import ConfigurationError
from bo_worker.kafka.client import ended_within
from bo_worker.kafka.consumer import Consumer
from bo_worker.kafka.publisher import Publisher
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.observability.health import health_app
from bo_worker.observability.http_server import serve_http
from bo_worker.observability.metrics import Metrics
from bo_worker.service.applier import Applier
from bo_worker.service.apply import DECIDED
from bo_worker.service.due import JOBS
from bo_worker.service.intake import Intake
from bo_worker.service.parts import Parts
from bo_worker.service.precedence import Precedence
from bo_worker.service.relay import Relay, no_checkpoint
from bo_worker.service.reporting import Reporter
from bo_worker.service.rules import rules_of
from bo_worker.service.startup import await_servers
from bo_worker.service.sweep import Sweep
from bo_worker.service.vitals import Vitals
from bo_worker.service.waiting import Deadline, done_before
from bo_worker.store.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bo_worker.config import Settings
    from bo_worker.service.apply import Applied
    from bo_worker.service.batch import Batch
    from bo_worker.service.relay_process import RelayProcess
    from bo_worker.service.sweep import Done, Job

log = structlog.get_logger()
# Shares of the time for a stop: up to when the transactions at work, then the relay, must have ended.
_APPLIED_BY = 0.5
_FLUSHED_BY = 0.8
_CLOSE_MAX_S = 5.0
_PURPOSES = ("positions", "apply", "sweep", "relay", "vitals")


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class Worker:
    """One worker: an intake, an applier, a sweep, a relay, and what watches them. Built anew for each run.

    It leaves signals, logging and the garbage collector of the process alone: set `stopping` to end it. Where it is
    given a process for the relay, its own relay only stands in for that.
    """

    def __init__(
        self,
        settings: Settings,
        checkpoint: Callable[[str], None] = no_checkpoint,
        *,
        relay_process: RelayProcess | None = None,
        clock: Callable[[], datetime] = utc_now,
        jobs: Mapping[str, Job] = JOBS,
    ) -> None:
        self.settings = settings
        self.stopping = asyncio.Event()
        self.metrics = Metrics()
        self.metrics.show_topics(INPUT_TOPICS)
        self._checkpoint = checkpoint
        self._relay_process = relay_process
        self.clock = clock
        self._rules = rules_of(settings)
        self._started = asyncio.Event()
        self._draining = asyncio.Event()
        self._parts = Parts()
        self._reporter = Reporter(self.metrics)
        self._sessions = [Session(settings, purpose) for purpose in _PURPOSES]
        self._precedence = Precedence()
        self._publisher = Publisher(settings, give_way=self._precedence.give_way)
        self.intake = self._new_intake()
        self.applier = self._new_applier()
        self.sweep = self._new_sweep(jobs)
        self.relay = self._new_relay()
        self.vitals = self._new_vitals()

    async def serve(self) -> None:
        """Serve probes and metrics, wait for what the worker needs, and run.

        Raises:
            NotThereError: something the worker needs is not there in time.
            ConfigurationError: the address for probes can't be had.
            InvariantBrokenError: as `run` does.
        """
        async with self._probes():
            ready = await_servers(self.settings, INPUT_TOPICS)
            if await done_before(self.stopping, ready):
                await self.run()

    async def run(self) -> None:
        """Work until `stopping` is set, then end in order; within the time for that, whatever hangs.

        Raises:
            InvariantBrokenError: the worker can't go on.
        """
        parts = self._parts
        positions, apply, sweep, relay, vitals = self._sessions
        parts.start("reading", self.intake.read(), positions)
        parts.start("applying", self.intake.apply(self.applier), apply)
        parts.start("sweeping", self.sweep.run(), sweep)
        parts.start("relaying", self._relay_all(), relay)
        parts.start("watching", self.vitals.watch(), vitals)
        self._started.set()
        log.info("worker_started", version=version("bo-worker"), group=self.settings.kafka_group_id)
        close_s = _CLOSE_MAX_S
        try:
            await parts.run_until(self.stopping)
            deadline = Deadline(self.settings.shutdown_deadline_s)
            log.info("worker_stopping")
            await self._drain(deadline)
            close_s = min(close_s, deadline.left_s())
        finally:
            await parts.cut_off_all()
            await self._close(close_s)
        log.info("worker_stopped")

    async def _drain(self, deadline: Deadline) -> None:
        """Read no more, finish what is at work, publish what was committed. What is cut off is done anew later."""
        await self._parts.cut_off("reading")
        await self._parts.finish("applying", deadline.left_s(_APPLIED_BY))
        await self._parts.finish("sweeping", deadline.left_s(_APPLIED_BY))
        self._draining.set()
        self.relay.woken.set()
        await self._parts.finish("relaying", deadline.left_s(_FLUSHED_BY))
        await self.intake.commit_offsets()

    async def _close(self, left_s: float) -> None:
        """Leave the group and hang up."""
        await asyncio.gather(
            # The consumer takes longer than it is told where it has to be forced.
            self.intake.stop(left_s / 2),
            self._publisher.stop(left_s / 2),
            *(ended_within(left_s / 2, session.discard()) for session in self._sessions),
        )

    @asynccontextmanager
    async def _probes(self) -> AsyncIterator[None]:
        host, port = self.settings.http_host, self.settings.http_port
        async with AsyncExitStack() as stack:
            try:
                port = await stack.enter_async_context(serve_http(health_app(self.vitals.health), host, port))
            except OSError as error:
                raise ConfigurationError(
                    f"BO_HTTP_HOST, BO_HTTP_PORT: expected a free address, found {host}:{port} ({error.strerror})"
                ) from error
            log.info("http_serving", host=host, port=port)
            yield

    def _new_intake(self) -> Intake:
        return Intake(
            self.settings,
            self._sessions[0],
            self._new_consumer,
            precedence=self._precedence,
            stopping=self.stopping,
            decoded=self._reporter.decoded,
            retried=self._reporter.retried,
        )

    def _new_consumer(self, intake: Intake) -> Consumer:
        return Consumer(self.settings, INPUT_TOPICS, on_assigned=intake.on_assigned, on_revoked=intake.on_revoked)

    def _new_applier(self) -> Applier:
        settings = self.settings
        return Applier(
            self._sessions[1],
            self._rules,
            clock=self.clock,
            committed=self._committed,
            stopping=self.stopping,
            retry_wait_max_s=settings.retry_wait_max_s,
            checkpoint=self._applied_up_to,
            retried=self._apply_retried,
        )

    def _new_sweep(self, jobs: Mapping[str, Job]) -> Sweep:
        self.metrics.show_jobs(jobs)
        return Sweep(
            self.settings,
            self._sessions[2],
            self._rules,
            jobs,
            clock=self.clock,
            stopping=self.stopping,
            swept=self._swept,
            retried=self._reporter.retried,
        )

    def _new_relay(self) -> Relay:
        return Relay(self._sessions[3], self._publisher, self.settings, self._reporter, self._checkpoint)

    def _new_vitals(self) -> Vitals:
        return Vitals(
            self._sessions[4],
            self.metrics,
            self.intake,
            self.sweep,
            rank_by=self.settings.rank_by,
            started=self._started,
            stopping=self.stopping,
        )

    async def _relay_all(self) -> None:
        """Let the process for it publish; do it here where there is none, or none any more."""
        if self._relay_process is None or not await self._relay_process.run(self._draining, self._reporter):
            await self.relay.run(self._draining)

    def _wake_relay(self) -> None:
        self.relay.woken.set()
        if self._relay_process is not None:
            self._relay_process.wake()

    def _applied_up_to(self, point: str) -> None:
        if point == DECIDED:
            self._precedence.waive()
            if self._relay_process is not None:
                self._relay_process.hold()
        self._checkpoint(point)

    def _committed(self, batch: Batch, applied: Applied) -> None:
        self.intake.advance(batch)
        if applied.messages:
            self._wake_relay()
        if applied.leaves_due:
            self.sweep.woken.set()
        self._reporter.committed(batch, applied)

    def _swept(self, job: str, outcome: str, done: Done) -> None:
        if outcome == "done":
            self._checkpoint("after_job")
        if done.messages:
            self._wake_relay()
        self._reporter.swept(job, outcome, done)

    def _apply_retried(self, error: Exception) -> None:
        # A server that is away for long is no reason to restart the worker.
        self.intake.applying.mark()
        self._reporter.retried(error)
