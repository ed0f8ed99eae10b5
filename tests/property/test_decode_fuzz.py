"""Whatever comes on an input topic, decoding gives a value; and what it accepts is sound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

import build
from bo_worker.domain.commands import PlaceOrder
from bo_worker.messages.inbound import INPUT_TOPICS, Decoded, Refused, decode
from bo_worker.messages.record import Record
from poison import BINARY, STRUCTURED

TOPICS = st.sampled_from(INPUT_TOPICS)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "Content-Type", "ce_specversion", "traceparent", "ce_id"])
        | st.text(max_size=10),
        st.sampled_from([b"application/json", b"application/cloudevents+json", b"application/x+json;", b"1.0"])
        | st.binary(max_size=20),
    ),
    max_size=4,
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def refused_or_sound(record: Record) -> None:
    outcome = decode(record, 10_000)
    if isinstance(outcome, Refused):
        assert outcome.error
        assert outcome.reason.isprintable()
        return
    assert isinstance(outcome, Decoded)
    assert len(outcome.digest) == 16
    # Postgres can store it: no NUL, no lone surrogate.
    assert b"\\u0000" not in orjson.dumps(outcome.command)


@given(TOPICS, st.none() | st.binary(max_size=5), st.none() | st.binary(max_size=200), HEADERS)
def test_any_bytes_give_a_value(
    topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    refused_or_sound(Record(topic, 0, 0, key, value, headers))


@given(TOPICS, JSON, HEADERS)
def test_any_json_gives_a_value(topic: str, value: Any, headers: list[tuple[str, bytes]]) -> None:
    refused_or_sound(Record(topic, 0, 0, b"key", orjson.dumps(value), headers))


@given(TOPICS, st.data(), st.sampled_from([(), BINARY, STRUCTURED]))
def test_damaged_messages_give_a_value_and_pass_only_as_json(
    topic: str, choice: st.DataObject, headers: tuple[tuple[str, bytes], ...]
) -> None:
    data = build.VALID[topic]()
    value = orjson.dumps({"specversion": "1.0", "data": data} if headers is STRUCTURED else data)
    start = choice.draw(st.integers(0, len(value)))
    end = choice.draw(st.integers(start, min(len(value), start + 4)))
    splice = choice.draw(
        st.binary(max_size=4) | st.sampled_from([b"NaN", b"1e999", b'\\ud800"', b"\\u0000", b"null", b"[", b"}"])
    )
    damaged = value[:start] + splice + value[end:]
    refused_or_sound(Record(topic, 0, 0, b"key", damaged, headers))
    if isinstance(decode(Record(topic, 0, 0, b"key", damaged, headers), 10_000), Decoded):
        orjson.loads(damaged)


@given(
    st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - the strategy adds the zone
    st.integers(-23 * 60, 23 * 60),
)
def test_an_instant_means_the_same_in_every_zone(instant: datetime, offset_minutes: int) -> None:
    sign, minutes = "-" if offset_minutes < 0 else "+", abs(offset_minutes)
    placed_at = f"{instant.isoformat()}{sign}{minutes // 60:02}:{minutes % 60:02}"
    outcome = decode(build.record("order-created", build.order(placed_at=placed_at)), 10_000)
    assert isinstance(outcome, Decoded)
    assert isinstance(outcome.command, PlaceOrder)
    assert outcome.command.placed_at == datetime.fromisoformat(placed_at)
    assert outcome.command.placed_at.tzinfo is UTC
    again = build.order(placed_at=outcome.command.placed_at.isoformat())
    assert digest(again) == outcome.digest


def digest(data: dict[str, Any]) -> bytes:
    outcome = decode(build.record("order-created", data), 10_000)
    assert isinstance(outcome, Decoded)
    return outcome.digest
