"""Messages in: the partitions that the group gives to this worker, read from positions stored elsewhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from bo_worker.kafka.client import cancel_all, client_arguments, ended_within, started
from bo_worker.kafka.errors import ConsumerFailed
from bo_worker.kafka.group_offsets import GroupOffsets
from bo_worker.kafka.log_range import offsets_in_log
from bo_worker.kafka.reading import Lag, Reading

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from bo_worker.config import Settings
    from bo_worker.messages.record import Record

    Partition = tuple[str, int]  # a topic without prefix, and the number of the partition
    Assigned = Callable[[list[Partition]], Awaitable[Mapping[Partition, int | None]]]
    Revoked = Callable[[list[Partition]], Awaitable[None]]

_POLL_MS = 1000
_FETCH_WAIT_MS = 100  # also how long a request from an old position may delay one from a new position
# As compressed: in memory it can be forty times as much. A message that is larger still comes, on its own.
_FETCH_BYTES_MAX = 512 * 1024
_PARTITION_BYTES_MAX = 128 * 1024
_REBALANCE_MARGIN_S = 5.0


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
        self._client: Any = None
        self._reading = Reading(None)
        self._group_offsets = GroupOffsets(settings.kafka_request_timeout_s)
        self._poll: asyncio.Task[dict[TopicPartition, list[Any]]] | None = None
        self._woken: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._joined = False

    async def start(self, deadline_s: float) -> None:
        """Connect and begin to join the group; partitions come with a later `fetch`.

        Raises:
            KafkaUnavailable: Kafka did not answer within `deadline_s`.
        """
        self._client = await started(self._new_client, lambda client: client.stop(), deadline_s)
        self._reading = Reading(self._client)
        self._client.subscribe(list(self._names), listener=self)

    async def fetch(self, timeout_s: float) -> list[Record]:
        """What has arrived, in the order of each partition; waits up to `timeout_s` for the first message.

        Raises:
            OffsetOutsideLog: A stored offset is not in the log.
            KafkaUnavailable: Kafka does not answer; fetch again later.
            ConsumerFailed: Stop this consumer and build a new one.
        """
        self._check_usable()
        await self._place_assigned()
        self._group_offsets.commit_if_due(self._client)
        if self._poll is None:
            self._reading.begin_poll()
            self._poll = asyncio.create_task(self._client.getmany(timeout_ms=_POLL_MS))
        if not await self._ends_within(timeout_s, self._poll):
            return []
        poll, self._poll = self._poll, None
        return await self._result(poll)

    def wake(self) -> None:
        """Let the `fetch` under way return at once."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    async def seek(self, topic: str, partition: int, offset: int) -> None:
        """Read on from `offset`; a partition that is not ours any more is left alone."""
        tp = self._full(topic, partition)
        if tp in self._reading.offsets():
            self._reading.place({tp: offset})

    def ask_again(self) -> None:
        """Let the next `fetch` ask `on_assigned` anew where to read, for every partition that is ours."""
        self._reading.ask_again()
        self.wake()

    async def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Tell lag tools the next offset of each partition; done in the background, failures are ignored."""
        self._group_offsets.note({self._full(*partition): offset for partition, offset in offsets.items()})

    def assignment(self) -> list[Partition]:
        """The partitions that are ours and have a position."""
        return [self._short(tp) for tp in sorted(self._reading.offsets())]

    @property
    def joined(self) -> bool:
        """Whether the group has given us our share, which may be no partition at all, and answers."""
        return self._joined and self._client._coordinator.coordinator_id is not None  # noqa: SLF001 - no public way

    async def end_offsets(self) -> dict[Partition, int]:
        """The end of each partition's log as of the last answer of its broker; absent before the first."""
        return {self._short(tp): end for tp, end in self._reading.ends().items()}

    async def lag(self) -> dict[Partition, Lag]:
        """How far the reading of each partition is behind; costs no request."""
        return {self._short(tp): lag for tp, lag in self._reading.lag().items()}

    async def stop(self, deadline_s: float) -> None:
        """Commit what was noted and leave the group, or give up after `deadline_s`; never raises."""
        client, self._client = self._client, None
        if client is None:
            return
        self._joined = False
        self._reading.assign([])
        await ended_within(deadline_s / 3, self._group_offsets.finish(client))
        if not await ended_within(deadline_s / 3, client.stop()):
            await ended_within(deadline_s / 3, _abandon(client))
        await cancel_all([self._poll])

    # What the client calls in a rebalance. It logs and forgets exceptions, so they are kept for `fetch`.

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Forget where we read, then let the caller finish."""
        self._joined = False
        self._reading.assign([])
        try:
            if revoked:
                await self._on_revoked([self._short(tp) for tp in sorted(revoked)])
        except Exception as error:  # noqa: BLE001 - raised again by the next fetch
            self._failure = error

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Note what is ours. No heartbeat is sent during this call, so `fetch` asks where to read."""
        self._reading.assign(assigned)
        self._joined = True
        self.wake()

    def _new_client(self) -> AIOKafkaConsumer:
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
            max_partition_fetch_bytes=_PARTITION_BYTES_MAX,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )

    def _check_usable(self) -> None:
        if self._failure is not None:
            raise ConsumerFailed("partitions could not be handed over") from self._failure
        if self._client is None:
            raise ConsumerFailed("not started")
        if any(task.done() for task in _running_tasks(self._client)):
            raise ConsumerFailed("the client stopped reading")

    async def _place_assigned(self) -> None:
        """Ask where to read new partitions, and drop the answer if the assignment changed meanwhile."""
        unplaced = self._reading.unplaced
        if not unplaced:
            return
        stored = await self._on_assigned([self._short(tp) for tp in sorted(unplaced)])
        offsets = await self._in_log({tp: stored.get(self._short(tp)) for tp in unplaced})
        if self._reading.unplaced is unplaced:
            self._reading.place(offsets)

    async def _in_log(self, wanted: Mapping[TopicPartition, int | None]) -> dict[TopicPartition, int]:
        return await offsets_in_log(self._client, wanted, self._settings.kafka_request_timeout_s)

    async def _ends_within(self, timeout_s: float, poll: asyncio.Task[Any]) -> bool:
        """Wait without ever cancelling the poll: a cancelled one leaves the client in a wrong state."""
        self._woken = asyncio.get_running_loop().create_future()
        await asyncio.wait((poll, self._woken), timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        return poll.done()

    async def _result(self, poll: asyncio.Task[dict[TopicPartition, list[Any]]]) -> list[Record]:
        if poll.cancelled():
            raise ConsumerFailed("the client gave up reading")
        try:
            return self._reading.accept(poll.result(), self._names)
        except NoOffsetForPartitionError:
            return []  # it had no position yet; it has one now, or the next fetch gives it one
        except OffsetOutOfRangeError as error:
            await self._check_again(error.args[0])
            return []
        except KafkaError as error:
            # What the client had at hand for other partitions may be lost to it, so it must not go on.
            raise ConsumerFailed(repr(error)) from error

    async def _check_again(self, refused: Iterable[TopicPartition]) -> None:
        """Go back to where the broker refused to read: it may have been a moment's weakness of a new leader."""
        offsets = self._reading.offsets()
        checked = await self._in_log({tp: offsets[tp] for tp in refused if tp in offsets})
        if self._reading.offsets() == offsets:
            self._reading.place(checked)

    def _short(self, tp: TopicPartition) -> Partition:
        return self._names[tp.topic], tp.partition

    def _full(self, topic: str, partition: int) -> TopicPartition:
        return TopicPartition(self._settings.topic_prefix + topic, partition)


def _running_tasks(client: AIOKafkaConsumer) -> list[asyncio.Future[Any]]:
    """The client's tasks without which it would be silent for ever.

    An error that it does not foresee ends them without a word: with uvloop, a write to a connection that was just
    lost ends the refreshing of metadata.
    """
    return [
        client._fetcher.error_future,  # noqa: SLF001 - no public way
        client._coordinator._coordination_task,  # noqa: SLF001 - as above
        client._client._sync_task,  # noqa: SLF001 - as above
    ]


async def _abandon(client: AIOKafkaConsumer) -> None:
    """End what `stop` could not: left alone it would stay in the group and keep its partitions."""
    coordinator, fetcher = client._coordinator, client._fetcher  # noqa: SLF001 - there is no public way
    await cancel_all(
        [
            coordinator._coordination_task,  # noqa: SLF001 - as above
            coordinator._heartbeat_task,  # noqa: SLF001 - as above
            coordinator._commit_refresh_task,  # noqa: SLF001 - as above
            fetcher._fetch_task,  # noqa: SLF001 - as above
            *fetcher._pending_tasks,  # noqa: SLF001 - as above
        ]
    )
    await client._client.close()  # noqa: SLF001 - as above
