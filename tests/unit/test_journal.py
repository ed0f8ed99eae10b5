"""The journal tells where every unit went and why, and the counters of the account are its sums (R10)."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.account import Refusal
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import PlaceOrder, ReceiveInventory
from bo_worker.domain.decide import decide
from bo_worker.domain.identity import derive_id
from changes import Changes, amends, cancels, check_journal, corrects, dispatches, picture, sets
from invariants import check_account
from story import AT, CUSTOMER, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import Command

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
    story.receipt("R-1", brings(4))
    story.order("SO-1", wants(4))
    story.hears(dispatches("S-1", "SO-1", ("1", 1)))
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    story.hears(corrects("ADJ-1", -2))
    instruction = derive_id("F-", "order-created/SO-1", "SO-1", "WH1", "ship")
    assert [(entry.change, entry.fulfillment_id) for entry in story.account.journal] == [
        ("received", None),
        ("put_away", None),
        ("claimed", instruction),
        ("shipped", instruction),
        ("returned", instruction),
        ("adjusted", None),
        ("lost", instruction),
    ]


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


# Streams of all commands over few products, places and orders, so that everything gets in each other's way.
SKUS = ("SKU-1", "SKU-1", "SKU-2")
PLACES = ("WH1", "WH2")


def drawn(draw: Random, number: int) -> Command:
    """A command that may fit what went before. Its natural id follows from its place in the stream."""
    return draw.choice((drawn_order, drawn_order, drawn_receipt, drawn_change, drawn_change))(draw, number)


def drawn_order(draw: Random, _: int) -> Command:
    lines = [
        wants(draw.randint(1, 6), line_id, draw.choice(SKUS), at=draw.choice((None, *PLACES)))
        for line_id in "123"[: draw.randint(1, 3)]
    ]
    placed_at = AT + timedelta(minutes=draw.randrange(3))
    order_id = f"SO-{draw.randrange(12)}"
    return PlaceOrder(order_id, placed_at, CUSTOMER, lines, ship_complete=draw.random() < 0.4)


def drawn_receipt(draw: Random, number: int) -> Command:
    lines = [brings(draw.randint(1, 6), line_id, draw.choice(SKUS)) for line_id in "12"]
    return ReceiveInventory(f"R-{number}", draw.choice(PLACES), AT, lines)


def drawn_change(draw: Random, number: int) -> Command:
    order_id, line_id, place = f"SO-{draw.randrange(12)}", draw.choice("112"), draw.choice(PLACES)
    sku, units, small = draw.choice(SKUS), draw.randint(1, 4), draw.randrange(3)
    complete = draw.choice((None, True, False))
    return draw.choice(
        (
            cancels(f"X-{number}", order_id, *[(line_id, units)] * draw.randrange(2)),
            amends(f"AM-{number}", order_id, minute=draw.randrange(9), priority=small, ship_complete=complete),
            corrects(f"ADJ-{number}", draw.choice((-6, -3, -1, 1, 2)), sku=sku, location=place),
            dispatches(f"S-{number}", order_id, (line_id, draw.randint(1, 2), place)),
            sets(number, sku=sku, safety_stock=small, backorder_limit=draw.choice((None, 4, 20))),
        )
    )


@pytest.mark.parametrize("seed", range(20))
def test_after_every_command_of_a_stream_the_counters_are_the_sums_of_the_journal(seed: int) -> None:
    """Whatever is refused leaves everything as it was. An order comes once."""
    account, draw = Changes().account, Random(seed)  # noqa: S311 - a seeded generator, not a secret
    for number in range(100):
        command = drawn(draw, number)
        if isinstance(command, PlaceOrder) and command.order_id in account.orders:
            continue
        before = picture(account)
        refusal = decide(account, Cause("a topic", str(number)), command, str(number).encode())
        if isinstance(refusal, Refusal):
            assert picture(account) == before
        check_journal(account)
        check_account(account)
