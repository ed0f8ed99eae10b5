"""Every metric of the worker, in base units; no label names a product, an order or a customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PHASES: Final = ("decode", "core", "database", "publish")
SWEEP_OUTCOMES: Final = ("done", "busy", "failed")
UNIT_KINDS: Final = ("ship", "cross_dock", "put_away", "backordered")
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_RECORDS: Final = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)


class Metrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.records_consumed = self._counter("records_consumed", "Messages read, by topic.", "topic")
        self.batch_duration = Histogram(
            "bo_worker_batch_duration_seconds",
            "Time from the first statement of a batch to its commit.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.batch_records = Histogram(
            "bo_worker_batch_records", "Messages in a batch.", buckets=_RECORDS, registry=self.registry
        )
        self.phase_seconds = self._counter("phase_seconds", "Time spent, by phase of the work.", "phase")
        self.commands = self._counter(
            "commands",
            "Messages dealt with, by topic and outcome (applied, duplicate, dead_lettered).",
            "topic",
            "outcome",
        )
        self.dead_letters = self._counter("dead_letters", "Messages put aside, by topic and error.", "topic", "error")
        self.messages_published = self._counter(
            "messages_published", "Messages acknowledged by Kafka, by topic.", "topic"
        )
        self.units = self._counter(
            "units", "Units of goods, by what became of them (ship, cross_dock, put_away, backordered).", "kind"
        )
        self.retries = self._counter("retries", "Attempts after a passing fault, by kind of fault.", "kind")
        self.sweep_jobs = self._counter(
            "sweep_jobs", "Transactions of the sweep, by job and outcome (done, busy, failed).", "job", "outcome"
        )
        self.outbox_rows = self._gauge("outbox_rows", "Rows of the outbox that wait to be published.")
        self.outbox_oldest_age = self._gauge("outbox_oldest_age_seconds", "Age of the oldest row of the outbox.")
        self.lag_records = self._gauge(
            "lag_records", "Messages not read yet, by topic and partition.", "topic", "partition"
        )
        self.lag_seconds = self._gauge(
            "lag_seconds",
            "Age of the message read last where more wait, by topic and partition.",
            "topic",
            "partition",
        )
        self.partitions_owned = self._gauge(
            "partitions_owned", "Partitions that the group gave to this worker; 0 while it is no member."
        )
        self.unfinished_fills = self._gauge(
            "unfinished_fills", "Receipts too large for one transaction whose stock is still being given out."
        )
        self.relay_leader = self._gauge("relay_leader", "1 on the worker that publishes the outbox, else 0.")
        self._show_zeros()

    def show_lag(self, lag: Mapping[tuple[str, int], tuple[float, float]]) -> None:
        """Set the lag (messages, seconds) of the partitions that are ours and forget those of all others."""
        self.lag_records.clear()
        self.lag_seconds.clear()
        self.partitions_owned.set(len(lag))
        for (topic, partition), (records, seconds) in lag.items():
            self.lag_records.labels(topic, str(partition)).set(records)
            self.lag_seconds.labels(topic, str(partition)).set(seconds)

    def show_jobs(self, names: Iterable[str]) -> None:
        """Begin the series of the sweep's jobs, so that a job that never runs can be seen."""
        for name in names:
            for outcome in SWEEP_OUTCOMES:
                self.sweep_jobs.labels(name, outcome)

    def show_topics(self, names: Iterable[str]) -> None:
        """Begin the series of dead letters of each topic in: the first one after a start must show as an increase."""
        for name in names:
            self.commands.labels(name, "dead_lettered")

    def _show_zeros(self) -> None:
        """A series that exists from the start can be told from one that is missing."""
        for phase in PHASES:
            self.phase_seconds.labels(phase)
        for kind in UNIT_KINDS:
            self.units.labels(kind)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"bo_worker_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"bo_worker_{name}", help_text, labels, registry=self.registry)
