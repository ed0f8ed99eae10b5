"""What holds when everything can happen: the account agrees with the contract in its plainest form, step by step."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson
from hypothesis import event, given
from hypothesis import strategies as st

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.decide import decide
from bo_worker.domain.demand import rank_by_need_by, rank_by_placed_at
from bo_worker.messages.outbound import encode
from change_streams import change_streams
from invariants import check_account
from model_changes import WholeModel
from streams import Input, decoded

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

RANKS = {"placed_at": rank_by_placed_at, "need_by": rank_by_need_by}
BLANK = {"fulfillment_id": "F-", "notification_id": "N-", "revokes": "F-"}

Event = tuple[str, str, dict[str, Any]]


@given(change_streams(), st.sampled_from(sorted(RANKS)))
def test_whatever_happens_the_core_does_what_the_contract_says(stream: list[Input], rank_by: str) -> None:
    account, model = Account(RANKS[rank_by]), WholeModel(rank_by)
    for one in stream:
        events = outcome(account, one)
        assert in_order(events) == in_order(model.tell(*one))
        for _, _, content in events:
            event(str(content.get("error") or content["kind"]))
    lines = [line for order in account.orders.values() for line in order.lines]
    assert [(line.backordered, line.held, line.released, line.shipped, line.cancelled) for line in lines] == [
        (line.backordered, line.held, line.released, line.shipped, line.cancelled) for line in model.lines
    ]


def outcome(account: Account, one: Input) -> list[Event]:
    """Let an input happen; return what is published, and why it or what waited for it is dead-lettered."""
    found = decoded(one)
    refusal = decide(account, Cause(one[0], found.natural_id), found.command, found.digest, found)
    events = [data_of(fact) for fact, _ in account.facts]
    if refusal is not None:
        events.append((f"{one[0]}.dlq", found.natural_id, {"error": refusal.error}))
    for early, why in account.refused:
        events.append((f"{early.cause.topic}.dlq", early.cause.natural_id, {"error": why.error}))
    account.facts.clear()
    account.refused.clear()
    check_account(account)
    return events


def data_of(fact: Fact) -> Event:
    message = encode(fact, sequence=1, at=b"", traceparent=None)
    content = orjson.loads(message.value or b"")
    return fact.topic, fact.key, content | {name: BLANK[name] for name in BLANK.keys() & content.keys()}


def in_order(events: list[Event]) -> list[Event]:
    """The contract does not say which of two events of one cause comes first."""
    return sorted(events, key=partial(json.dumps, sort_keys=True))
