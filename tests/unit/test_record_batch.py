"""The record batches that are written here are those that Kafka's clients read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka.record.default_records import DefaultRecordBatch
from hypothesis import given
from hypothesis import strategies as st

from bo_worker.kafka.record_batch import VARINT, RecordBatch
from bo_worker.messages.outbound import message_of
from bo_worker.messages.packing import as_message
from bo_worker.messages.record import Event, Message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bo_worker.messages.record import Outgoing

NOW_MS = 1_795_000_000_123
ROOMY = 1 << 24
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

EVENTS = st.builds(
    Event,
    topic=st.just("fulfillment"),
    key=st.binary(max_size=80),
    value=st.binary(max_size=300),
    kind=st.sampled_from(["ship", "cross_dock"]),
    event_id=st.text(max_size=30),
    at=st.just(b"2026-11-21T12:00:00.000Z"),
    sequence=st.integers(1, 2**31),
    traceparent=st.none() | st.just(TRACE),
)
MESSAGES = st.builds(
    Message,
    topic=st.just("payment.dlq"),
    key=st.none() | st.binary(max_size=80),
    value=st.none() | st.binary(max_size=300),
    headers=st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=50)), max_size=12),
)


def written(messages: Sequence[Outgoing], bytes_max: int = ROOMY) -> list[RecordBatch]:
    batches = []
    following = 0
    while following < len(messages):
        batch = RecordBatch(bytes_max, NOW_MS)
        following = batch.fill(messages, following, 1 << 30)
        batches.append(batch)
    return batches


def read(batch: RecordBatch) -> DefaultRecordBatch:
    found = DefaultRecordBatch(bytes(batch._build()))
    assert found.validate_crc()
    return found


@given(st.lists(EVENTS | MESSAGES, min_size=1, max_size=20))
def test_what_is_written_is_read_with_all_its_headers(messages: list[Event | Message]) -> None:
    (batch,) = written(messages)
    found = list(read(batch))
    expected = [as_message(message) for message in messages]
    assert [(record.key, record.value, record.headers) for record in found] == [
        (message.key, message.value, message.headers) for message in expected
    ]
    assert [record.offset for record in found] == list(range(len(messages)))
    assert {record.timestamp for record in found} == {NOW_MS}


def test_events_may_come_as_plain_tuples_of_their_fields() -> None:
    event = Event("fulfillment", b"SO-1", b"{}", "ship", "F-1", b"2026-11-21T12:00:00.000Z", 7, TRACE)
    (batch,) = written([tuple(event)])  # type: ignore[list-item]  # on purpose
    (record,) = read(batch)
    assert record.headers == message_of(event).headers


def test_a_batch_says_who_sends_it_and_how_many_records_it_has() -> None:
    (batch,) = written([Message("payment", b"K", bytes(5000), [])] * 300)
    batch._set_producer_state(77, 3, 1234)
    found = read(batch)
    assert (found.producer_id, found.producer_epoch, found.base_sequence) == (77, 3, 1234)
    assert (found.last_offset_delta, batch.record_count()) == (299, 300)
    assert (found.first_timestamp, found.max_timestamp) == (NOW_MS, NOW_MS)
    assert batch._build() is batch._build()
    assert batch.size() == len(batch._build()) < 5000


def test_a_batch_that_is_full_leaves_the_rest_to_the_next_one() -> None:
    messages = [Message("payment", b"K%d" % number, bytes(100 * number), []) for number in range(100)]
    batches = written(messages, bytes_max=20_000)
    assert [record.key for batch in batches for record in read(batch)] == [message.key for message in messages]
    assert len(batches) > 20


def test_a_message_larger_than_a_batch_has_one_for_itself() -> None:
    messages = [Message("payment", b"K", bytes(size), []) for size in (10, 50_000, 10)]
    assert [batch.record_count() for batch in written(messages, bytes_max=1000)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("number", "encoded"),
    [(0, "00"), (-1, "01"), (1, "02"), (63, "7e"), (64, "8001"), (8191, "fe7f"), (8192, "808001"), (-65, "8101")],
)
def test_integers_are_written_as_kafka_writes_them(number: int, encoded: str) -> None:
    assert VARINT[number].hex() == encoded
