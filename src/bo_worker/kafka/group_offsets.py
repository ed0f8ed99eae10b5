"""Offsets committed to Kafka for lag tools: seldom, in the background, and never read back."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import structlog
from aiokafka.errors import KafkaError

from bo_worker.kafka.client import cancel_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer, TopicPartition

_INTERVAL_S = 1.0


class GroupOffsets:
    """Collects offsets and commits the latest of them at most once a second; failures are logged and forgotten."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._offsets: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None
        self._due_at = 0.0

    def note(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Take the next offsets to read; they are committed later."""
        self._offsets.update(offsets)

    def commit_if_due(self, consumer: AIOKafkaConsumer) -> None:
        """Start a commit in the background, unless there is nothing to commit or the last one is too young."""
        if not self._offsets or time.monotonic() < self._due_at or (self._task and not self._task.done()):
            return
        self._due_at = time.monotonic() + _INTERVAL_S
        self._task = asyncio.create_task(self._commit(consumer))

    async def finish(self, consumer: AIOKafkaConsumer) -> None:
        """Wait for the commit under way and commit the rest."""
        try:
            if self._task:
                await asyncio.wait([self._task])
            await self._commit(consumer)
        finally:
            await cancel_all([self._task])

    async def _commit(self, consumer: AIOKafkaConsumer) -> None:
        assigned = consumer.assignment()
        offsets = {tp: offset for tp, offset in self._offsets.items() if tp in assigned}
        self._offsets.clear()
        try:
            async with asyncio.timeout(self._timeout_s):
                if offsets:
                    await consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            structlog.get_logger().info("group_offsets_not_committed", error=type(error).__name__)
