"""From the outbox to Kafka: everything that was committed, in order, at least once, by one relay at a time."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import TYPE_CHECKING, Protocol

import structlog

from bo_worker.kafka.errors import PublishFailed
from bo_worker.messages.packing import as_message, unpack_outgoing
from bo_worker.service.failures import InvariantBrokenError, pauses, remedy
from bo_worker.service.waiting import happens_within
from bo_worker.store.leadership import RELAY_LOCK, lead
from bo_worker.store.outbox import delete_outbox, newest_outbox, read_outbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from bo_worker.config import Settings
    from bo_worker.kafka.publisher import Publisher
    from bo_worker.messages.record import Message, Outgoing
    from bo_worker.store.session import Session

log = structlog.get_logger()
_FIRST_PAUSE_S = 0.05
DROPPED_BYTES_HEADER = "bo_dropped_bytes"


class RelayListener(Protocol):
    """Whoever is told what a relay does."""

    def published(self, counts: Mapping[str, int], seconds: float) -> None:
        """Kafka has acknowledged messages: how many by topic, and how long it took."""

    def relay_led(self, is_leader: bool) -> None:  # noqa: FBT001 - a callback
        """The relay leads from now on, or no more."""

    def relay_retried(self, error: str) -> None:
        """The relay met an error of this name, which passes by itself."""


def no_checkpoint(_: str) -> None:
    """Go on; fault tests pass a function that ends the process instead."""


class Relay:
    """Publishes the outbox while it leads; stands by while another worker's relay does.

    The session's advisory lock makes it the leader: it reads and deletes on that same session, so a relay
    whose session is gone can't delete anything. `woken` is set when this worker has committed messages.
    """

    def __init__(
        self,
        session: Session,
        publisher: Publisher,
        settings: Settings,
        listener: RelayListener,
        checkpoint: Callable[[str], None] = no_checkpoint,
    ) -> None:
        self._session = session
        self._publisher = publisher
        self._settings = settings
        self._listener = listener
        self._checkpoint = checkpoint
        self.woken = asyncio.Event()
        self._is_leader = False

    async def run(self, draining: asyncio.Event) -> None:
        """Publish until `draining` is set and, if this relay leads, nothing is left."""
        waits = self._new_pauses()
        while not draining.is_set():
            try:
                moved = await self._round()
                waits = self._new_pauses()
            except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
                await self._mend(error)
                await happens_within(next(waits), draining)
                continue
            if not moved:
                await happens_within(self._settings.relay_poll_s, self.woken)
        await self._flush()

    async def _flush(self) -> None:
        """Publish what was committed up to now; what a server that is away keeps us from stays in the outbox."""
        try:
            newest = await newest_outbox(await self._session.connected())
            while await self._round(newest):
                pass
        except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
            await self._mend(error)

    async def _round(self, newest: int | None = None) -> bool:
        """Publish the oldest rows (that are not newer than `newest`); return whether there were any."""
        self.woken.clear()
        was_open = self._session.is_open
        connection = await self._session.connected()
        if not (self._is_leader and was_open):
            self._lead(await lead(connection, RELAY_LOCK))
            if not self._is_leader:
                return False
            log.info("relay_leading")
        rows = await read_outbox(connection, self._settings.publish_bytes_max)
        if not rows or (newest is not None and rows[0].row_id > newest):
            return False
        started = time.perf_counter()
        messages: list[Outgoing] = []
        for row in rows:
            messages += unpack_outgoing(row.body)
            await self._publisher.give_way()
        await self._publish(messages)
        self._checkpoint("published")
        await delete_outbox(connection, [row.row_id for row in rows])
        self._checkpoint("deleted")
        self._listener.published(Counter([topic for topic, *_ in messages]), time.perf_counter() - started)
        return True

    def _lead(self, is_leader: bool) -> None:  # noqa: FBT001 - what it is from now on
        if is_leader != self._is_leader:
            self._is_leader = is_leader
            self._listener.relay_led(is_leader)

    async def _publish(self, messages: list[Outgoing]) -> None:
        """Publish messages in order; one that the broker will never take goes without its value."""
        try:
            await self._publisher.publish(messages)
        except PublishFailed as failure:
            if not failure.unpublishable:
                raise
            if len(messages) > 1:
                for message in messages:
                    await self._publish([message])
                return
            message = as_message(messages[0])
            log.exception("message_unpublishable", topic=message.topic, reason=str(failure))
            await self._publisher.publish([_without_value(message)])

    async def _mend(self, error: Exception) -> None:
        """Nothing is lost: what was not acknowledged stays in the outbox. A wrong row stops the worker."""
        if isinstance(error, PublishFailed):
            log.warning("publish_retried", error=str(error))
            self._listener.relay_retried(type(error).__name__)
            return
        if remedy(error) != "retry":
            raise InvariantBrokenError(repr(error)) from error
        log.warning("relay_retried", error=repr(error))
        self._listener.relay_retried(type(error).__name__)
        self._lead(False)
        await self._session.discard()

    def _new_pauses(self) -> Iterator[float]:
        return pauses(_FIRST_PAUSE_S, self._settings.retry_wait_max_s)


def _without_value(message: Message) -> Message:
    """Return what can be said of a message that is too large: a dead letter of a foreign topic, in practice."""
    return message._replace(
        value=None, headers=[*message.headers, (DROPPED_BYTES_HEADER, b"%d" % len(message.value or b""))]
    )
