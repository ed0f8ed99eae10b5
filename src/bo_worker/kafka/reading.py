"""Where each of our partitions is read, and which records of a poll are good to pass on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from bo_worker.messages.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaConsumer, TopicPartition


class Lag(NamedTuple):
    """How far reading is behind: messages left in the log, and seconds since the last one read was written."""

    records: int
    seconds: float


class _Place(NamedTuple):
    """The next offset to read, and when the message before it was written (epoch seconds, 0.0 if unknown)."""

    offset: int
    written_at: float


class Reading:
    """The partitions of one consumer: assigned first, placed when it is known where to read them.

    The client reads assigned partitions from offsets of its own choice before they are placed, and a poll may be
    under way while they are placed or taken away. What such a poll brings is dropped here.
    """

    def __init__(self, client: AIOKafkaConsumer) -> None:
        self._client = client
        self.unplaced: frozenset[TopicPartition] = frozenset()
        self._places: dict[TopicPartition, _Place] = {}
        self._moved: set[TopicPartition] = set()  # placed while a poll was under way

    def assign(self, partitions: Iterable[TopicPartition]) -> None:
        """Take over partitions; those we had are forgotten."""
        self.unplaced = frozenset(partitions)
        self._places.clear()

    def ask_again(self) -> None:
        """Turn placed partitions into unplaced ones."""
        self.assign(self.unplaced | self._places.keys())

    def place(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Read on from these offsets."""
        self.unplaced = self.unplaced - offsets.keys()
        for tp, offset in offsets.items():
            self._places[tp] = _Place(offset, 0.0)
            self._moved.add(tp)
            self._client.seek(tp, offset)

    def offsets(self) -> dict[TopicPartition, int]:
        """The next offset of each placed partition."""
        return {tp: place.offset for tp, place in self._places.items()}

    def ends(self) -> dict[TopicPartition, int]:
        """The end of each partition's log, as its broker last said; absent before it has."""
        ends = {tp: self._client.highwater(tp) for tp in self._places}
        return {tp: end for tp, end in ends.items() if end is not None}

    def lag(self) -> dict[TopicPartition, Lag]:
        """How far each placed partition is behind."""
        now, ends = time.time(), self.ends()
        lag = {}
        for tp, place in self._places.items():
            records = max(0, ends.get(tp, place.offset) - place.offset)
            lag[tp] = Lag(records, max(0.0, now - place.written_at) if records and place.written_at else 0.0)
        return lag

    def begin_poll(self) -> None:
        """A poll begins: what it brings is from the present places, unless they are moved meanwhile."""
        self._moved.clear()

    def accept(self, fetched: Mapping[TopicPartition, list[Any]], names: Mapping[str, str]) -> list[Record]:
        """The records of a poll that follow on from our places; `names` gives the names of topics to use."""
        records: list[Record] = []
        for tp, found in fetched.items():
            if tp not in self._places:
                continue
            expected = self._places[tp].offset
            if tp in self._moved and found[0].offset != expected:
                self._client.seek(tp, expected)  # perhaps read before the move, so read it again
                continue
            self._places[tp] = _Place(found[-1].offset + 1, found[-1].timestamp / 1000)
            topic, partition = names[tp.topic], tp.partition
            records += [
                Record(topic, partition, r.offset, r.key, r.value, r.headers) for r in found if r.offset >= expected
            ]
        return records
