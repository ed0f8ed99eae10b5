"""`dlq replay`: dead letters go back to their topic, as they were received or with a mended value."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import typer

from bo_worker.cli.dead_letters import parse_place, topics_named
from bo_worker.cli.failures import FAILED, CommandFailedError
from bo_worker.cli.output import print_line, quiet_logs, wait_s
from bo_worker.messages.inbound import Refused, decode
from bo_worker.messages.record import Record
from bo_worker.service.dead_letters import Choice, as_received, select, send_back

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.config import Settings
    from bo_worker.service.dead_letters import DeadLetter


def make_choice(
    settings: Settings, topic: str | None, places: Sequence[str], *, every: bool, error: str | None
) -> Choice:
    """Read from the command line which dead letters are meant.

    Raises:
        typer.BadParameter: it does not say, or says it twice.
    """
    if places and (every or error):
        raise typer.BadParameter("name messages, or choose them with --all or --error, not both")
    if not (places or every or error):
        raise typer.BadParameter("say which: PARTITION:OFFSET, --all, or --error CODE")
    return Choice(topics_named(settings, topic), frozenset(map(parse_place, places)), error)


def replay(settings: Settings, choice: Choice, value: bytes | None, *, sure: bool) -> int:
    """Send dead letters back; return the exit code, 1 where some were sent back too often before.

    Raises:
        CommandFailedError: one that is named does not exist, or the mended value is wrong.
        typer.BadParameter: a mended value for several messages, or nobody to ask.
    """
    if value is not None and len(choice.places) != 1:
        raise typer.BadParameter("a mended value belongs to one message: name its topic and PARTITION:OFFSET")
    quiet_logs()
    letters = _selected(settings, choice)
    allowed = [letter for letter in letters if letter.replays < settings.dead_letter_replays_max]
    if value is not None:
        _check_value(settings, allowed, value)
    if allowed:
        _ask(len(allowed), sure=sure)
        asyncio.run(send_back(settings, allowed, value=value, wait_s=wait_s(settings)))
    print_line(f"{len(allowed)} sent back")
    return _tell_refused(settings, len(letters) - len(allowed))


def _selected(settings: Settings, choice: Choice) -> list[DeadLetter]:
    letters = asyncio.run(select(settings, choice, wait_s=wait_s(settings)))
    absent = choice.places - {letter.place for letter in letters}
    if absent:
        names = ", ".join(f"{partition}:{offset}" for partition, offset in sorted(absent))
        raise CommandFailedError(f"there is no dead letter at {names} of {choice.topics[0]}")
    return letters


def _check_value(settings: Settings, letters: Sequence[DeadLetter], value: bytes) -> None:
    """Refuse a mended value that would come straight back."""
    for letter in letters:
        topic, key, _, headers = as_received(letter, value)
        outcome = decode(Record(topic, *letter.place, key, value, headers), settings.message_bytes_max)
        if isinstance(outcome, Refused):
            raise CommandFailedError(f"the value is still wrong ({outcome.error}): {outcome.reason}")


def _ask(count: int, *, sure: bool) -> None:
    if sure:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("there is nobody to ask: add --yes")
    typer.confirm(f"Send {count} message(s) back?", abort=True)


def _tell_refused(settings: Settings, refused: int) -> int:
    if not refused:
        return 0
    times = settings.dead_letter_replays_max
    sys.stderr.write(f"bo-worker: {refused} not sent back: they were sent back {times} times before\n")
    return FAILED
