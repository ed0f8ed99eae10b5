"""Which dead letters are chosen, and that what goes back is what was received."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bo_worker.messages.record import Message, Record
from bo_worker.service.dead_letters import Choice, DeadLetter, as_received

HEADERS = [("content-type", b"application/json"), ("x", b"\xff"), ("x", b"again"), ("empty", b"")]
WHY = [("dlq_error", b"malformed_json"), ("dlq_reason", b"no JSON"), ("dlq_failed_at", b"2026-11-21T09:30:00.000Z")]
LETTER = DeadLetter(
    "order-created",
    Record("order-created.dlq", 1, 17, b"SO-1\x00", b"{", [*HEADERS, *WHY]),
    "malformed_json",
    "no JSON",
    "2026-11-21T09:30:00.000Z",
    replays=0,
    replayed=False,
)


def test_what_goes_back_is_byte_by_byte_what_was_received_and_how_often_it_was_sent_back() -> None:
    assert as_received(LETTER) == Message("order-created", b"SO-1\x00", b"{", [*HEADERS, ("dlq_replays", b"1")])


def test_the_count_goes_on_from_an_earlier_replay() -> None:
    record = replace(LETTER.record, headers=[*HEADERS, ("dlq_replays", b"2"), *WHY])
    again = replace(LETTER, record=record, replays=2)
    assert as_received(again).headers == [*HEADERS, ("dlq_replays", b"3")]


@pytest.mark.parametrize("value", [b"{}", b""])
def test_a_mended_value_replaces_the_value_alone(value: bytes) -> None:
    assert as_received(LETTER, value) == as_received(LETTER)._replace(value=value)


def test_a_tombstone_goes_back_as_one() -> None:
    tombstone = replace(LETTER, record=replace(LETTER.record, value=None))
    assert as_received(tombstone).value is None


@pytest.mark.parametrize(
    ("choice", "is_taken"),
    [
        (Choice(["order-created"]), True),
        (Choice(["order-created"], error="malformed_json"), True),
        (Choice(["order-created"], error="conflict"), False),
        (Choice(["order-created"], frozenset({(1, 17)})), True),
        (Choice(["order-created"], frozenset({(1, 18)})), False),
    ],
)
def test_a_choice_goes_by_place_or_by_error(choice: Choice, *, is_taken: bool) -> None:
    assert choice.takes(LETTER) is is_taken


def test_what_was_sent_back_goes_again_only_where_it_is_named() -> None:
    replayed = replace(LETTER, replayed=True)
    assert not Choice(["order-created"]).takes(replayed)
    assert not Choice(["order-created"], error="malformed_json").takes(replayed)
    assert Choice(["order-created"], frozenset({(1, 17)})).takes(replayed)
