"""The worker as a whole: its parts put together, run until it is told to stop, and ended in time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bo_worker.kafka.consumer import Consumer
from bo_worker.kafka.publisher import Publisher
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.service.applier import Applier
from bo_worker.service.intake import Intake
from bo_worker.service.relay import Relay
from bo_worker.service.work import Rules
from bo_worker.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.config import Settings
    from bo_worker.messages.record import Message, Record
    from bo_worker.service.apply import Applied
    from bo_worker.service.batch import Batch


def no_checkpoint(_: str) -> None:
    """Go on; fault tests pass a function that ends the process instead."""


class Worker:
    """One worker process: an intake, an applier, a relay."""

    def __init__(self, settings: Settings, checkpoint: Callable[[str], None] = no_checkpoint) -> None:
        self.settings = settings
        self.stopping = asyncio.Event()
        self._draining = asyncio.Event()
        self._sessions = [Session(settings, purpose) for purpose in ("positions", "apply", "relay")]
        positions, apply, relay = self._sessions
        self.intake = Intake(
            settings,
            positions,
            self._new_consumer,
            stopping=self.stopping,
            decoded=self._decoded,
        )
        rules = Rules(settings.rank_by, settings.fill_lines_max, settings.topic_prefix)
        self.applier = Applier(
            apply,
            rules,
            clock=lambda: datetime.now(UTC),
            committed=self._committed,
            stopping=self.stopping,
            retry_wait_max_s=settings.retry_wait_max_s,
            checkpoint=checkpoint,
        )
        self._publisher = Publisher(settings)
        self.relay = Relay(
            relay,
            self._publisher,
            bytes_max=settings.publish_bytes_max,
            poll_s=settings.relay_poll_s,
            retry_wait_max_s=settings.retry_wait_max_s,
            published=self._published,
            checkpoint=checkpoint,
        )

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self.relay.run(self._draining))
            reading = group.create_task(self.intake.read())
            applying = group.create_task(self.intake.apply(self.applier))
            await reading
            await applying
            self._draining.set()
        await self.intake.stop(5)
        await self._publisher.stop(5)
        for session in self._sessions:
            await session.discard()

    def _new_consumer(self, intake: Intake) -> Consumer:
        return Consumer(self.settings, INPUT_TOPICS, on_assigned=intake.on_assigned, on_revoked=intake.on_revoked)

    def _decoded(self, records: list[Record], seconds: float) -> None:
        pass

    def _committed(self, batch: Batch, applied: Applied) -> None:
        self.intake.advance(batch)
        if applied.messages:
            self.relay.woken.set()

    def _published(self, messages: list[Message], seconds: float) -> None:
        pass
