"""What is said to serve a waiting line does so through the door of the core, and nothing less does."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import AdjustInventory, AmendOrder, PlaceOrder, ReceiptLine, ReceiveInventory
from bo_worker.domain.decide import decide
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.remedy import remedies
from story import AT, CUSTOMER, Story, wants
from streams import POLICIES, Input, decoded, streams

if TYPE_CHECKING:
    from random import Random

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import Command
    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.remedy import Remedy

STREAMS = streams()


def waiting(account: Account, line: OrderLine) -> Waiting:
    return Waiting(
        account.rank(line), line.location or "", line.backordered, line.order.order_id, line.position
    )  # fmt: skip


def waits_after(story: Story, line: OrderLine, *commands: Command) -> int:
    """The units of a line that wait when all this has happened to a copy of the account."""
    account = deepcopy(story.account)
    for number, command in enumerate(commands):
        assert decide(account, Cause("test", str(number)), command, b"") is None
    return account.orders[line.order.order_id].lines[line.position - 1].backordered


def arrival(sku: str, location: str | None, units: int) -> list[Command]:
    lines = [ReceiptLine("1", sku, units, 0, None)]
    return [ReceiveInventory("R-new", location or "WH-new", AT, lines)] if units else []


def moves(sku: str, remedy: Remedy, units: int) -> list[Command]:
    """Take units from their locations, all but those that are too many, and bring them to where they are needed."""
    found: list[Command] = []
    left = units
    for number, (location, quantity) in enumerate(remedy.sources):
        taken = min(left, quantity)
        left -= taken
        if taken:
            found.append(AdjustInventory(f"A-{number}", sku, location, -taken, "moved", AT))
    if units and remedy.location:
        found.append(AdjustInventory("A-in", sku, remedy.location, units, "moved", AT))
    return found


def check(story: Story, line: OrderLine, remedy: Remedy) -> None:
    sku, units = line.sku, remedy.quantity
    if remedy.kind == "unpin":
        account = deepcopy(story.account)
        command = PlaceOrder("SO-new", AT, CUSTOMER, [wants(units, sku=sku)])
        assert units == line.backordered
        assert decide(account, Cause("test", "SO-new"), command, b"") is None
        assert account.orders["SO-new"].lines[0].backordered == 0
        return
    if remedy.kind == "safety_stock":
        old = story.account.products[sku].policy
        assert old is not None
        for quantity in (units, units + 1):
            policy = replace(old, version=old.version + 1, safety_stock=quantity)
            assert (waits_after(story, line, policy) == 0) is (quantity == units)
        return
    for quantity in (units, units - 1):
        if remedy.kind == "transfer":
            commands = moves(sku, remedy, quantity)
        else:
            commands = arrival(sku, remedy.location, quantity)
        if remedy.kind == "priority":
            amend = AmendOrder("AM-new", line.order.order_id, AT.replace(year=2027), priority=remedy.priority)
            commands = [amend, *commands]
        assert (waits_after(story, line, *commands) == 0) is (quantity == units)


@given(STREAMS, POLICIES, st.randoms(use_true_random=False))
def test_every_remedy_serves_the_line_and_one_unit_less_does_not(
    stream: list[Input], policies: dict[str, dict[str, Any]], random: Random
) -> None:
    story = Story()
    for sku, fields in policies.items():
        story.policy(sku, **fields)
    for one in stream:
        story.tell(one[0], decoded(one).natural_id, decoded(one).command)
    lines = [line for order in story.account.orders.values() for line in order.lines if line.backordered]
    lines = random.sample(lines, min(3, len(lines)))
    for line in lines:
        product = story.account.product(line.sku)
        queue = [
            waiting(story.account, other)
            for order in story.account.orders.values()
            for other in order.lines
            if other.sku == line.sku and other.backordered
        ]
        found = remedies(product, queue, waiting(story.account, line))
        assert found[-1].kind == "arrival"
        places = [line.location] if line.location else list(product.stock)
        fewer = found[-1].quantity - 1
        assert all(waits_after(story, line, *arrival(line.sku, place, fewer)) for place in places)
        for remedy in found:
            check(story, line, remedy)
