"""The money for an order: what is asked for, what is asked back, and what happens while it is not there."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.account import Terms
from bo_worker.domain.authorize import due_at, look_again
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    CancelLine,
    CancelOrder,
    LineRequest,
    Payment,
    PlaceOrder,
    Price,
    UpdatePayment,
)
from bo_worker.domain.decide import decide
from bo_worker.domain.money import rounded
from bo_worker.domain.payment import OrderPayment, PaymentTerms
from bo_worker.domain.payment_request import Money, PaymentRequest
from bo_worker.domain.settle import settle
from bo_worker.domain.unpaid import give_up_unpaid
from story import AT, CUSTOMER, Story, backordered, brings, confirmed, filled, part, ship, told, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import PaymentStatus
    from bo_worker.domain.facts import Fact, Notification
    from bo_worker.domain.payment_request import PaymentRequestKind

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENDS = NOW + timedelta(days=7)
A_1 = Payment("A-1", ENDS)


def tale(terms: PaymentTerms | None = None) -> Story:
    story = Story()
    story.account.now, story.account.today = NOW, NOW.date()
    story.account.terms = Terms(payment=terms or PaymentTerms())
    return story


def priced(
    quantity: int, price: str = "10.00", line_id: str = "1", currency: str = "USD", **fields: Any
) -> LineRequest:
    line = wants(quantity, line_id, **fields)
    line.unit_price = Price(price, currency)
    return line


def news(
    story: Story,
    status: PaymentStatus,
    number: int = 1,
    *,
    minute: int | None = None,
    order_id: str = "SO-1",
    **fields: Any,
) -> list[Fact]:
    at = AT + timedelta(minutes=number if minute is None else minute)
    command = UpdatePayment(f"P-{number}", order_id, status, at, **fields)
    return story.tell("payment-updated", f"P-{number}", command)


def cancel(story: Story, number: int = 1, *lines: CancelLine, order_id: str = "SO-1") -> list[Fact]:
    command = CancelOrder(f"X-{number}", order_id, AT, None, list(lines) or None)
    return story.tell("order-cancelled", f"X-{number}", command)


def asked(
    kind: PaymentRequestKind,
    amount: str,
    reason: str,
    *,
    of: str | None = "A-1",
    due_by: date | None = None,
    currency: str = "USD",
) -> PaymentRequest:
    return PaymentRequest("PM-", kind, "SO-1", Money(amount, currency), of, reason, due_by)


def action(quantity: int, reason: str, respond_by: datetime | None) -> Notification:
    notification = told("payment_action_required", "SO-1", ("1", quantity), reason=reason)
    notification.respond_by = respond_by
    return notification


def payment_of(story: Story) -> OrderPayment:
    payment = story.account.orders["SO-1"].payment
    assert payment is not None
    return payment


def due_of(story: Story) -> datetime | None:
    return due_at(story.account.orders["SO-1"], payment_of(story), story.account.terms.payment)


def renew(story: Story) -> list[Fact]:
    cause = story.account.cause = Cause("sweep", f"renewal/{story.account.now}")
    look_again(story.account, story.account.orders["SO-1"], payment_of(story))
    return story.facts_of(cause)


def give_up(story: Story) -> list[Fact]:
    cause = story.account.cause = Cause("sweep", f"unpaid/{story.account.now}")
    settle(story.account, give_up_unpaid(story.account, story.account.orders["SO-1"]))
    return story.facts_of(cause)


def requests(facts: list[Fact]) -> list[PaymentRequest]:
    return [fact for fact in facts if isinstance(fact, PaymentRequest)]


def test_an_order_without_payment_or_without_prices_is_not_followed() -> None:
    story = tale()
    story.order("SO-1", priced(3))
    story.order("SO-2", wants(3), payment=A_1)
    assert [order.payment for order in story.account.orders.values()] == [None, None]
    assert requests(cancel(story)) == []
    assert news(story, "authorized", order_id="SO-2") == []


def test_what_is_given_up_part_by_part_is_voided() -> None:
    story = tale()
    story.order("SO-1", priced(3, "19.90"), priced(1, "5", line_id="2"), payment=A_1)
    assert requests(cancel(story, 1, CancelLine("1", 1))) == [asked("void", "19.90", "cancelled")]
    assert requests(cancel(story, 2)) == [asked("void", "44.80", "cancelled")]
    assert requests(cancel(story, 3)) == []


def test_once_captured_it_is_refunded_within_seven_working_days_and_told() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    assert news(story, "captured") == []
    due_by = date(2026, 12, 1)
    assert requests(cancel(story, 1, CancelLine("1", 2))) == [asked("refund", "20.00", "cancelled", due_by=due_by)]
    assert news(story, "refunded", 2) == [told("refund_issued", "SO-1", ("1", 2))]
    assert news(story, "refunded", 3) == []
    assert requests(cancel(story, 2)) == [asked("refund", "10.00", "cancelled", due_by=due_by)]
    assert news(story, "refunded", 4) == [told("refund_issued", "SO-1", ("1", 1))]


def test_a_refund_that_is_confirmed_before_the_capture_says_that_the_money_was_captured() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    assert news(story, "refunded", 2) == []
    assert news(story, "captured", 1) == []
    assert [request.kind for request in requests(cancel(story))] == ["refund"]


def test_rejected_lines_are_voided_with_the_order() -> None:
    story = tale()
    facts = story.order("SO-1", priced(3, backorder="deny"), priced(1, "7.25", line_id="2"), payment=A_1)
    assert requests(facts) == [asked("void", "30.00", "rejected")]


def test_an_order_in_two_currencies_is_asked_back_in_both() -> None:
    story = tale()
    story.order("SO-1", priced(2), priced(3, "100", line_id="2", currency="JPY"), wants(1, "3"), payment=A_1)
    assert requests(cancel(story)) == [
        asked("void", "300", "cancelled", currency="JPY"),
        asked("void", "20.00", "cancelled"),
    ]


@pytest.mark.parametrize(
    ("amount", "currency", "paid"),
    [("0.005", "USD", "0.01"), ("0.5", "JPY", "1"), ("1.2344", "KWD", "1.234"), ("2", "CLF", "2.0000")],
)
def test_amounts_have_the_decimals_of_their_currency(amount: str, currency: str, paid: str) -> None:
    assert str(rounded(Decimal(amount), currency)) == paid


def test_an_authorization_is_renewed_in_time_for_what_is_open() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    cancel(story, 1, CancelLine("1", 1))
    assert due_of(story) == ENDS - timedelta(hours=24)
    story.account.now = ENDS - timedelta(hours=24)
    assert renew(story) == [asked("authorize", "20.00", "authorization_expires")]
    assert due_of(story) == ENDS
    assert news(story, "authorized", authorization_id="A-2", capture_before=ENDS + timedelta(days=7)) == []
    assert due_of(story) == ENDS + timedelta(days=6)
    assert requests(cancel(story, 2)) == [asked("void", "20.00", "cancelled", of="A-2")]


def test_what_is_given_up_while_another_authorization_is_asked_for_is_voided_in_that_one_too() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    renew(story)
    assert requests(cancel(story, 1, CancelLine("1", 1))) == [asked("void", "10.00", "cancelled")]
    facts = news(story, "authorized", authorization_id="A-2")
    assert facts == [asked("void", "10.00", "cancelled", of="A-2")]


def test_to_hear_again_of_the_same_authorization_is_no_answer_to_a_request() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    story.account.now = ENDS - timedelta(hours=24)
    renew(story)
    news(story, "authorized", authorization_id="A-1", capture_before=ENDS)
    assert due_of(story) == ENDS
    news(story, "authorized", 2, authorization_id="A-1", capture_before=ENDS + timedelta(days=7))
    assert due_of(story) == ENDS + timedelta(days=6)


def test_a_request_that_nobody_answers_counts_as_failed_once_the_authorization_has_run_out() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    story.account.now = ENDS - timedelta(hours=24)
    renew(story)
    story.account.now = ENDS
    assert renew(story) == [action(3, "authorization_expired", ENDS + timedelta(hours=72))]
    assert due_of(story) == ENDS + timedelta(hours=72)


def test_units_are_held_back_while_the_payment_failed_and_leave_when_it_is_there() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    deadline = NOW + timedelta(hours=72)
    assert news(story, "failed") == [action(3, "payment_failed", deadline)]
    story.receipt("R-1", brings(2))
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 2}]
    story.account.now += timedelta(hours=1)
    assert news(story, "failed", 2) == [action(3, "payment_failed", deadline)]
    assert news(story, "authorized", 3, authorization_id="A-2") == [
        ship("SO-1", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
    ]


def test_what_a_new_order_can_have_leaves_on_the_authorization_that_came_with_it() -> None:
    story = tale()
    story.receipt("R-1", brings(3))
    facts = story.order("SO-1", priced(3), payment=Payment("A-1", NOW))
    assert facts == [ship("SO-1", part(3), completes=True), confirmed("SO-1", ("1", 3))]
    assert due_of(story) is None


def test_at_shipment_an_order_whose_authorization_ran_out_before_it_came_is_confirmed_and_held() -> None:
    story = tale(PaymentTerms(at_shipment=True))
    story.receipt("R-1", brings(3))
    facts = story.order("SO-1", priced(3), payment=Payment("A-1", NOW))
    assert facts == [asked("authorize", "30.00", "shipment"), confirmed("SO-1", ("1", 3))]
    assert story.buckets("SO-1") == [{"held": 3}]
    assert due_of(story) == NOW + timedelta(hours=24)
    assert news(story, "authorized", capture_before=ENDS) == [
        ship("SO-1", part(3), completes=True),
        filled("SO-1", ("1", 3), completes=True),
    ]


def test_at_shipment_an_authorization_is_asked_for_once_units_could_leave() -> None:
    story = tale(PaymentTerms(at_shipment=True))
    lines = [priced(3), priced(1, "7", line_id="2", sku="SKU-2")]
    assert story.order("SO-1", *lines, payment=A_1) == [backordered("SO-1", ("1", 3), ("2", 1, "SKU-2"))]
    assert due_of(story) is None
    story.account.now = ENDS
    assert requests(cancel(story, 1, CancelLine("2", 1))) == []
    assert requests(story.receipt("R-1", brings(1))) == [asked("authorize", "30.00", "shipment")]
    assert requests(story.receipt("R-2", brings(1))) == []
    assert story.buckets("SO-1") == [{"backordered": 1, "held": 2}, {"cancelled": 1}]


def test_who_does_not_pay_in_time_gives_the_units_to_the_next_in_rank() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    story.order("SO-2", wants(2), minute=2)
    news(story, "failed")
    story.receipt("R-1", brings(2))
    assert give_up(story) == [ship("SO-2", part(2), completes=True), filled("SO-2", ("1", 2), completes=True)]
    assert story.buckets("SO-1") == [{"backordered": 3}]
    assert due_of(story) is None
    story.receipt("R-2", brings(5))
    assert story.buckets("SO-1") == [{"backordered": 3}]
    assert story.stock() == {"WH1": (7, 2)}


def test_a_suspended_line_that_is_paid_is_served_at_its_old_rank() -> None:
    story = tale()
    story.order("SO-1", priced(3, at="WH1"), payment=A_1)
    news(story, "failed")
    give_up(story)
    story.order("SO-2", wants(9), minute=2)
    story.receipt("R-1", brings(2))
    assert story.buckets("SO-2") == [{"backordered": 7, "released": 2}]
    assert news(story, "authorized", 2, authorization_id="A-2") == []
    assert story.account.orders["SO-1"].lines[0].location == "WH1"
    story.receipt("R-2", brings(3))
    assert story.buckets("SO-1") == [{"released": 3}]


def test_a_suspended_line_that_is_paid_gets_what_is_free() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    news(story, "failed")
    give_up(story)
    story.receipt("R-1", brings(2))
    assert news(story, "captured", 2) == [
        ship("SO-1", part(2), completes=False),
        filled("SO-1", ("1", 2), completes=False),
    ]


def test_a_suspended_line_can_be_amended_and_cancelled() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    news(story, "failed")
    give_up(story)
    story.tell("order-amended", "AM-1", AmendOrder("AM-1", "SO-1", AT, priority=9))
    story.receipt("R-1", brings(2))
    assert cancel(story) == [told("order_cancelled", "SO-1", ("1", 3))]
    assert story.buckets("SO-1") == [{"cancelled": 3}]


def test_released_units_stay_and_those_that_a_correction_takes_from_them_are_given_up_at_once() -> None:
    story = tale()
    story.receipt("R-1", brings(3))
    story.order("SO-1", priced(3), payment=A_1)
    news(story, "failed")
    assert story.buckets("SO-1") == [{"released": 3}]
    assert due_of(story) is None
    story.account.now += timedelta(days=9)
    adjustment = AdjustInventory("ADJ-1", "SKU-1", "WH1", -1, "damaged", AT)
    story.tell("inventory-adjusted", "ADJ-1", adjustment)
    assert due_of(story) == NOW + timedelta(hours=72)
    give_up(story)
    assert due_of(story) is None


def test_older_news_and_news_of_a_replaced_authorization_change_nothing() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    news(story, "authorized", 5, authorization_id="A-2")
    assert news(story, "failed", 4) == []
    assert news(story, "failed", 6, authorization_id="A-1") == []
    assert news(story, "voided", 7, authorization_id="A-1") == []
    assert news(story, "voided", 8, authorization_id="A-0") == []
    assert payment_of(story).status == "authorized"


def test_an_authorization_that_is_voided_unasked_holds_the_order_back_like_a_failure() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    assert news(story, "voided") == [action(3, "payment_failed", NOW + timedelta(hours=72))]
    story.receipt("R-1", brings(3))
    assert story.buckets("SO-1") == [{"held": 3}]
    news(story, "authorized", 2, authorization_id="A-2")
    assert story.buckets("SO-1") == [{"released": 3}]


@pytest.mark.parametrize("mended_by", ["A-2", "A-1"])
def test_what_is_given_up_after_a_failure_is_voided_in_the_authorization_that_mends_it(mended_by: str) -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    cancel(story, 1, CancelLine("1", 1))
    news(story, "failed")
    assert requests(cancel(story, 2)) == []
    mended = news(story, "authorized", 2, authorization_id=mended_by)
    assert requests(mended) == [asked("void", "20.00", "cancelled", of=mended_by)]


def test_a_void_that_was_asked_for_says_nothing_of_the_rest() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    cancel(story, 1, CancelLine("1", 1))
    assert news(story, "voided") == []
    assert payment_of(story).status == "authorized"


def test_it_is_voided_only_when_nothing_of_the_order_is_open() -> None:
    story = tale()
    story.order("SO-1", priced(3), payment=A_1)
    cancel(story)
    assert news(story, "voided") == []
    assert payment_of(story).status == "voided"


def test_news_that_come_before_their_order_count_when_it_comes() -> None:
    story = tale()
    assert news(story, "failed") == []
    story.receipt("R-1", brings(3))
    deadline = NOW + timedelta(hours=72)
    placed = Cause("order-created", "SO-1")
    assert decide(story.account, placed, PlaceOrder("SO-1", AT, CUSTOMER, [priced(3)], payment=A_1), b"") is None
    kinds = [getattr(fact, "kind", "") for fact, _ in story.account.facts]
    assert kinds == ["payment_action_required", "order_confirmed"]
    assert payment_of(story).deadline == deadline
    assert story.buckets("SO-1") == [{"held": 3}]
