"""Messages in: the partitions that the group gives to this worker, read from positions stored elsewhere."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from bo_worker.kafka.client import cancel_all, client_arguments, ended_within, started
from bo_worker.kafka.errors import ConsumerFailed
from bo_worker.kafka.group_offsets import GroupOffsets
from bo_worker.kafka.log_range import offsets_in_log
from bo_worker.messages.record import Record

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
    from typing import Any

    from bo_worker.config import Settings

    Partition = tuple[str, int]  # a topic without prefix, and the number of the partition
    Assigned = Callable[[list[Partition]], Awaitable[Mapping[Partition, int | None]]]
    Revoked = Callable[[list[Partition]], Awaitable[None]]

_POLL_MS = 1000
_FETCH_WAIT_MS = 100  # also how long a request from an old position may delay one from a new position
_FETCH_BYTES_MAX = 4 * 1024 * 1024  # as compressed; it is several times as much in memory
_REBALANCE_MARGIN_S = 5.0


class Lag(NamedTuple):
    """How far reading is behind: messages left in the log, and seconds since the last one read was written."""

    records: int
    seconds: float


class _Reading(NamedTuple):
    """Where reading a partition is: the next offset, and when the last message was written (epoch seconds)."""

    offset: int
    written_at: float


class Consumer(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """A member of the group. `on_assigned` tells the next offset of each partition, None for its beginning.

    It runs inside `fetch`: its errors come out there, and the next `fetch` asks it again. `on_revoked` runs
    before the partitions go to others; the group waits for it, at most for the session timeout.
    Topics are named without the prefix everywhere. `fetch` may be cancelled at any time.
    """

    def __init__(
        self, settings: Settings, topics: Sequence[str], *, on_assigned: Assigned, on_revoked: Revoked
    ) -> None:
        self._settings = settings
        self._names = {settings.topic_prefix + topic: topic for topic in topics}
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._consumer: Any = None
        self._poll: asyncio.Task[dict[TopicPartition, list[Any]]] | None = None
        self._woken = asyncio.Event()
        self._failure: Exception | None = None
        self._joined = False
        self._unplaced: set[TopicPartition] = set()  # assigned, where to read is not known yet
        self._reading: dict[TopicPartition, _Reading] = {}
        self._moved: set[TopicPartition] = set()  # placed anew while a poll was under way
        self._group_offsets = GroupOffsets(settings.kafka_request_timeout_s)

    async def start(self, deadline_s: float) -> None:
        """Connect and begin to join the group; partitions come with a later `fetch`.

        Raises:
            KafkaUnavailable: Kafka did not answer within `deadline_s`.
        """
        self._consumer = await started(self._new_consumer, lambda consumer: consumer.stop(), deadline_s)
        self._consumer.subscribe(list(self._names), listener=self)

    async def fetch(self, timeout_s: float) -> list[Record]:
        """What has arrived, in the order of each partition; waits up to `timeout_s` for the first message.

        Raises:
            OffsetOutsideLog: A stored offset is not in the log.
            KafkaUnavailable: Kafka does not answer; fetch again later.
            ConsumerFailed: Stop this consumer and build a new one.
        """
        if self._failure is not None:
            raise self._failure
        if self._consumer is None:
            raise ConsumerFailed("not started")
        await self._place_assigned()
        self._group_offsets.commit_if_due(self._consumer)
        if self._poll is None:
            self._moved.clear()
            self._poll = asyncio.create_task(self._consumer.getmany(timeout_ms=_POLL_MS))
        if not await self._finished(self._poll, timeout_s):
            return []
        poll, self._poll = self._poll, None
        return await self._result(poll)

    def wake(self) -> None:
        """Let the `fetch` under way, or else the next one, return at once."""
        self._woken.set()

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Read on from `offset`; a partition that is not ours any more is left alone."""
        tp = self._full(topic, partition)
        if tp in self._reading:
            self._place(tp, offset)

    def ask_again(self) -> None:
        """Let the next `fetch` ask `on_assigned` anew where to read, for every partition that is ours."""
        if self._reading:
            self._unplaced = self._unplaced | self._reading.keys()
            self._reading.clear()
            self.wake()

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell lag tools the next offset of each partition; done in the background, failures are ignored."""
        self._group_offsets.note({self._full(*partition): offset for partition, offset in offsets.items()})

    def assignment(self) -> list[Partition]:
        """The partitions that are ours and have a position."""
        return [self._short(tp) for tp in sorted(self._reading)]

    @property
    def joined(self) -> bool:
        """Whether the group has given us our share, which may be no partition at all."""
        return self._joined

    async def end_offsets(self) -> dict[Partition, int]:
        """The end of each partition's log as of the last answer of its broker; absent before the first."""
        known = ((tp, self._consumer.highwater(tp)) for tp in self._reading)
        return {self._short(tp): end for tp, end in known if end is not None}

    async def lag(self) -> dict[Partition, Lag]:
        """How far each partition's reading is behind; costs no request."""
        now, ends = time.time(), await self.end_offsets()
        lags = {}
        for tp, (offset, written_at) in self._reading.items():
            records = max(0, ends.get(self._short(tp), offset) - offset)
            lags[self._short(tp)] = Lag(records, max(0.0, now - written_at) if records and written_at else 0.0)
        return lags

    async def stop(self, deadline_s: float) -> None:
        """Commit what was noted and leave the group, or give up after `deadline_s`; never raises."""
        consumer, self._consumer = self._consumer, None
        if consumer is None:
            return
        self._joined = False
        self._reading.clear()
        await ended_within(deadline_s / 3, self._group_offsets.finish(consumer))
        if not await ended_within(deadline_s / 3, consumer.stop()):
            await ended_within(deadline_s / 3, _abandon(consumer))
        await cancel_all([self._poll])

    # What aiokafka calls in a rebalance. It logs and forgets exceptions, so they are kept for `fetch`.

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget the positions, then let the owner of `on_revoked` finish."""
        self._joined = False
        self._unplaced.clear()
        self._reading.clear()
        try:
            if revoked:
                await self._on_revoked([self._short(tp) for tp in sorted(revoked)])
        except Exception as error:  # noqa: BLE001 - raised again by the next fetch
            self._failure = error

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note what is ours; no heartbeat is sent during this call, so the positions are asked for in `fetch`."""
        self._unplaced = set(assigned)
        self._joined = True
        self.wake()

    def _new_consumer(self) -> AIOKafkaConsumer:
        settings = self._settings
        # A request to join the group is answered only when all members have come, so it may take that long.
        rebalance_s = settings.kafka_session_timeout_s
        request_s = max(settings.kafka_request_timeout_s, rebalance_s + _REBALANCE_MARGIN_S)
        return AIOKafkaConsumer(
            **client_arguments(settings, "consumer") | {"request_timeout_ms": round(request_s * 1000)},
            group_id=settings.kafka_group_id,
            auto_offset_reset="none",
            enable_auto_commit=False,
            isolation_level="read_committed",
            session_timeout_ms=round(settings.kafka_session_timeout_s * 1000),
            heartbeat_interval_ms=round(settings.kafka_session_timeout_s * 100),
            rebalance_timeout_ms=round(rebalance_s * 1000),
            fetch_max_bytes=_FETCH_BYTES_MAX,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )

    async def _place_assigned(self) -> None:
        """Ask for the positions of new partitions, and drop the answer if the assignment changed meanwhile."""
        unplaced = self._unplaced
        if not unplaced:
            return
        stored = await self._on_assigned([self._short(tp) for tp in sorted(unplaced)])
        wanted = {tp: stored.get(self._short(tp)) for tp in unplaced}
        offsets = await self._in_log(wanted)
        if self._unplaced is unplaced:
            self._unplaced = set()
            for tp, offset in offsets.items():
                self._place(tp, offset)

    async def _in_log(self, wanted: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        return await offsets_in_log(self._consumer, wanted, self._settings.kafka_request_timeout_s)

    def _place(self, tp: TopicPartition, offset: int) -> None:
        self._reading[tp] = _Reading(offset, 0.0)
        self._moved.add(tp)
        self._consumer.seek(tp, offset)

    async def _finished(self, poll: asyncio.Task[Any], timeout_s: float) -> bool:
        """Wait without ever cancelling the poll: a cancelled one leaves the client in a wrong state."""
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait((poll, woken), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._woken.clear()
            woken.cancel()
        return poll.done()

    async def _result(self, poll: asyncio.Task[dict[TopicPartition, list[Any]]]) -> list[Record]:
        try:
            return self._records(poll.result())
        except NoOffsetForPartitionError:
            return []  # it had no position yet; it has one now, or the next fetch gives it one
        except OffsetOutOfRangeError as error:
            await self._replace(error.args[0])
            return []
        except KafkaError as error:
            # What the client had at hand for other partitions may be lost to it, so it must not go on.
            raise ConsumerFailed(repr(error)) from error

    async def _replace(self, refused: Mapping[TopicPartition, int]) -> None:
        """Go back to where the broker refused to read; it may have been a moment's weakness of a new leader."""
        wanted = {tp: self._reading[tp].offset for tp in refused if tp in self._reading}
        for tp, offset in (await self._in_log(wanted)).items():
            if tp in self._reading:
                self._place(tp, offset)

    def _records(self, fetched: Mapping[TopicPartition, list[Any]]) -> list[Record]:
        records: list[Record] = []
        for tp, found in fetched.items():
            if tp not in self._reading:
                continue  # read before we knew where to start, or not ours any more
            expected = self._reading[tp].offset
            if tp in self._moved and found[0].offset != expected:
                self._consumer.seek(tp, expected)  # perhaps read before the move, so read it again
                continue
            self._reading[tp] = _Reading(found[-1].offset + 1, found[-1].timestamp / 1000)
            topic, partition = self._short(tp)
            records += [
                Record(topic, partition, r.offset, r.key, r.value, r.headers) for r in found if r.offset >= expected
            ]
        return records

    def _short(self, tp: TopicPartition) -> Partition:
        return self._names[tp.topic], tp.partition

    def _full(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic_prefix + topic, partition)


async def _abandon(consumer: AIOKafkaConsumer) -> None:
    """End what `stop` could not: left alone it would stay in the group and keep its partitions."""
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001 - no public way
    await cancel_all(
        [
            coordinator._coordination_task,  # noqa: SLF001 - as above
            coordinator._heartbeat_task,  # noqa: SLF001 - as above
            coordinator._commit_refresh_task,  # noqa: SLF001 - as above
            fetcher._fetch_task,  # noqa: SLF001 - as above
            *fetcher._pending_tasks,  # noqa: SLF001 - as above
        ]
    )
    await consumer._client.close()  # noqa: SLF001 - as above
