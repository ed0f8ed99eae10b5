"""What the pipeline does, as metrics and log lines; never with the contents of a message."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo_worker.messages.record import Record
    from bo_worker.observability.metrics import Metrics
    from bo_worker.service.apply import Applied
    from bo_worker.service.batch import Batch
    from bo_worker.service.sweep import Done

log = structlog.get_logger()
# A batch full of broken messages must not drown the log: the metrics and the dead letters have them all.
_DEAD_LETTERS_LOGGED_MAX = 20


class Reporter:
    """Listens to intake, applier, sweep and relay."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def decoded(self, records: list[Record], seconds: float) -> None:
        """Records were read and decoded."""
        for topic, count in Counter([record.topic for record in records]).items():
            self._metrics.records_consumed.labels(topic).inc(count)
        self._metrics.phase_seconds.labels("decode").inc(seconds)

    def committed(self, batch: Batch, applied: Applied) -> None:
        """A transaction was committed: a batch, or (without items) a step of a large change."""
        for kind, count in applied.units.items():
            self._metrics.units.labels(kind).inc(count)
        if batch.items:
            self._count(len(batch.items), applied)
            _log_batch(len(batch.items), applied)

    def swept(self, job: str, outcome: str, done: Done) -> None:
        """A transaction of a job of the sweep has ended."""
        self._metrics.sweep_jobs.labels(job, outcome).inc()
        for kind, count in done.units.items():
            self._metrics.units.labels(kind).inc(count)
        if done.messages or done.units:
            log.info("sweep_job_done", job=job, messages=done.messages, units=dict(done.units))

    def published(self, counts: Mapping[str, int], seconds: float) -> None:
        """Kafka has acknowledged messages: how many by topic."""
        for topic, count in counts.items():
            self._metrics.messages_published.labels(topic).inc(count)
        self._metrics.phase_seconds.labels("publish").inc(seconds)

    def relay_led(self, is_leader: bool) -> None:  # noqa: FBT001 - a callback
        """The relay of this worker leads from now on, or no more."""
        self._metrics.relay_leader.set(is_leader)

    def relay_retried(self, error: str) -> None:
        """The relay met an error of this name, which passes by itself."""
        self._metrics.retries.labels(error).inc()

    def retried(self, error: Exception) -> None:
        """Something failed for a reason that passes by itself."""
        self.relay_retried(type(error).__name__)

    def _count(self, records: int, applied: Applied) -> None:
        metrics = self._metrics
        metrics.batch_records.observe(records)
        metrics.batch_duration.observe(applied.seconds)
        metrics.phase_seconds.labels("core").inc(applied.core_s)
        metrics.phase_seconds.labels("database").inc(max(0.0, applied.seconds - applied.core_s))
        for (topic, outcome), count in applied.outcomes.items():
            metrics.commands.labels(topic, outcome).inc(count)
        for (topic, error), count in applied.dead_letters.items():
            metrics.dead_letters.labels(topic, error).inc(count)


def _log_batch(records: int, applied: Applied) -> None:
    outcomes: Counter[str] = Counter()
    for (_, outcome), count in applied.outcomes.items():
        outcomes[outcome] += count
    log.info(
        "batch_applied",
        records=records,
        **outcomes,
        messages=applied.messages,
        seconds=round(applied.seconds, 6),
        core_s=round(applied.core_s, 6),
    )
    for refused in applied.refused[:_DEAD_LETTERS_LOGGED_MAX]:
        record = refused.record
        log.warning(
            "message_dead_lettered",
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            error=refused.error,
            reason=refused.reason,
        )
