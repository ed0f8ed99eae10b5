"""From Kafka to the applier: reads ahead within a limit, decodes, and cuts what has come into batches."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

import structlog

from bo_worker.kafka.errors import ConsumerFailed, KafkaUnavailable
from bo_worker.messages.inbound import decode
from bo_worker.observability.health import Progress
from bo_worker.service.applier import StoppedError
from bo_worker.service.batch import Batch
from bo_worker.service.failures import InvariantBrokenError, pauses, remedy
from bo_worker.service.waiting import happens_within
from bo_worker.store.positions import Position, StalePositionError, claim_partitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bo_worker.config import Settings
    from bo_worker.kafka.consumer import Consumer
    from bo_worker.messages.inbound import Decoded, Refused
    from bo_worker.messages.record import Record
    from bo_worker.service.applier import Applier
    from bo_worker.service.precedence import Precedence
    from bo_worker.store.positions import Partition
    from bo_worker.store.session import Session

log = structlog.get_logger()
_FETCH_WAIT_S = 0.2
_DECODE_SLICE = 25
_HANDOVER_WAIT_S = 5.0
_FIRST_PAUSE_S = 0.1
_NO_BYTES = b""


class Intake:
    """What has been read and not applied yet, and the positions of our partitions (full topic names).

    `decoded` is told the records and the seconds of each slice that was decoded, `retried` of each error that
    passes by itself. `reading` and `applying` tell whether the two go on, if only with the next attempt.
    """

    def __init__(
        self,
        settings: Settings,
        session: Session,
        new_consumer: Callable[[Intake], Consumer],
        *,
        precedence: Precedence,
        stopping: asyncio.Event,
        decoded: Callable[[list[Record], float], None],
        retried: Callable[[Exception], None],
    ) -> None:
        self._settings = settings
        self._session = session
        self._new_consumer = new_consumer
        self._precedence = precedence
        self._stopping = stopping
        self._decoded = decoded
        self._retried = retried
        self._queue: deque[Decoded | Refused] = deque()
        self._bytes = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self.positions: dict[Partition, Position] = {}
        self.consumer: Consumer | None = None
        self.reading = Progress(_silence_max_s(settings))
        self.applying = Progress(_silence_max_s(settings))

    async def read(self) -> None:
        """Read until asked to stop. Servers that go away are waited for."""
        waits = self._new_pauses()
        while not self._stopping.is_set():
            self.reading.mark()
            try:
                await self._read_once()
                waits = self._new_pauses()
            except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
                await self._mend(error)
                await happens_within(next(waits), self._stopping)

    async def apply(self, applier: Applier) -> None:
        """Apply what has come, batch by batch, until asked to stop; now and then look after unfinished causes."""
        look_at = 0.0
        while not self._stopping.is_set():
            if not self._queue:
                self._arrived.clear()
                await happens_within(self._settings.unfinished_poll_s, self._arrived)
            batch = self._take()
            try:
                self._idle.clear()
                if batch.items:
                    self._precedence.claim()
                    await applier.apply(batch)
                if time.monotonic() >= look_at:
                    await applier.finish_all()
                    look_at = time.monotonic() + self._settings.unfinished_poll_s
            except StalePositionError as error:
                self._drop(batch, error)
            except StoppedError:
                return
            finally:
                self._precedence.waive()
                self._idle.set()
                self.applying.mark()

    def advance(self, batch: Batch) -> None:
        """Note that a batch is committed."""
        self.applying.mark()
        for partition, position in batch.ends().items():
            mine = self.positions.get(partition)
            if mine is not None and mine.epoch == position.epoch:
                self.positions[partition] = position

    async def on_assigned(self, partitions: list[Partition]) -> Mapping[Partition, int | None]:
        """Take ownership of partitions in the database; return where to read on."""
        prefix = self._settings.topic_prefix
        self._forget(partitions)
        try:
            claimed = await claim_partitions(
                await self._session.connected(), [(prefix + topic, number) for topic, number in partitions]
            )
        except Exception:
            await self._session.discard()
            raise
        self.positions.update(claimed)
        log.info("partitions_assigned", partitions=len(partitions))
        return {(topic, number): claimed[prefix + topic, number].next_offset for topic, number in partitions}

    async def on_revoked(self, partitions: list[Partition]) -> None:
        """Let go of partitions: drop what was read ahead, and let the batch at work end if it is quick."""
        self._forget(partitions)
        await happens_within(_HANDOVER_WAIT_S, self._idle)
        log.info("partitions_revoked", partitions=len(partitions))

    async def commit_offsets(self) -> None:
        """Tell lag tools how far the partitions are applied."""
        prefix = self._settings.topic_prefix
        if self.consumer is not None:
            await self.consumer.commit(
                {
                    (topic.removeprefix(prefix), number): position.next_offset
                    for (topic, number), position in self.positions.items()
                    if position.next_offset is not None
                }
            )

    async def _read_once(self) -> None:
        if self.consumer is None:
            consumer = self._new_consumer(self)
            await consumer.start(self._settings.kafka_request_timeout_s)
            self.consumer = consumer
        records = await self.consumer.fetch(_FETCH_WAIT_S)
        for first in range(0, len(records), _DECODE_SLICE):
            await self._wait_for_room()
            await self._precedence.give_way()
            self._put(records[first : first + _DECODE_SLICE])

    async def _wait_for_room(self) -> None:
        while self._is_full() and not self._stopping.is_set():
            self.reading.mark()
            self._taken.clear()
            await happens_within(_FETCH_WAIT_S, self._taken)

    def _is_full(self) -> bool:
        # Decoded inputs are many small objects: no more of them than the next batch takes.
        settings = self._settings
        return len(self._queue) >= settings.batch_records_max or self._bytes > settings.queue_bytes_max

    def _put(self, records: list[Record]) -> None:
        """Decode records and queue those that are ours and not applied yet."""
        started = time.perf_counter()
        prefix = self._settings.topic_prefix
        for record in records:
            position = self.positions.get((prefix + record.topic, record.partition))
            if position is None or record.offset < (position.next_offset or 0):
                continue
            self._bytes += _size(record)
            self._queue.append(decode(record, self._settings.message_bytes_max))
        self._arrived.set()
        self._decoded(records, time.perf_counter() - started)

    def _take(self) -> Batch:
        """Cut the next batch: at most so many records, at most so many bytes, but at least one record."""
        settings = self._settings
        if len(self._queue) <= settings.batch_records_max and self._bytes <= settings.batch_bytes_max:
            items = list(self._queue)
            self._queue.clear()
            self._bytes = 0
        else:
            items = self._take_first(settings.batch_records_max, settings.batch_bytes_max)
        self._taken.set()
        return Batch(items, self.positions, settings.topic_prefix)

    def _take_first(self, records_max: int, bytes_max: int) -> list[Decoded | Refused]:
        items: list[Decoded | Refused] = []
        bytes_left = bytes_max
        while self._queue and len(items) < records_max:
            size = _size(self._queue[0].record)
            if items and size > bytes_left:
                break
            bytes_left -= size
            items.append(self._queue.popleft())
        self._bytes -= bytes_max - bytes_left
        return items

    def _forget(self, partitions: Iterable[Partition]) -> None:
        """Drop what was read ahead from partitions, and their positions."""
        lost = set(partitions)
        kept = [item for item in self._queue if (item.record.topic, item.record.partition) not in lost]
        self._queue = deque(kept)
        self._bytes = sum(_size(item.record) for item in kept)
        for topic, number in lost:
            self.positions.pop((self._settings.topic_prefix + topic, number), None)

    def _drop(self, batch: Batch, error: StalePositionError) -> None:
        """Give up the partitions of a batch that must not be written, and ask anew where to read them.

        Those that are still ours would otherwise go on behind the records that are dropped here.
        """
        log.warning("batch_dropped", reason=str(error))
        lost = [
            partition
            for partition, base in batch.bases.items()
            if partition in self.positions and self.positions[partition].epoch == base.epoch
        ]
        prefix = self._settings.topic_prefix
        self._forget([(topic.removeprefix(prefix), number) for topic, number in lost])
        if lost and self.consumer is not None:
            self.consumer.ask_again()

    async def _mend(self, error: Exception) -> None:
        """Wait for servers that are away; build a new consumer where the old one can't go on."""
        if isinstance(error, ConsumerFailed):
            await self.stop(_HANDOVER_WAIT_S)
        elif not isinstance(error, KafkaUnavailable) and remedy(error) != "retry":
            raise InvariantBrokenError(str(error)) from error
        log.warning("read_retried", error=repr(error))
        self._retried(error)

    async def stop(self, deadline_s: float) -> None:
        """Leave the group."""
        consumer, self.consumer = self.consumer, None
        if consumer is not None:
            await consumer.stop(deadline_s)

    def _new_pauses(self) -> Iterator[float]:
        return pauses(_FIRST_PAUSE_S, self._settings.retry_wait_max_s)


def _silence_max_s(settings: Settings) -> float:
    """Return a time in which each attempt ends, one way or the other, unless something is stuck for good."""
    return 60 + 2 * (settings.database_statement_timeout_s + settings.kafka_request_timeout_s)


def _size(record: Record) -> int:
    return len(record.value or _NO_BYTES) + 100
