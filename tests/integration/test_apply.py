"""Batches on a real Postgres, without Kafka: the cuts between them do not matter, and nothing is written twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

import build
from bo_worker.domain.commands import PlaceOrder
from bo_worker.service.apply import apply_batch
from bo_worker.service.work import Lessons, Rules
from bo_worker.store.positions import StalePositionError
from bo_worker.store.products import UnfinishedCauseError
from change_streams import change_streams
from ledger import NOW, Ledger, data, ledger
from model_changes import WholeModel
from streams import SKUS, Input, decoded, streams

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from bo_worker.messages.record import Message

# One transaction after the other makes an example slow, and the database outlives it.
few = settings(
    max_examples=settings().max_examples * 2 // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
STREAMS = streams() | change_streams()
CUTS = st.lists(st.integers(1, 6), min_size=1, max_size=8)
RULES = Rules("placed_at", 5_000)
STORED = ("sales_order", "order_line", "claim", "stock", "product", "message_key", "applied_message")

Row = tuple[Any, ...]
Events = dict[tuple[str, str], list[dict[str, Any]]]


@pytest_asyncio.fixture
async def books(database_url: str) -> AsyncIterator[Ledger]:
    async with ledger(database_url) as found:
        yield found


def placed(order_id: str, *lines: build.Data, **fields: Any) -> Input:
    return "order-created", build.order(order_id, lines=list(lines) or None, **fields)


def received(receipt_id: str, *lines: build.Data, **fields: Any) -> Input:
    return "inventory-received", build.receipt(receipt_id, lines=list(lines) or None, **fields)


@few
@given(stream=STREAMS, cuts=CUTS)
async def test_any_cut_of_the_input_into_batches_gives_the_same_rows_and_messages(
    books: Ledger, stream: list[Input], cuts: list[int]
) -> None:
    """All in one batch, one by one, and cut at random."""
    ends = []
    for sizes in ([max(1, len(stream))], [1], cuts):
        await books.forget()
        await apply_in_cuts(books, stream, sizes)
        ends.append((await books.rows(*STORED, "journal"), await books.published()))
    assert ends[1] == ends[0]
    assert ends[2] == ends[0]


@few
@given(stream=STREAMS, fill_lines_max=st.integers(1, 4), cuts=CUTS)
async def test_receipts_that_take_many_steps_give_the_same_rows_and_messages(
    database_url: str, books: Ledger, stream: list[Input], fill_lines_max: int, cuts: list[int]
) -> None:
    await books.forget()
    await books.apply(*stream)
    whole = (await books.rows(*STORED), await books.published())
    async with ledger(database_url, fill_lines_max=fill_lines_max) as small:
        await small.forget()
        await apply_in_cuts(small, stream, cuts)
        event(f"steps: {sum(not applied.outcomes for applied in small.committed)}")
        assert (await small.rows(*STORED), await small.published()) == whole
        assert await small.rows("unfinished_cause") == {"unfinished_cause": []}


@few
@given(stream=STREAMS, again=st.lists(st.integers(0, 30), max_size=4), cuts=CUTS)
async def test_what_is_stored_and_published_is_what_the_contract_says(
    books: Ledger, stream: list[Input], again: list[int], cuts: list[int]
) -> None:
    """Some inputs come a second time, every other of them with another content."""
    for number, which in enumerate(again if stream else []):
        topic, content = stream[which % len(stream)]
        stream = [*stream, (topic, content if number % 2 else altered(content))]
    model = WholeModel()
    expected: Events = {}
    for one in stream:
        for topic, key, told in model.tell(*one):
            expected.setdefault((topic, key), []).append(told)
    await books.forget()
    await apply_in_cuts(books, stream, cuts)
    events = events_of(await books.published())
    availability = {sku: events.pop(("availability-changed", sku), [model.availability(sku)]) for sku in SKUS}
    assert await stored(books) == (model.line_rows(), model.allocation_rows(), model.stock_rows())
    assert {key: in_order(found) for key, found in events.items()} == {
        key: in_order(found) for key, found in expected.items()
    }
    assert availability == {sku: [model.availability(sku)] for sku in SKUS}


def altered(content: build.Data) -> build.Data:
    """The same with another instant, whatever it is called."""
    name = next(name for name in content if name.endswith("_at"))
    return {**content, name: "2026-12-24T00:00:00Z"}


async def test_a_receipt_for_more_lines_than_fit_one_transaction_serves_them_in_rank(database_url: str) -> None:
    async with ledger(database_url, fill_lines_max=10) as books:
        orders = [placed(f"SO-{number:03}", build.order_line(quantity=1)) for number in range(100)]
        await books.apply(*reversed(orders))
        books.committed.clear()
        await books.apply(received("R-1", build.receipt_line(quantity=95)))
        # Nine steps at least, as one takes ten lines at most.
        assert len(books.committed) > 9
        lines, _, _ = await stored(books)
        filled, waiting = (0, 0, 1, 0, 0, 0), (1, 0, 0, 0, 0, 0)
        assert lines == [(f"SO-{number:03}", 1, *(filled if number < 95 else waiting)) for number in range(100)]
        assert await books.rows("unfinished_cause") == {"unfinished_cause": []}


async def test_nobody_gets_units_of_a_receipt_that_is_not_settled_yet(books: Ledger) -> None:
    """A new order finds the product reserved; the receipt is finished first, and the queue served."""
    await books.apply(placed("SO-1", build.order_line(quantity=5)))
    begun = books.batch(received("R-1", build.receipt_line(quantity=6)))
    begun.lessons = Lessons(in_steps=True)
    await apply_batch(await books.connection(), begun, RULES, NOW, ignore)
    books.positions |= begun.ends()
    hasty = books.batch(placed("SO-2", build.order_line(quantity=5)))
    with pytest.raises(UnfinishedCauseError, match="inventory-received/R-1 is unfinished"):
        await apply_batch(await books.connection(), hasty, RULES, NOW, ignore)
    await books.apply(placed("SO-2", build.order_line(quantity=5)))
    rows, _, _ = await stored(books)
    assert rows == [("SO-1", 1, 0, 0, 5, 0, 0, 0), ("SO-2", 1, 4, 0, 1, 0, 0, 0)]


async def test_lines_of_the_queue_that_were_not_loaded_are_not_passed(books: Ledger) -> None:
    """For one unit one line is loaded; it is cancelled in the same batch, and the new order is not the next."""
    await books.apply(placed("SO-1", build.order_line(quantity=1)), placed("SO-2", build.order_line(quantity=1)))
    await books.apply(
        ("order-cancelled", build.cancellation(order_id="SO-1")),
        placed("SO-3", build.order_line(quantity=1)),
        received("R-1", build.receipt_line(quantity=1)),
    )
    rows, _, _ = await stored(books)
    assert rows == [
        ("SO-1", 1, 0, 0, 0, 0, 1, 0),
        ("SO-2", 1, 0, 0, 1, 0, 0, 0),
        ("SO-3", 1, 1, 0, 0, 0, 0, 0),
    ]


async def test_claims_that_were_not_loaded_give_way_before_better_ranked_ones(books: Ledger) -> None:
    """For one lost unit the last claim is loaded; it is cancelled in the same batch and goes to somebody urgent."""
    await books.apply(received("R-1", build.receipt_line(quantity=2)))
    await books.apply(*(placed(f"SO-{number}", build.order_line(quantity=1)) for number in (1, 2)))
    await books.apply(placed("SO-3", build.order_line(quantity=1), priority=9))
    await books.apply(
        ("order-cancelled", build.cancellation(order_id="SO-2")),
        ("inventory-adjusted", build.adjustment(quantity_delta=-1)),
    )
    rows, _, _ = await stored(books)
    assert rows == [
        ("SO-1", 1, 1, 0, 0, 0, 0, 0),
        ("SO-2", 1, 0, 0, 0, 0, 1, 0),
        ("SO-3", 1, 0, 0, 1, 0, 0, 0),
    ]


async def test_an_owner_of_before_writes_nothing(books: Ledger) -> None:
    await books.apply(placed("SO-1"))
    before = await books.rows()
    late = books.batch(placed("SO-2"), received("R-1"))
    await books.claim()
    owned = await books.rows()
    with pytest.raises(StalePositionError, match="2 of 2 partitions have another owner by now"):
        await books.applier.apply(late)
    assert await books.rows() == owned
    assert {table for table in before if before[table] != owned[table]} == {"stream_position"}


async def test_a_batch_that_begins_elsewhere_than_its_partition_stands_writes_nothing(books: Ledger) -> None:
    await books.apply(placed("SO-1"))
    before = await books.rows()
    positions = books.positions
    books.positions = {place: replace(position, next_offset=7) for place, position in positions.items()}
    with pytest.raises(StalePositionError):
        await books.apply(placed("SO-2"))
    assert await books.rows() == before


async def test_a_batch_whose_commit_went_unanswered_is_not_applied_again(books: Ledger) -> None:
    batch = books.batch(placed("SO-1"))
    await apply_batch(await books.connection(), batch, RULES, NOW, ignore)
    before = await books.rows()
    await books.applier.apply(batch)
    assert await books.rows() == before


@pytest.mark.parametrize("cuts", [[9], [1]], ids=["in one batch", "in batches of their own"])
async def test_a_second_delivery_changes_nothing_and_a_conflict_is_a_dead_letter(
    books: Ledger, cuts: list[int]
) -> None:
    first = [placed("SO-1"), received("R-1")]
    await books.apply(*first)
    before = await books.rows(*STORED, "journal")
    published = await books.published()
    topic, content = first[0]
    spelled_otherwise = (topic, {**content, "priority": 0, "need_by": None, "remark": "unknown fields are ignored"})
    other = [placed("SO-1", priority=1), received("R-1", location="WH2")]
    await apply_in_cuts(books, [*first, spelled_otherwise, *other, *first], cuts)
    assert await books.rows(*STORED, "journal") == before
    letters = {name: messages for name, messages in (await books.published()).items() if name not in published}
    assert events_of(letters) == {
        ("order-created.dlq", "SO-1"): [{"error": "conflict"}],
        ("inventory-received.dlq", "R-1"): [{"error": "conflict"}],
    }


HOSTILE: dict[str, Callable[[PlaceOrder], PlaceOrder]] = {
    "half a character": lambda order: replace(order, customer={"customer_id": "\ud800"}),
    "a NUL": lambda order: replace(order, lines=[replace(order.lines[0], sku="a\0b")]),
    "an id too long for an index": lambda order: replace(order, order_id="".join(map(chr, range(256, 9_000)))),
    "a number beyond eight bytes": lambda order: replace(order, lines=[replace(order.lines[0], quantity=2**63)]),
    "a priority beyond two bytes": lambda order: replace(order, priority=2**15),
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_a_value_that_postgres_refuses_parks_its_message_alone(books: Ledger, kind: str) -> None:
    """Decoding lets no such value through; if one ever does, the neighbours must not suffer."""
    hostile = decoded(placed("SO-66"))
    assert isinstance(hostile.command, PlaceOrder)
    command = HOSTILE[kind](hostile.command)
    hostile.command, hostile.natural_id = command, command.order_id
    good = [placed(f"SO-{number}") for number in range(5)]
    await books.apply(*good[:3], hostile, *good[3:])
    rows, _, _ = await stored(books)
    assert [row[0] for row in rows] == [f"SO-{number}" for number in range(5)]
    events = events_of(await books.published())
    assert events["order-created.dlq", "SO-66"] == [{"error": "not_applicable"}]


def ignore(_: str) -> None:
    """No crash point is of interest here."""


async def apply_in_cuts(books: Ledger, stream: list[Input], sizes: list[int]) -> None:
    """Apply a stream in batches of these sizes, over and over."""
    rest, number = stream, 0
    while rest:
        size = sizes[number % len(sizes)]
        await books.apply(*rest[:size])
        rest, number = rest[size:], number + 1


async def stored(books: Ledger) -> tuple[list[Row], list[Row], list[Row]]:
    """Lines, allocations and stock, as the model tells them."""
    connection = await books.connection()
    queries = (
        (
            "select order_id, position, backordered, held, released, shipped, cancelled, rejected"
            " from bo_worker.order_line order by 1, 2"
        ),
        (
            "select order_id, line_id, location, held, released"
            " from bo_worker.allocation_status where held + released > 0 order by 1, 2, 3"
        ),
        "select sku, location, on_hand, allocated from bo_worker.stock where on_hand > 0 order by 1, 2",
    )
    lines, allocations, stock = [await connection.fetch(query) for query in queries]
    return [tuple(row) for row in lines], [tuple(row) for row in allocations], [tuple(row) for row in stock]


def events_of(published: Mapping[tuple[str, bytes | None], list[Message]]) -> Events:
    """The data of messages by topic and key, with blank ids; of a dead letter, why it is one."""
    return {
        (topic, (key or b"").decode()): (
            [{"error": dict(message.headers)["dlq_error"].decode()} for message in messages]
            if topic.endswith(".dlq")
            else data(messages)
        )
        for (topic, key), messages in published.items()
    }


def in_order(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The contract does not say which of two events of one cause comes first."""
    return sorted(events, key=lambda event: sorted(map(repr, event.items())))
