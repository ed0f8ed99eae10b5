"""Messages that come before their order are kept as they were received, from one transaction to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

import build
from bo_worker.messages.inbound import Decoded, decode
from ledger import Ledger, data, ledger
from shapes import notification

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

STORED = ("sales_order", "order_line", "claim", "stock", "product", "applied_message", "early_message", "journal")
HEADERS = (("ce_specversion", b"1.0"), ("content-type", b"application/json"), ("note", b"\xff\x00"), ("note", b""))


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        yield found


def one(topic: str, content: build.Data) -> Decoded:
    found = decode(build.record(topic, content, key=b"SO-1001", headers=HEADERS), 1_000_000)
    assert isinstance(found, Decoded)
    return found


def cancelled(cancellation_id: str, *lines: tuple[str, int]) -> Decoded:
    asked = [{"line_id": line_id, "quantity": quantity} for line_id, quantity in lines]
    return one("order-cancelled", build.cancellation(cancellation_id, lines=asked))


async def test_what_waits_for_an_order_is_kept_until_it_comes(books: Ledger) -> None:
    order = build.order(lines=[build.order_line(quantity=5)])
    await books.apply(cancelled("X-1", ("1", 1)))
    await books.apply(one("order-amended", build.amendment(priority=3)))
    assert await books.messages() == []
    assert len((await books.rows("early_message"))["early_message"]) == 2
    await books.apply(one("order-created", order))
    assert data((await books.published())["customer-notification", b"SO-1001"]) == [
        notification("order_cancelled", order, [(order["lines"][0], 1)]),
        notification("order_backordered", order, [(order["lines"][0], 4)]),
    ]
    assert await books.rows("early_message") == {"early_message": []}
    connection = await books.connection()
    assert await connection.fetchval("select priority from bo_worker.order_line") == 3


async def test_what_turns_out_to_be_wrong_goes_to_the_dead_letters_as_it_was_received(books: Ledger) -> None:
    """With the place where it stood, and with headers that no text can hold."""
    wrong = cancelled("X-1", ("9", 1))
    await books.apply(cancelled("X-0", ("1", 1)), wrong)
    await books.apply(one("order-created", build.order()))
    (letter,) = (await books.published())["order-cancelled.dlq", b"SO-1001"]
    assert (letter.key, letter.value) == (wrong.record.key, wrong.record.value)
    assert tuple(letter.headers[: len(HEADERS)]) == HEADERS
    assert dict(letter.headers[len(HEADERS) :]) == {
        "dlq_error": b"unknown_line",
        "dlq_reason": b"order SO-1001 has no line 9",
        "dlq_topic": b"order-cancelled",
        "dlq_partition": b"0",
        "dlq_offset": b"1",
        "dlq_failed_at": b"2026-11-21T12:00:00.000Z",
    }


@pytest.mark.parametrize("sizes", [[1], [2], [3], [9]], ids=str)
async def test_the_same_comes_of_it_however_the_messages_are_cut_into_batches(
    books: Ledger, sizes: Sequence[int]
) -> None:
    """The natural id of what was refused is free from the very moment on, for the same content and for other."""
    inputs = [
        one("order-amended", build.amendment(priority=3)),
        cancelled("X-1", ("1", 1), ("9", 1)),
        cancelled("X-1", ("1", 1), ("9", 1)),
        one("order-created", build.order(lines=[build.order_line(quantity=5)])),
        cancelled("X-1", ("1", 1), ("9", 1)),
        cancelled("X-1", ("1", 2)),
        cancelled("X-1", ("1", 2)),
        cancelled("X-1", ("1", 1), ("9", 1)),
    ]
    for first in range(0, len(inputs), sizes[0]):
        await books.apply(*inputs[first : first + sizes[0]])
    letters = (await books.published())["order-cancelled.dlq", b"SO-1001"]
    found = sorted((headers["dlq_offset"], headers["dlq_error"]) for headers in (dict(x.headers) for x in letters))
    assert found == [(b"0", b"unknown_line"), (b"2", b"unknown_line"), (b"5", b"conflict")]
    rows = await books.rows("applied_message", "early_message", "journal")
    assert (len(rows["applied_message"]), rows["early_message"], len(rows["journal"])) == (2, [], 2)
    connection = await books.connection()
    assert await connection.fetchval("select cancelled from bo_worker.order_line") == 2
