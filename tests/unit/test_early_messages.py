"""Cancellations and amendments that come before their order wait for it, and act before it asks for stock."""

from __future__ import annotations

from datetime import timedelta

import pytest

import build
from bo_worker.domain.account import Account, Early, Refusal
from bo_worker.domain.cause import Cause
from bo_worker.domain.decide import decide
from bo_worker.messages.inbound import Refused, decode
from bo_worker.service.apply import _decide
from bo_worker.service.work import Work
from changes import Changes, amends, cancelled, cancels, cause_of
from story import AT, backordered, brings, confirmed, filled, part, put_away, rejected, ship, stored, wants


@pytest.fixture
def story() -> Changes:
    return Changes()


# Cancellations.
def test_a_cancellation_waits_in_silence_for_its_order(story: Changes) -> None:
    assert story.hears(cancels("X-1", "SO-1")) == []
    assert story.account.early == {"SO-1": [Early(Cause("order-cancelled", "X-1"), cancels("X-1", "SO-1"))]}
    story.order("SO-2", wants(1))
    assert story.buckets("SO-2") == [{"backordered": 1}]
    assert list(story.account.early) == ["SO-1"]


def test_units_that_were_cancelled_before_are_not_asked_for(story: Changes) -> None:
    story.receipt("R-1", brings(3))
    story.hears(cancels("X-1", "SO-1", ("1", 2), reason="customer"))
    assert story.order("SO-1", wants(5)) == [
        cancelled("SO-1", ("1", 2), reason="customer"),
        ship("SO-1", part(3), completes=True),
        confirmed("SO-1", ("1", 3)),
    ]
    assert story.causes == ["order-cancelled/X-1", "order-created/SO-1", "order-created/SO-1"]
    assert story.buckets("SO-1") == [{"released": 3, "cancelled": 2}]
    assert story.account.early == {}


def test_of_an_order_that_was_cancelled_as_a_whole_the_customer_hears_just_that(story: Changes) -> None:
    story.receipt("R-1", brings(3))
    story.hears(cancels("X-1", "SO-1"))
    assert story.order("SO-1", wants(2, "a"), wants(9, "b"), ship_complete=True) == [
        cancelled("SO-1", ("a", 2), ("b", 9))
    ]
    assert story.buckets("SO-1") == [{"cancelled": 2}, {"cancelled": 9}]
    assert story.stock() == {"WH1": (3, 0)}
    assert story.receipt("R-2", brings(1)) == [put_away("R-2", stored(1))]


def test_more_units_than_the_order_has_are_no_error_and_what_is_gone_is_not_cancelled_twice(story: Changes) -> None:
    story.hears(cancels("X-1", "SO-1", ("a", 1)))
    story.hears(cancels("X-2", "SO-1", ("a", 5), ("b", 1)))
    story.hears(cancels("X-3", "SO-1", ("a", 1)))
    assert story.order("SO-1", wants(3, "a"), wants(2, "b")) == [
        cancelled("SO-1", ("a", 1)),
        cancelled("SO-1", ("a", 2), ("b", 1)),
        backordered("SO-1", ("b", 1)),
    ]
    assert story.causes == ["order-cancelled/X-1", "order-cancelled/X-2", "order-created/SO-1"]


def test_a_line_that_may_not_wait_is_not_rejected_for_units_that_were_cancelled(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    assert story.order("SO-1", wants(3, backorder="deny")) == [
        cancelled("SO-1", ("1", 1)),
        ship("SO-1", part(2), completes=True),
        confirmed("SO-1", ("1", 2)),
    ]


def test_what_is_left_of_a_line_may_be_rejected(story: Changes) -> None:
    story.hears(cancels("X-1", "SO-1", ("1", 1)))
    assert story.order("SO-1", wants(3, backorder="deny")) == [
        cancelled("SO-1", ("1", 1)),
        rejected("SO-1", ("1", 2), reason="out_of_stock"),
    ]
    assert story.buckets("SO-1") == [{"cancelled": 1, "rejected": 2}]


def test_an_order_that_ships_as_a_whole_does_not_wait_for_a_line_that_was_cancelled(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    story.hears(cancels("X-1", "SO-1", ("b", 1)))
    assert story.order("SO-1", wants(2, "a"), wants(1, "b", "SKU-2"), ship_complete=True) == [
        cancelled("SO-1", ("b", 1, "SKU-2")),
        ship("SO-1", part(2, "a"), completes=True),
        confirmed("SO-1", ("a", 2)),
    ]


def test_an_order_that_is_rejected_as_a_whole_is_so_without_what_was_cancelled(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    story.hears(cancels("X-1", "SO-1", ("a", 1), ("c", 1)))
    lines = (wants(2, "a"), wants(1, "b", "SKU-2", backorder="deny"), wants(1, "c", "SKU-3"))
    assert story.order("SO-1", *lines, ship_complete=True) == [
        cancelled("SO-1", ("a", 1), ("c", 1, "SKU-3")),
        rejected("SO-1", ("a", 1), ("b", 1, "SKU-2"), reason="out_of_stock"),
    ]
    assert story.stock() == {"WH1": (2, 0)}


def test_one_that_names_a_line_the_order_turns_out_not_to_have_is_refused_as_a_whole_when_it_comes(
    story: Changes,
) -> None:
    """The order itself, and what else waited for it, do not suffer."""
    story.hears(cancels("X-1", "SO-1", ("1", 1), ("9", 1)))
    story.hears(cancels("X-2", "SO-1", ("1", 1)))
    assert story.order("SO-1", wants(3)) == [cancelled("SO-1", ("1", 1)), backordered("SO-1", ("1", 2))]
    assert story.causes == ["order-cancelled/X-2", "order-created/SO-1"]
    early = Early(Cause("order-cancelled", "X-1"), cancels("X-1", "SO-1", ("1", 1), ("9", 1)))
    assert story.account.refused == [(early, Refusal("unknown_line", "order SO-1 has no line 9"))]


def test_what_waits_is_handed_back_with_the_name_its_sender_gave_it() -> None:
    account, command, token = Account(), cancels("X-1", "SO-1", ("9", 1)), object()
    assert decide(account, cause_of(command), command, b"", token) is None
    (early,) = account.early["SO-1"]
    assert early.token is token


# Amendments.
def test_an_order_is_served_from_the_start_as_it_was_amended(story: Changes) -> None:
    story.receipt("R-1", brings(2))
    assert story.hears(amends("AM-1", "SO-1", priority=6, need_by=AT, ship_complete=True)) == []
    assert story.order("SO-1", wants(3)) == [backordered("SO-1", ("1", 1), reason="ship_complete")]
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 2}]
    assert story.hears(amends("AM-2", "SO-1", minute=1, ship_complete=False)) == [
        ship("SO-1", part(2), completes=False, priority=6),
        filled("SO-1", ("1", 2), completes=False),
    ]


def test_an_order_that_was_amended_takes_its_place_in_the_queue(story: Changes) -> None:
    story.order("SO-1", wants(1), minute=1)
    story.hears(amends("AM-1", "SO-2", priority=1))
    story.order("SO-2", wants(1), minute=2)
    assert [fact.key for fact in story.receipt("R-1", brings(1))] == ["SO-2", "SO-2"]


@pytest.mark.parametrize("latest_first", [True, False])
def test_of_amendments_that_waited_the_latest_holds_per_field(story: Changes, *, latest_first: bool) -> None:
    amendments = [
        amends("AM-1", "SO-1", minute=1, priority=1, need_by=AT + timedelta(days=1)),
        amends("AM-2", "SO-1", minute=2, priority=2),
    ]
    for amendment in amendments[::-1] if latest_first else amendments:
        story.hears(amendment)
    story.order("SO-1", wants(1))
    order = story.account.orders["SO-1"]
    assert (order.priority, order.need_by) == (2, AT + timedelta(days=1))


def test_an_amendment_that_comes_later_but_was_made_earlier_changes_nothing(story: Changes) -> None:
    story.hears(amends("AM-2", "SO-1", minute=2, priority=2))
    story.order("SO-1", wants(1))
    story.hears(amends("AM-1", "SO-1", minute=1, priority=1))
    assert story.account.orders["SO-1"].priority == 2


# Natural ids.
def decided(*inputs: tuple[str, build.Data]) -> list[str]:
    """What becomes of inputs within one batch, the last word on each."""
    work, outcomes = Work(Account()), []
    known: dict[tuple[str, str], bytes] = {}
    new: dict[tuple[str, str], bytes] = {}
    for topic, data in inputs:
        item = decode(build.record(topic, data), 1_000_000)
        assert not isinstance(item, Refused)
        outcome = _decide(item, work, known, new)
        outcomes.append(outcome.error if isinstance(outcome, Refused) else outcome)
    assert new.keys() == known.keys() - {("order-created", "SO-1001")}
    return outcomes


def test_the_natural_id_of_one_that_is_refused_when_its_order_comes_is_free_at_once() -> None:
    """As it would be if the order had come in a batch of its own."""
    wrong, right = ([{"line_id": line_id, "quantity": 1}] for line_id in "91")
    assert decided(
        ("order-cancelled", build.cancellation(lines=wrong)),
        ("order-created", build.order()),
        ("order-cancelled", build.cancellation(lines=wrong)),
        ("order-cancelled", build.cancellation(lines=right)),
        ("order-cancelled", build.cancellation(lines=right)),
    ) == ["applied", "applied", "unknown_line", "applied", "duplicate"]


def test_one_that_waits_for_its_order_may_come_twice_but_not_with_other_content() -> None:
    assert decided(
        ("order-cancelled", build.cancellation()),
        ("order-cancelled", build.cancellation()),
        ("order-cancelled", build.cancellation(reason="customer")),
        ("order-created", build.order()),
        ("order-cancelled", build.cancellation()),
    ) == ["applied", "duplicate", "conflict", "applied", "duplicate"]
