"""Whatever happens to orders that are followed: nothing leaves unpaid, and nobody waits for ever for an answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.account import Terms
from bo_worker.domain.authorize import due_at, is_owed, look_again
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    CancelLine,
    CancelOrder,
    Payment,
    Price,
    UpdatePayment,
)
from bo_worker.domain.facts import Ship
from bo_worker.domain.pay_back import given_up
from bo_worker.domain.payment import PaymentTerms
from bo_worker.domain.settle import settle
from bo_worker.domain.unpaid import give_up_unpaid
from story import AT, Story, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import LineRequest
    from bo_worker.domain.facts import Fact

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ORDERS = 4
NUMBERS = st.integers(0, ORDERS - 1)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), NUMBERS, st.integers(0, 90), st.booleans()),
        st.tuples(st.just("receipt"), st.integers(1, 9), st.sampled_from(("WH1", "WH2"))),
        st.tuples(st.just("cancel"), NUMBERS, st.sampled_from(("1", "2")), st.integers(1, 4)),
        st.tuples(st.just("amend"), NUMBERS, st.integers(0, 9), st.booleans()),
        st.tuples(st.just("adjust"), st.integers(-4, 4).filter(bool)),
        st.tuples(
            st.just("news"),
            NUMBERS,
            st.sampled_from(("authorized", "failed", "failed", "captured", "voided", "refunded")),
            st.sampled_from((None, "A-1", "A-2", "A-3")),
            st.none() | st.integers(0, 200),
            st.integers(0, 30),
        ),
        st.tuples(st.just("time"), st.integers(1, 100)),
    ),
    max_size=25,
)


def priced(line_id: str, quantity: int, at: str | None) -> LineRequest:
    line = wants(quantity, line_id, at=at)
    line.unit_price = Price("9.99", "EUR")
    return line


def sweep(story: Story, number: int) -> None:
    """Do what is due, as the jobs do; what was done is not due any more."""
    account = story.account
    for order in account.orders.values():
        payment = order.payment
        for turn in range(4):
            due = due_at(order, payment, account.terms.payment) if payment else None
            if payment is None or due is None or due > account.now:
                break
            assert turn < 3, "it is due for ever"
            account.cause = Cause("sweep", f"{order.order_id}/{due}/{number}/{turn}")
            if payment.status == "failed":
                settle(account, give_up_unpaid(account, order))
            else:
                look_again(account, order, payment)
            check(story, story.facts_of(account.cause))


def play(story: Story, number: int, step: tuple[Any, ...]) -> list[Fact]:
    """Let a step happen, if it can; return its facts."""
    match step:
        case "receipt", quantity, location:
            return story.receipt(f"R-{number}", brings(quantity), location=location)
        case "adjust", delta:
            return correct(story, number, delta)
        case "time", hours:
            story.account.now += timedelta(hours=hours)
            story.account.today = story.account.now.date()
            return []
        case _:
            return play_order(story, number, f"SO-{step[1]}", step)


def play_order(story: Story, number: int, order_id: str, step: tuple[Any, ...]) -> list[Fact]:
    if (order_id in story.account.orders) == (step[0] == "order"):
        return []
    match step:
        case "order", place, hours, ship_complete:
            payment = Payment("A-1", story.account.now + timedelta(hours=hours))
            lines = [priced("1", 3, None), priced("2", 2, "WH1")]
            command_fields = {"payment": payment, "ship_complete": ship_complete, "minute": place}
            return story.order(order_id, *lines, **command_fields)
        case "cancel", _, line_id, quantity:
            command = CancelOrder(f"X-{number}", order_id, AT, lines=[CancelLine(line_id, quantity)])
            return story.tell("order-cancelled", f"X-{number}", command)
        case "amend", _, priority, ship_complete:
            at = AT + timedelta(minutes=number)
            amendment = AmendOrder(f"AM-{number}", order_id, at, priority, ship_complete=ship_complete)
            return story.tell("order-amended", f"AM-{number}", amendment)
        case "news", _, status, authorization_id, hours, minute:
            ends = None if hours is None else story.account.now + timedelta(hours=hours)
            at = AT + timedelta(minutes=minute)
            news = UpdatePayment(f"P-{number}", order_id, status, at, authorization_id, ends)
            return story.tell("payment-updated", f"P-{number}", news)
    raise AssertionError(step)


def correct(story: Story, number: int, delta: int) -> list[Fact]:
    stock = story.account.product("SKU-1").stock.get("WH1")
    delta = max(delta, -(stock.on_hand if stock else 0))
    if not delta:
        return []
    adjustment = AdjustInventory(f"ADJ-{number}", "SKU-1", "WH1", delta, "found", AT)
    return story.tell("inventory-adjusted", f"ADJ-{number}", adjustment)


def check(story: Story, facts: list[Fact]) -> None:
    now = story.account.now
    for order in story.account.orders.values():
        payment = order.payment
        assert payment is not None
        assert payment.paid_back == given_up(order)
        is_there = payment.is_valid(now)
        for line in order.lines:
            assert not line.is_suspended or (payment.status == "failed" and not line.held)
            assert line.location is None or line.location.removeprefix("!") in ("", "WH1")
            if line.held and not (order.ship_complete and order.is_waiting()):
                assert not is_there
                assert payment.status == "failed" or payment.asked_at is not None
    for fact in facts:
        if isinstance(fact, Ship):
            order = story.account.orders[fact.order_id]
            assert order.payment is not None
            assert order.payment.is_valid(now) or not is_owed(order)


@given(steps=STEPS, at_shipment=st.booleans())
def test_units_leave_only_while_their_money_is_there_and_everything_else_stays_true(
    steps: list[tuple[Any, ...]], *, at_shipment: bool
) -> None:
    story = Story()
    story.account.now, story.account.today = NOW, NOW.date()
    story.account.terms = Terms(payment=PaymentTerms(at_shipment=at_shipment))
    for number, step in enumerate(steps):
        check(story, play(story, number, step))
        sweep(story, number)
