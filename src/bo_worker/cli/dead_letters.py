"""`dlq list`, `dlq show` and `dlq replay`. Only `show`, asked for one message, prints what is in it."""

from __future__ import annotations

import asyncio
import base64
import sys
from typing import TYPE_CHECKING, Any

import orjson
import typer

from bo_worker.cli.failures import FAILED, CommandFailedError
from bo_worker.cli.output import print_json, print_line, print_table, quiet_logs, wait_s
from bo_worker.messages.inbound import INPUT_TOPICS, Refused, decode
from bo_worker.messages.outbound import DEAD_LETTER_SUFFIX
from bo_worker.messages.record import Record
from bo_worker.service.dead_letters import Choice, as_received, find, select, send_back, summarize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from bo_worker.config import Settings
    from bo_worker.service.dead_letters import DeadLetter, Place

_NEWEST = ("topic", "partition", "offset", "error", "reason", "failed_at", "replays", "replayed")


def print_list(settings: Settings, topic: str | None, newest: int, *, with_replayed: bool, as_json: bool) -> None:
    """Print counts by topic and error, and the newest one by one."""
    quiet_logs()
    topics = _topics(settings, topic)
    summary = asyncio.run(
        summarize(settings, topics, newest, with_replayed=with_replayed, wait_s=wait_s(settings))
    )
    counts = [(*name, count) for name, count in sorted(summary.counts.items())]
    letters = [_listed(letter) for letter in summary.newest]
    if as_json:
        by_name = [dict(zip(("topic", "error", "count"), row, strict=True)) for row in counts]
        print_json({"counts": by_name, "newest": letters})
        return
    if not counts:
        print_line("there are no dead letters" if with_replayed else "no dead letter waits to be dealt with")
    print_table("Dead letters", ("topic", "error", "count"), counts)
    print_table("The newest", _NEWEST, ([letter[name] for name in _NEWEST] for letter in letters))


def print_one(settings: Settings, topic: str, place: str, *, as_json: bool, value_only: bool) -> None:
    """Print a dead letter whole, or its value alone, byte by byte.

    Raises:
        CommandFailedError: there is none at this place.
    """
    quiet_logs()
    letter = _found(settings, _topic(settings, topic), _place(place))
    if value_only:
        sys.stdout.buffer.write(letter.record.value or b"")
    elif as_json:
        print_json(_whole(letter))
    else:
        _print_whole(letter)


def replay(
    settings: Settings,
    topic: str | None,
    places: Sequence[str],
    *,
    every: bool,
    error: str | None,
    value_file: Path | None,
    sure: bool,
) -> int:
    """Send dead letters back; return the exit code, 1 where some were sent back too often already."""
    quiet_logs()
    choice = _choice(settings, topic, places, every=every, error=error)
    value = None if value_file is None else value_file.read_bytes()
    if value is not None and len(choice.places) != 1:
        raise typer.BadParameter("a mended value belongs to one message: name its topic and PARTITION:OFFSET")
    letters = asyncio.run(select(settings, choice, wait_s=wait_s(settings)))
    if absent := choice.places - {letter.place for letter in letters}:
        raise CommandFailedError(f"there is no dead letter at {_names(absent)} of {choice.topics[0]}")
    allowed = [letter for letter in letters if letter.replays < settings.dead_letter_replays_max]
    if value is not None:
        _check_value(settings, allowed, value)
    if allowed and not sure:
        _ask(len(allowed))
    asyncio.run(send_back(settings, allowed, value=value, wait_s=wait_s(settings)))
    print_line(f"{len(allowed)} sent back")
    if len(allowed) == len(letters):
        return 0
    refused = len(letters) - len(allowed)
    sys.stderr.write(f"bo-worker: {refused} not sent back: sent back {settings.dead_letter_replays_max} times before\n")
    return FAILED


def _choice(settings: Settings, topic: str | None, places: Sequence[str], *, every: bool, error: str | None) -> Choice:
    if places and (every or error):
        raise typer.BadParameter("name messages, or choose them with --all or --error, not both")
    if not (places or every or error):
        raise typer.BadParameter("say which: PARTITION:OFFSET, --all, or --error CODE")
    return Choice(_topics(settings, topic), frozenset(map(_place, places)), error)


def _check_value(settings: Settings, letters: Sequence[DeadLetter], value: bytes) -> None:
    """Refuse a mended value that would come straight back."""
    for letter in letters:
        _, key, _, headers = as_received(letter, value)
        outcome = decode(Record(letter.topic, *letter.place, key, value, headers), settings.message_bytes_max)
        if isinstance(outcome, Refused):
            raise CommandFailedError(f"the value is still wrong ({outcome.error}): {outcome.reason}")


def _ask(count: int) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask: add --yes")
    typer.confirm(f"Send {count} message(s) back?", abort=True)


def _found(settings: Settings, topic: str, place: Place) -> DeadLetter:
    letter = asyncio.run(find(settings, topic, place, wait_s=wait_s(settings)))
    if letter is None:
        raise CommandFailedError(f"there is no dead letter at {_names([place])} of {topic}")
    return letter


def _topics(settings: Settings, topic: str | None) -> tuple[str, ...]:
    return INPUT_TOPICS if topic is None else (_topic(settings, topic),)


def _topic(settings: Settings, name: str) -> str:
    topic = name.removeprefix(settings.topic_prefix).removesuffix(DEAD_LETTER_SUFFIX)
    if topic not in INPUT_TOPICS:
        raise typer.BadParameter(f"{name} is none of the input topics: {', '.join(INPUT_TOPICS)}")
    return topic


def _place(text: str) -> Place:
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise typer.BadParameter(f"expected PARTITION:OFFSET, such as 0:17, found {text}")
    return int(partition), int(offset)
