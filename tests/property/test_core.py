"""What holds for any stream of inputs: nothing is lost, nobody is passed, nothing lies idle."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import astuple
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.account import Account
from bo_worker.domain.allocation import serve_queue
from bo_worker.domain.arrival import put_away
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import ReceiveInventory
from bo_worker.domain.demand import ANY_LOCATION, rank_by_need_by, rank_by_placed_at
from bo_worker.domain.receive_inventory import receive_inventory
from bo_worker.domain.settle import release_served
from bo_worker.domain.stock import Lane
from bo_worker.messages.inbound import Refused
from bo_worker.messages.outbound import encode
from bo_worker.service.apply import _decide
from bo_worker.service.work import Work
from invariants import check_account, check_receipt
from model import Model
from story import Story
from streams import LOCATIONS, POLICIES, SKUS, Input, decoded, streams

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.facts import Fact

STREAMS = streams()
RANKS = {"placed_at": rank_by_placed_at, "need_by": rank_by_need_by}


def play(story: Story, one: Input) -> list[Fact]:
    """Let an input happen; the story checks R1, R2 and R4 after it."""
    found = decoded(one)
    facts = story.tell(one[0], found.natural_id, found.command)
    if isinstance(found.command, ReceiveInventory):
        check_receipt(found.command, facts)
    return facts


def lines_of(story: Story) -> Iterator[OrderLine]:
    for order in story.account.orders.values():
        yield from order.lines


def data_of(fact: Fact) -> tuple[str, str, dict[str, Any]]:
    message = encode(fact, sequence=1, at=b"", traceparent=None)
    return fact.topic, fact.key, orjson.loads(message.value or b"")


def claimed(line: OrderLine) -> dict[str, int]:
    found: dict[str, int] = {}
    for claim in line.claims:
        found[claim.location] = found.get(claim.location, 0) + claim.held + claim.released
    return found


@given(STREAMS)
def test_units_on_hand_are_those_that_arrived_and_every_unit_is_accounted_for(stream: list[Input]) -> None:
    story = Story()
    arrived: dict[tuple[str, str], int] = {}
    for topic, data in stream:
        play(story, (topic, data))
        for line in data["lines"] if topic == "inventory-received" else []:
            place = (line["sku"], data["location"])
            arrived[place] = arrived.get(place, 0) + line["quantity"]
    on_hand = {
        (product.sku, stock.location): stock.on_hand
        for product in story.account.products.values()
        for stock in product.stock.values()
    }
    assert on_hand == {place: quantity for place, quantity in arrived.items() if quantity}


@given(STREAMS)
def test_no_line_gets_a_unit_that_a_better_ranked_one_still_waits_for(stream: list[Input]) -> None:
    story = Story()
    for one in stream:
        before = {id(line): claimed(line) for line in lines_of(story)}
        play(story, one)
        lines = list(lines_of(story))
        for line in lines:
            had = before.get(id(line), {})
            gained = {place for place, quantity in claimed(line).items() if quantity > had.get(place, 0)}
            passed = [
                other
                for other in lines
                if other.backordered
                and other.sku == line.sku
                and plain_rank(other) < plain_rank(line)
                and (gained if other.location is None else other.location in gained)
            ]
            assert passed == []


def plain_rank(line: OrderLine) -> tuple[int, datetime, str, int]:
    return (-line.order.priority, line.order.placed_at, line.order.order_id, line.position)


@given(STREAMS, POLICIES, st.sampled_from(("placed_at", "need_by")))
def test_the_core_does_what_the_contract_says_in_its_plainest_form(
    stream: list[Input], policies: dict[str, dict[str, Any]], rank_by: str
) -> None:
    story, model = Story(RANKS[rank_by]), Model(rank_by)
    for sku, policy in policies.items():
        story.policy(sku, **policy)
        model.policies[sku] = policy
    for one in stream:
        facts = [data_of(fact) for fact in play(story, one)]
        assert in_order(facts) == in_order(model.tell(*one))
    assert [(line.backordered, line.held, line.released, line.rejected) for line in lines_of(story)] == [
        (line.backordered, line.held, line.released, line.rejected) for line in model.lines
    ]


def in_order(events: list[tuple[str, str, dict[str, Any]]]) -> list[tuple[str, str, dict[str, Any]]]:
    """The contract does not say which of two events of one cause comes first."""
    return sorted(events, key=partial(json.dumps, sort_keys=True))


@given(STREAMS)
def test_nobody_waits_for_ever_where_enough_arrives(stream: list[Input]) -> None:
    story = Story()
    for one in stream:
        play(story, one)
    waiting = sum(line.backordered for line in lines_of(story))
    for number in range(waiting // 3 + 1):
        lines = [
            {"line_id": sku, "sku": sku, "quantity": 3}
            for sku in SKUS
            if any(line.backordered for line in lines_of(story) if line.sku == sku)
        ]
        if not lines:
            break
        for location in LOCATIONS:
            receipt = {"receipt_id": f"more-{number}-{location}", "location": location, "lines": lines}
            play(story, ("inventory-received", receipt | {"received_at": "2026-11-22T00:00:00Z"}))
    assert [line.line_id for line in lines_of(story) if line.released + line.rejected != line.quantity] == []


@given(STREAMS.filter(bool), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=8))
def test_messages_that_come_again_change_nothing(stream: list[Input], again: list[tuple[int, int]]) -> None:
    """Copies are strewn in after their originals; each second one says something else under the same id."""
    strewn = list(stream)
    for number, (which, where) in enumerate(again):
        topic, data = deepcopy(stream[which % len(stream)])
        original = strewn.index(stream[which % len(stream)])
        if number % 2:
            data["lines"][0]["quantity"] += 1
        strewn.insert(original + 1 + where % (len(strewn) - original), (topic, data))
    facts, refused = decide_all(strewn)
    assert (facts, []) == (decide_all(stream)[0], [code for code in refused if code != "conflict"])
    assert len(refused) == len(again) // 2


def decide_all(stream: list[Input]) -> tuple[list[tuple[Fact, Cause]], list[str]]:
    """Decide as the worker does in one batch; return the facts, and the codes of what was refused."""
    work, refused = Work(Account()), []
    known: dict[tuple[str, str], bytes] = {}
    for one in stream:
        outcome = _decide(decoded(one), work, known, {})
        if isinstance(outcome, Refused):
            refused.append(outcome.error)
    check_account(work.account)
    return work.account.facts, refused


@given(STREAMS, st.integers(1, 3))
def test_a_receipt_served_in_steps_gives_the_same_as_in_one_go(stream: list[Input], lines_max: int) -> None:
    whole, stepped = Story(), Story()
    for one in stream:
        command = decoded(one).command
        at_once = [data_of(fact) for fact in play(whole, one)]
        facts = (
            receive_in_steps(stepped, command, lines_max)
            if isinstance(command, ReceiveInventory)
            else play(stepped, one)
        )
        assert in_order([data_of(fact) for fact in facts]) == in_order(at_once)
    assert [list(map(astuple, line.claims)) for line in lines_of(stepped)] == [
        list(map(astuple, line.claims)) for line in lines_of(whole)
    ]


def receive_in_steps(story: Story, command: ReceiveInventory, lines_max: int) -> list[Fact]:
    """Receive with only the heads of lanes loaded, a few lines at a time, as the worker does with large receipts."""
    account, cause = story.account, Cause("inventory-received", command.receipt_id)
    account.cause = cause
    effect = receive_inventory(account, command)
    assert effect.arrivals is not None
    served: dict[str, None] = {}
    for sku, locations in effect.locations.items():
        finished = False
        while not finished:
            load_heads(account, sku, lines_max)
            finished = serve_queue(
                account, account.product(sku), locations, effect.arrivals, served=served, may_pause=True
            )
        load_heads(account, sku)
    for order_id in served:
        release_served(account, order_id, effect.arrivals)
    put_away(account, effect.arrivals)
    return story.facts_of(cause)


def load_heads(account: Account, sku: str, lines_max: int = 1_000) -> None:
    """Load the first lines of each lane of a product, and no more."""
    product = account.product(sku)
    waiting = [line for order in account.orders.values() for line in order.lines if line.sku == sku]
    for pin in (ANY_LOCATION, *LOCATIONS):
        ranked = sorted(
            (line for line in waiting if line.backordered and (line.location or ANY_LOCATION) == pin),
            key=account.rank,
        )
        head = ranked[:lines_max]
        lane = Lane(pin, is_whole=len(head) < lines_max, tail=account.rank(head[-1]) if head else None)
        for line in head:
            lane.push(account.rank(line), line)
        product.lanes[pin] = lane
