"""Reads every topic of the worker, in and out, from the beginning, as any subscriber would."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bo_worker.demo.seen import see
from bo_worker.kafka.consumer import Consumer
from bo_worker.kafka.topics import DEAD_LETTER_SUFFIX, OUTPUT_TOPICS
from bo_worker.messages.inbound import INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bo_worker.config import Settings
    from bo_worker.demo.seen import Seen

TOPICS = (*INPUT_TOPICS, *OUTPUT_TOPICS, *(topic + DEAD_LETTER_SUFFIX for topic in INPUT_TOPICS))
FETCH_TIMEOUT_S = 0.2
STOP_DEADLINE_S = 3.0


class Watcher:
    """Hands every message to `note`, in the order of each partition."""

    def __init__(self, settings: Settings, note: Callable[[Seen], None]) -> None:
        own_group = settings.model_copy(update={"kafka_group_id": f"{settings.kafka_group_id}-demo"})
        self._consumer = Consumer(own_group, TOPICS, on_assigned=_from_the_beginning, on_revoked=_without_regret)
        self._note = note
        self._start_deadline_s = settings.startup_wait_s

    async def run(self) -> None:
        """Read until cancelled.

        Raises:
            KafkaFault: Kafka is gone.
        """
        try:
            await self._consumer.start(self._start_deadline_s)
            while True:
                for record in await self._consumer.fetch(FETCH_TIMEOUT_S):
                    self._note(see(record, datetime.now(UTC).astimezone()))
        finally:
            await self._consumer.stop(STOP_DEADLINE_S)

    async def ends(self) -> Mapping[tuple[str, int], int]:
        """The end of each partition, as last heard."""
        return await self._consumer.end_offsets()


async def _from_the_beginning(partitions: list[tuple[str, int]]) -> dict[tuple[str, int], int | None]:
    return dict.fromkeys(partitions)


async def _without_regret(_partitions: list[tuple[str, int]]) -> None:
    """Nothing is stored, so nothing is to be finished."""
