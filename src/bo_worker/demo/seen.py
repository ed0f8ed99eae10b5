"""A message as it was read back from its topic: what every figure and every line on the screen is made from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.messages.envelope import open_envelope
from bo_worker.messages.inbound import INPUT_TOPICS, Refused, decode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo_worker.messages.record import Record

VALUE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """One message; `sent_at` is its `ce_time`, `read_at` when it was read back here. `data` may be empty."""

    topic: str
    key: str
    headers: Mapping[str, str]
    data: Mapping[str, Any]
    sent_at: datetime
    read_at: datetime

    @property
    def kind(self) -> str:
        """Its kind, empty for an input."""
        return str(self.data.get("kind", ""))

    @property
    def event_id(self) -> str:
        """Its `ce_id`."""
        return self.headers.get("ce_id", "")

    @property
    def sequence(self) -> int:
        """Its number under its topic and key, 0 for an input."""
        return int(self.headers.get("ce_sequence", 0))

    @property
    def is_dead_letter(self) -> bool:
        """Whether it is an input that could not be taken in."""
        return self.topic.endswith(".dlq")

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its lines, if it has any."""
        return self.data.get("lines") or []

    @property
    def units(self) -> int:
        """Units over all its lines."""
        return sum(line["quantity"] for line in self.lines)

    @property
    def day(self) -> str | None:
        """The last day by which its lines are to come; None while that is not known of all of them."""
        days = [line.get("expected_to") for line in self.lines] or [None]
        return None if None in days else max(map(str, days))


def day_name(day: str | date) -> str:
    """A day as people write it."""
    found = date.fromisoformat(day) if isinstance(day, str) else day
    return f"{found.day} {found:%b}"


def see(record: Record, read_at: datetime) -> Seen:
    """Read a record; an input that the worker will refuse, and a dead letter, come without data."""
    headers = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
    return Seen(
        record.topic,
        (record.key or b"").decode(errors="replace"),
        headers,
        _data(record),
        _instant(headers.get("ce_time"), read_at),
        read_at,
    )


def _data(record: Record) -> dict[str, Any]:
    value = record.value or b"{}"
    if record.topic in INPUT_TOPICS:
        if isinstance(decode(record, VALUE_BYTES_MAX), Refused):
            return {}
        value = open_envelope(value, record.headers).data
    elif record.topic.endswith(".dlq"):
        return {}
    data: dict[str, Any] = orjson.loads(value)
    return data


def _instant(text: str | None, otherwise: datetime) -> datetime:
    try:
        return datetime.fromisoformat(text or "").astimezone()
    except ValueError:
        return otherwise
