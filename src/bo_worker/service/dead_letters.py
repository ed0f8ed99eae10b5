"""Dead letters: counted, looked at, and sent back to the topic they came from.

A topic is a log, so a dead letter that was sent back is still there. The database remembers which were.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from bo_worker.kafka.publisher import Publisher
from bo_worker.kafka.reader import read_topic
from bo_worker.messages.outbound import DEAD_LETTER_SUFFIX, REPLAYS_HEADER
from bo_worker.messages.record import Message
from bo_worker.store.database import reach
from bo_worker.store.replays import Replay, list_replays, save_replays

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Collection, Iterable, Sequence

    import asyncpg

    from bo_worker.config import Settings
    from bo_worker.messages.record import Record

log = structlog.get_logger()
_HEADERS_OF_OURS = "dlq_"
_MESSAGES_AT_ONCE = 50

Place = tuple[int, int]


@dataclass(slots=True, frozen=True)
class DeadLetter:
    """A message that was put aside: `topic` is its input topic without prefix, `record` how it was put aside."""

    topic: str
    record: Record
    error: str
    reason: str
    failed_at: str
    replays: int
    replayed: bool

    @property
    def place(self) -> Place:
        """Partition and offset in the dead-letter topic."""
        return self.record.partition, self.record.offset

    @property
    def name(self) -> Replay:
        """What it is remembered by."""
        return Replay(self.record.topic, *self.place, self.failed_at)


@dataclass(slots=True, frozen=True)
class Choice:
    """Which dead letters to send back: those at `places` of one topic, else those not sent back yet.

    Of the latter, with an `error`, only those that failed by it.
    """

    topics: Sequence[str]
    places: frozenset[Place] = frozenset()
    error: str | None = None

    def takes(self, letter: DeadLetter) -> bool:
        """Return whether it is one of them."""
        if self.places:
            return letter.place in self.places
        return not letter.replayed and self.error in (None, letter.error)


@dataclass(slots=True)
class Summary:
    """How many there are by (topic, error), and the newest, newest first, without their values."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    newest: list[DeadLetter] = field(default_factory=list)


async def summarize(
    settings: Settings, topics: Sequence[str], newest_max: int, *, with_replayed: bool, wait_s: float
) -> Summary:
    """Count the dead letters of input topics, and return the newest.

    Raises:
        KafkaUnavailable, DatabaseUnavailableError: a server does not answer within `wait_s`.
    """
    letters = await _collect(settings, topics, wait_s)
    wanted = [letter for letter in letters if with_replayed or not letter.replayed]
    counts = Counter((letter.topic, letter.error) for letter in wanted)
    return Summary(counts, heapq.nlargest(newest_max, wanted, key=lambda letter: (letter.failed_at, letter.name)))


async def select(settings: Settings, choice: Choice, *, wait_s: float) -> list[DeadLetter]:
    """Return the dead letters that are chosen, without their values, oldest first; raises as `summarize` does."""
    letters = await _collect(settings, choice.topics, wait_s)
    return sorted(filter(choice.takes, letters), key=lambda letter: (letter.failed_at, letter.name))


async def find(settings: Settings, topic: str, place: Place, *, wait_s: float) -> DeadLetter | None:
    """Return one dead letter with its value, None where there is none; raises as `summarize` does."""
    async with aclosing(_read(settings, topic, set(), wait_s)) as letters:
        async for letter in letters:
            if letter.place == place:
                return letter
    return None


async def send_back(
    settings: Settings, letters: Collection[DeadLetter], *, value: bytes | None = None, wait_s: float
) -> None:
    """Publish dead letters to their input topics, as they were received or with a mended `value`; remember it.

    Raises:
        PublishFailed: Kafka did not take them; some may have been sent, which a second time does no harm.
        KafkaUnavailable, DatabaseUnavailableError: a server does not answer within `wait_s`.
    """
    names = {letter.name for letter in letters}
    publisher = Publisher(settings)
    database = await reach(settings, "dead letters", wait_s)
    try:
        for topic in dict.fromkeys(letter.topic for letter in letters):
            waiting: list[DeadLetter] = []
            async for letter in _read(settings, topic, set(), wait_s):
                if letter.name in names:
                    waiting.append(letter)
                if len(waiting) == _MESSAGES_AT_ONCE:
                    await _send(publisher, database, waiting, value)
                    waiting = []
            await _send(publisher, database, waiting, value)
    finally:
        await publisher.stop()
        await database.close()


async def _send(
    publisher: Publisher, database: asyncpg.Connection, letters: Sequence[DeadLetter], value: bytes | None
) -> None:
    if not letters:
        return
    await publisher.publish([as_received(letter, value) for letter in letters])
    await save_replays(database, [letter.name for letter in letters])
    for letter in letters:
        log.info("dead_letter_replayed", topic=letter.topic, partition=letter.place[0], offset=letter.place[1])


def as_received(letter: DeadLetter, value: bytes | None = None) -> Message:
    """Return the message as its producer sent it, with how often it was sent back."""
    record = letter.record
    headers = [header for header in record.headers if not header[0].startswith(_HEADERS_OF_OURS)]
    headers.append((REPLAYS_HEADER, b"%d" % (letter.replays + 1)))
    return Message(letter.topic, record.key, record.value if value is None else value, headers)


async def _collect(settings: Settings, topics: Iterable[str], wait_s: float) -> list[DeadLetter]:
    """Read topics side by side; values are dropped, since there may be many large ones."""
    names = {topic: settings.topic_prefix + topic + DEAD_LETTER_SUFFIX for topic in topics}
    database = await reach(settings, "dead letters", wait_s)
    try:
        replayed = await list_replays(database, names.values())
    finally:
        await database.close()

    async def headers_only(topic: str) -> list[DeadLetter]:
        return [
            replace(letter, record=replace(letter.record, value=None))
            async for letter in _read(settings, topic, replayed, wait_s)
        ]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(headers_only(topic)) for topic in names]
    return [letter for task in tasks for letter in task.result()]


async def _read(
    settings: Settings, topic: str, replayed: Collection[Replay], wait_s: float
) -> AsyncGenerator[DeadLetter, None]:
    name = settings.topic_prefix + topic + DEAD_LETTER_SUFFIX
    async with aclosing(read_topic(settings, name, deadline_s=wait_s)) as records:
        async for record in records:
            letter = _letter(topic, record)
            yield replace(letter, replayed=letter.name in replayed)


def _letter(topic: str, record: Record) -> DeadLetter:
    # A header may come twice, or without a value, from whoever else writes to the topic.
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    replays = headers.get(REPLAYS_HEADER, "")
    return DeadLetter(
        topic,
        record,
        headers.get("dlq_error", "unknown"),
        headers.get("dlq_reason", ""),
        headers.get("dlq_failed_at", ""),
        int(replays) if replays.isdecimal() else 0,
        replayed=False,
    )
