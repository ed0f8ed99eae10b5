"""`dlq list` and `dlq show`. Only the latter, asked for one message, prints what is in it."""

from __future__ import annotations

import asyncio
import base64
import sys
from typing import TYPE_CHECKING, Any

import orjson
import typer

from bo_worker.cli.failures import CommandFailedError
from bo_worker.cli.output import print_json, print_line, print_table, quiet_logs, wait_s
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.messages.outbound import DEAD_LETTER_SUFFIX
from bo_worker.service.dead_letters import find, summarize

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.service.dead_letters import DeadLetter, Place

_NEWEST = ("topic", "partition", "offset", "error", "reason", "failed_at", "replays", "replayed")


def print_list(settings: Settings, topic: str | None, newest: int, *, with_replayed: bool, as_json: bool) -> None:
    """Print counts by topic and error, and the newest one by one."""
    topics = topics_named(settings, topic)
    quiet_logs()
    summary = asyncio.run(summarize(settings, topics, newest, with_replayed=with_replayed, wait_s=wait_s(settings)))
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
    named = _topic_named(settings, topic), parse_place(place)
    quiet_logs()
    letter = _found(settings, *named)
    if value_only:
        sys.stdout.buffer.write(letter.record.value or b"")
    elif as_json:
        print_json(_whole(letter))
    else:
        _print_whole(letter)


def topics_named(settings: Settings, name: str | None) -> tuple[str, ...]:
    """Return the input topic of this name, which may have the prefix or the suffix, or all of them.

    Raises:
        typer.BadParameter: there is none.
    """
    return INPUT_TOPICS if name is None else (_topic_named(settings, name),)


def parse_place(text: str) -> Place:
    """Read PARTITION:OFFSET.

    Raises:
        typer.BadParameter: it is something else.
    """
    partition, _, offset = text.partition(":")
    if not (partition.isdecimal() and offset.isdecimal()):
        raise typer.BadParameter(f"expected PARTITION:OFFSET, such as 0:17, found {text}")
    return int(partition), int(offset)


def _topic_named(settings: Settings, name: str) -> str:
    topic = name.removeprefix(settings.topic_prefix).removesuffix(DEAD_LETTER_SUFFIX)
    if topic not in INPUT_TOPICS:
        raise typer.BadParameter(f"{name} is none of the input topics: {', '.join(INPUT_TOPICS)}")
    return topic


def _found(settings: Settings, topic: str, place: Place) -> DeadLetter:
    letter = asyncio.run(find(settings, topic, place, wait_s=wait_s(settings)))
    if letter is None:
        raise CommandFailedError(f"there is no dead letter at {place[0]}:{place[1]} of {topic}")
    return letter


def _listed(letter: DeadLetter) -> dict[str, Any]:
    partition, offset = letter.place
    return {
        "topic": letter.topic,
        "partition": partition,
        "offset": offset,
        "error": letter.error,
        "reason": letter.reason,
        "failed_at": letter.failed_at,
        "replays": letter.replays,
        "replayed": letter.replayed,
    }


def _whole(letter: DeadLetter) -> dict[str, Any]:
    record = letter.record
    headers = [[name, _text(value)] for name, value in record.headers]
    return {**_listed(letter), "key": _text(record.key), "headers": headers, "value": _text(record.value)}


def _print_whole(letter: DeadLetter) -> None:
    record = letter.record
    print_table(f"{letter.topic} {record.partition}:{record.offset}", ("", ""), [("key", _text(record.key))])
    print_table("Headers", ("", ""), [(name, _text(value)) for name, value in record.headers])
    print_line("Value")
    print_line(_pretty(record.value))


def _pretty(value: bytes | None) -> str:
    try:
        return orjson.dumps(orjson.loads(value or b""), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return _text(value) or "-"


def _text(value: bytes | None) -> str | None:
    """Return text where the bytes are text, else what says which bytes they are."""
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return f"base64:{base64.b64encode(value).decode()}"
