"""The journal tells where every unit went and why, and the counters of the account are its sums (R10)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.account import Cause, Refusal
from bo_worker.domain.commands import PlaceOrder, ReceiveInventory
from bo_worker.domain.decide import decide
from changes import TOPICS, Changes, amends, cancels, check_journal, corrects, dispatches, picture, sets
from invariants import check_account
from story import AT, CUSTOMER, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import Command
    from bo_worker.domain.facts import Fact

Line = tuple[Any, ...]


@pytest.fixture
def story() -> Changes:
    return Changes()


def written(story: Changes) -> list[Line]:
    """Take out the journal: what changed, how many units, where, for whom, and how they left."""
    lines = []
    for entry in story.account.journal:
        line: Line = (entry.cause, entry.change, entry.quantity, entry.location)
        if entry.order_id is not None:
            line += (f"{entry.order_id}/{entry.position}",)
        lines.append(line + ((entry.via,) if entry.via else ()))
    return lines


def test_every_change_of_stock_of_a_claim_and_of_what_waits_is_written_down_with_its_cause(story: Changes) -> None:
    story.receipt("R-1", brings(3))
    story.order("SO-1", wants(2, "a"), wants(2, "b"))
    story.order("SO-2", wants(1, backorder="deny"))
    story.receipt("R-2", brings(2))
    story.hears(dispatches("S-1", "SO-1", ("a", 2)))
    story.hears(corrects("ADJ-1", -2))
    story.hears(cancels("X-1", "SO-1", ("b", 2)))
    story.hears(corrects("ADJ-2", 1, location="WH2"))
    assert written(story) == [
        ("inventory-received/R-1", "received", 3, "WH1"),
        ("inventory-received/R-1", "put_away", 3, "WH1"),
        ("order-created/SO-1", "claimed", 2, "WH1", "SO-1/1", "ship"),
        ("order-created/SO-1", "backordered", 1, "", "SO-1/2"),
        ("order-created/SO-1", "claimed", 1, "WH1", "SO-1/2", "ship"),
        ("order-created/SO-2", "rejected", 1, "", "SO-2/1"),
        ("inventory-received/R-2", "received", 2, "WH1"),
        ("inventory-received/R-2", "filled", 1, "WH1", "SO-1/2", "cross_dock"),
        ("inventory-received/R-2", "put_away", 1, "WH1"),
        ("shipment-dispatched/S-1", "shipped", 2, "WH1", "SO-1/1"),
        ("inventory-adjusted/ADJ-1", "adjusted", -2, "WH1"),
        ("inventory-adjusted/ADJ-1", "lost", 1, "WH1", "SO-1/2"),
        ("order-cancelled/X-1", "dropped", 1, "", "SO-1/2"),
        ("order-cancelled/X-1", "returned", 1, "WH1", "SO-1/2"),
        ("inventory-adjusted/ADJ-2", "adjusted", 1, "WH2"),
    ]


def test_units_that_were_held_are_written_down_again_when_they_leave(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(1, "a"), wants(1, "b", "SKU-2"), ship_complete=True)
    story.receipt("R-2", brings(1, sku="SKU-2"))
    assert written(story)[2:] == [
        ("order-created/SO-1", "claimed", 1, "WH1", "SO-1/1"),
        ("order-created/SO-1", "backordered", 1, "", "SO-1/2"),
        ("inventory-received/R-2", "received", 1, "WH1"),
        ("inventory-received/R-2", "filled", 1, "WH1", "SO-1/2", "cross_dock"),
        ("inventory-received/R-2", "released", 1, "WH1", "SO-1/1", "ship"),
    ]


def test_of_an_order_that_is_rejected_as_a_whole_only_that_is_written_down(story: Changes) -> None:
    story.receipt("R-1", brings(1))
    story.order("SO-1", wants(1, "a"), wants(1, "b"), wants(2, "c", backorder="deny"), ship_complete=True)
    assert written(story)[2:] == [
        ("order-created/SO-1", "rejected", 1, "", "SO-1/1"),
        ("order-created/SO-1", "rejected", 1, "", "SO-1/2"),
        ("order-created/SO-1", "rejected", 2, "", "SO-1/3"),
    ]


def test_an_entry_names_the_instruction_that_carries_the_units_or_loses_them(story: Changes) -> None:
    facts: list[Fact] = []
    story._blanked = lambda fact: facts.append(fact) or fact  # type: ignore[func-returns-value,method-assign]
    story.receipt("R-1", brings(4))
    story.order("SO-1", wants(4))
    story.hears(dispatches("S-1", "SO-1", ("1", 1)))
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    story.hears(corrects("ADJ-1", -2))
    instruction = next(fact for fact in facts if getattr(fact, "kind", "") == "ship")
    named = {entry.change: entry.fulfillment_id for entry in story.account.journal}
    expected = {"received": None, "put_away": None, "adjusted": None}
    assert named == expected | dict.fromkeys(("claimed", "shipped", "returned", "lost"), instruction.fulfillment_id)


@pytest.mark.parametrize(
    "command",
    [
        corrects("ADJ-9", -9),
        dispatches("S-9", "SO-1", ("1", 9)),
        dispatches("S-9", "SO-9", ("1", 1)),
        cancels("X-9", "SO-1", ("9", 1)),
    ],
    ids=lambda command: type(command).__name__,
)
def test_what_is_refused_leaves_no_trace(story: Changes, command: Command) -> None:
    story.receipt("R-1", brings(2))
    story.order("SO-1", wants(3))
    before = written(story)
    story.refuses(command)
    assert written(story) == before


@pytest.mark.parametrize(
    "command", [amends("AM-1", "SO-1", priority=3), sets(safety_stock=1)], ids=lambda command: type(command).__name__
)
def test_what_moves_no_units_writes_nothing_down(story: Changes, command: Command) -> None:
    story.receipt("R-1", brings(2))
    story.order("SO-1", wants(3))
    before = written(story)
    story.hears(command)
    assert written(story) == before


# Any stream of commands over few products, places and orders. Natural ids follow from the place in the stream.
QUANTITIES = st.integers(1, 5)
SKUS = st.sampled_from(("SKU-1", "SKU-1", "SKU-2"))
PLACES = st.sampled_from(("WH1", "WH2"))
ORDER_IDS = st.sampled_from([f"SO-{number}" for number in range(6)])
LINE_IDS = st.sampled_from("1123")
PINS = st.none() | PLACES
WANTED = st.lists(
    st.builds(wants, QUANTITIES, st.just(""), SKUS, at=PINS, backorder=st.sampled_from((None, None, "deny"))),
    min_size=1,
    max_size=3,
)
BROUGHT = st.lists(st.builds(brings, QUANTITIES, st.just(""), SKUS), min_size=1, max_size=2)
LEFT = st.lists(st.tuples(LINE_IDS, QUANTITIES, PLACES), min_size=1, max_size=2)
GIVEN_UP = st.lists(st.tuples(LINE_IDS, QUANTITIES), max_size=2, unique_by=lambda line: line[0])
MAYBE = st.none() | st.booleans()


def _order(order_id: str, minute: int, lines: list[Any], ship_complete: bool) -> PlaceOrder:  # noqa: FBT001 - drawn
    return PlaceOrder(order_id, AT + timedelta(minutes=minute), CUSTOMER, numbered(lines), ship_complete=ship_complete)


def _receipt(location: str, lines: list[Any]) -> ReceiveInventory:
    return ReceiveInventory("", location, AT, numbered(lines))


def numbered(lines: list[Any]) -> list[Any]:
    for number, line in enumerate(lines, 1):
        line.line_id = str(number)
    return lines


ORDERS = st.builds(_order, ORDER_IDS, st.integers(0, 3), WANTED, st.booleans())
RECEIPTS = st.builds(_receipt, PLACES, BROUGHT)
OTHERS = st.one_of(
    st.builds(lambda order_id, lines: cancels("", order_id, *lines), ORDER_IDS, GIVEN_UP),
    st.builds(
        lambda order_id, minute, priority, complete: amends(
            "", order_id, minute=minute, priority=priority, ship_complete=complete
        ),
        ORDER_IDS,
        st.integers(0, 3),
        st.none() | st.integers(0, 2),
        MAYBE,
    ),
    st.builds(
        lambda delta, sku, location: corrects("", delta, sku=sku, location=location),
        st.integers(-5, 5).filter(bool),
        SKUS,
        PLACES,
    ),
    st.builds(lambda order_id, lines: dispatches("", order_id, *lines), ORDER_IDS, LEFT),
    st.builds(
        lambda version, sku, safety_stock, limit: sets(
            version, sku=sku, safety_stock=safety_stock, backorder_limit=limit
        ),
        st.integers(0, 9),
        SKUS,
        st.integers(0, 3),
        st.none() | st.integers(0, 9),
    ),
)
STREAMS = st.lists(ORDERS | RECEIPTS | OTHERS | OTHERS, max_size=30)


@given(STREAMS)
def test_after_every_command_of_any_stream_the_counters_are_the_sums_of_the_journal(stream: list[Command]) -> None:
    """Whatever is refused leaves everything as it was. An order comes once."""
    story = Changes()
    account = story.account
    for number, command in enumerate(stream):
        if isinstance(command, PlaceOrder) and command.order_id in account.orders:
            continue
        topic, _ = TOPICS.get(type(command), ("", ""))
        before = picture(account)
        refusal = decide(account, Cause(topic, str(number)), command, str(number).encode())
        if isinstance(refusal, Refusal):
            assert picture(account) == before
        check_journal(account)
        check_account(account)
