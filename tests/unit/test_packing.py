"""Packed messages come out as they went in, or with a clear error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo_worker.messages.packing import PackingError, pack, unpack
from bo_worker.messages.record import Message

MESSAGES = st.builds(
    Message,
    topic=st.text(max_size=20),
    key=st.none() | st.binary(max_size=20),
    value=st.none() | st.binary(max_size=200),
    headers=st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=50)), max_size=12),
)


@given(st.lists(MESSAGES, max_size=20))
def test_messages_come_out_as_they_went_in(messages: list[Message]) -> None:
    unpacked = unpack(pack(messages))
    assert unpacked == messages
    assert all(type(header) is tuple for message in unpacked for header in message.headers)


def test_large_batches_and_values_come_out_as_they_went_in() -> None:
    messages = [Message("t", b"k", bytes(range(256)) * 20_000, [("h", b"1")])] * 3 + [
        Message("t", None, None, [])
    ] * 70_000
    assert unpack(pack(messages)) == messages


def test_an_unknown_version_is_named() -> None:
    with pytest.raises(PackingError, match="expected packed messages of version 1, found 02"):
        unpack(b"\x02" + pack([])[1:])


@pytest.mark.parametrize("packed", [b"", b"\x01", b"\x01\xff\xff\xff\xff", pack([Message("t", b"k", b"v", [])])[:-1]])
def test_damage_is_an_error_and_nothing_else(packed: bytes) -> None:
    with pytest.raises(PackingError):
        unpack(packed)
