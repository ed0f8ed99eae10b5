"""A micro-batch: what came while the last one ran, and where in its partitions it begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.service.work import Lessons
from bo_worker.store.positions import Position

if TYPE_CHECKING:
    from bo_worker.messages.inbound import Decoded, Refused
    from bo_worker.store.positions import Partition


@dataclass(slots=True)
class Batch:
    """Inputs in the order in which they came, from partitions whose positions are `bases` (full topic names)."""

    items: list[Decoded | Refused]
    bases: dict[Partition, Position]
    topic_prefix: str = ""
    lessons: Lessons = field(default_factory=Lessons)
    next_offsets: dict[Partition, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for item in self.items:
            record = item.record
            self.next_offsets[self.topic_prefix + record.topic, record.partition] = record.offset + 1
        self.bases = {partition: self.bases[partition] for partition in self.next_offsets}

    def ends(self) -> dict[Partition, Position]:
        """Return the positions after this batch."""
        return {
            partition: Position(base.epoch, self.next_offsets[partition]) for partition, base in self.bases.items()
        }

    def split(self, at: int) -> tuple[Batch, Batch]:
        """Cut the batch in two; the second begins where the first ends."""
        first = Batch(self.items[:at], self.bases, self.topic_prefix)
        second = Batch(self.items[at:], self.bases | first.ends(), self.topic_prefix)
        return first, second
