"""A promise may be missed: the customer is told in time and asked, and silence has its meaning."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.cancel_order import cancel_waiting
from bo_worker.domain.compensation import Delay, offer_compensation
from bo_worker.domain.consent import NO_DATE, Consent, Expectation, Notice, first_agreed, look_at
from bo_worker.domain.delay_rule import CANCEL, KEEP, RIGHT_TO_END
from bo_worker.domain.facts import DelayNotice, NotificationLine
from bo_worker.domain.identity import derive_id
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.settle import Effect
from bo_worker.domain.substitute import offer_substitutes, substitutes
from bo_worker.domain.token import token_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from bo_worker.domain.account import Account
    from bo_worker.domain.consent import Outcome
    from bo_worker.domain.demand import Order, OrderLine

    Sign = Callable[[str, int, datetime], str]

NO_CONSENT = "no_consent"


class Due(NamedTuple):
    """A line of which a delay is told, for the `ordinal`-th time, and why.

    `first` is the day that was agreed with the order, `agreed_to` the last one that was agreed; then the days that
    are offered, None where there are none.
    """

    line: OrderLine
    consent: Consent
    country: str | None
    ordinal: int
    reason: str
    first: date
    agreed_to: date | None
    new_from: date | None = None
    new_to: date | None = None


def watch_old(account: Account, line: OrderLine) -> None:
    """Have a new line without a day looked at if its order is so old that its agreed day is near, or has passed."""
    order = line.order
    placed_on = order.placed_at.date()
    if placed_on >= account.today:
        return
    expected = Expectation(order.ship_to_country, placed_on)
    first = first_agreed(account.terms.delays.rule_of(order.ship_to_country), expected, _window_days(account, line))
    if first - timedelta(days=account.terms.delays.notice_days) <= account.today:
        consent = account.consents[order.order_id, line.position] = Consent(order.order_id, line.position)
        consent.follow(account.today)


def _window_days(account: Account, line: OrderLine) -> int | None:
    product = account.products.get(line.sku)
    return product.policy.window_days if product is not None and product.policy is not None else None


def tell_delays(
    account: Account, order: Order, expectations: Mapping[int, Expectation], now: datetime, sign: Sign
) -> None:
    """Tell the customer which lines may come later than agreed, with one notice, if there are any.

    `expectations` are those of the lines to look at, by position; the order was loaded whole, with its consents.
    `sign` makes the token, of the order id, the number of the notice and the last instant for an answer.
    """
    looked = [
        _look(account, line, expectations[line.position]) for line in order.lines if line.position in expectations
    ]
    due = [one for one in looked if one is not None]
    if due:
        _tell(account, order, due, now, sign)


def _look(account: Account, line: OrderLine, expected: Expectation) -> Due | None:
    """Look at a line, and note when to look again; return it if its customer must be told of a delay."""
    consent, today = account.consents[line.order.order_id, line.position], account.today
    if not line.backordered:
        close(consent, line)
        return None
    if line.is_suspended:  # It waits for its payment, and not for goods.
        consent.follow(today + timedelta(days=1), consent.respond_by)
        return None
    product, terms = account.products.get(line.sku), account.terms.delays
    first = first_agreed(terms.rule_of(expected.country), expected, _window_days(account, line))
    # A day that is gone may come back at once, while promises are still to be looked at.
    is_settled = product is None or not product.are_promises_due
    is_withdrawn = is_settled and expected.promised_to is not None and expected.expected_to is None
    look = look_at(consent, first, expected.expected_to, today, terms.notice_days, is_withdrawn=is_withdrawn)
    consent.follow(look.check_on, consent.respond_by)
    if look.reason is None:
        return None
    due = Due(line, consent, expected.country, consent.ordinal, look.reason, first, look.agreed_to)
    if expected.expected_to is None or expected.expected_to < today:
        return due
    return due._replace(new_from=expected.expected_from, new_to=expected.expected_to)


def close(consent: Consent, line: OrderLine) -> None:
    """Nothing of a line waits any more: end what is open."""
    notice = consent.open_notice
    if notice is not None:
        notice.end(nothing_waits(line))
    consent.let_go()


def nothing_waits(line: OrderLine) -> Outcome:
    """Return what became of a line of which nothing waits any more, without an answer."""
    return "filled" if line.held or line.released or line.shipped else "given_up"


def _tell(account: Account, order: Order, due: list[Due], now: datetime, sign: Sign) -> None:
    terms = account.terms
    respond_by = min(
        terms.delays.respond_by(one.country, account.today, one.agreed_to, terms.is_day_off) for one in due
    )
    number = 1 + max([0, *(notice.number for one in order.lines for notice in _notices(account, one))])
    options = ["keep", "switch", "cancel"]
    if not any(substitutes(account, one.line) for one in due):
        options.remove("switch")
    token = sign(order.order_id, number, respond_by)
    for one in due:
        _note(account, one, Notice(
            number, one.line.position, one.line.backordered, now, one.reason, one.agreed_to, one.new_from, one.new_to,
            options, respond_by, terms.delays.rule_of(one.country).name,
            terms.delays.silence(one.country, one.ordinal, one.agreed_to, one.new_to), token_hash(token),
        ))  # fmt: skip
    reasons = [one.reason for one in due]
    notification_id = derive_id("N-", account.cause.name, order.order_id, "delay_notice")
    account.publish(
        DelayNotice(
            notification_id,
            "delay_notice",
            order.order_id,
            order.customer,
            [
                NotificationLine(one.line.line_id, one.line.sku, one.line.backordered, one.new_from, one.new_to)
                for one in due
            ],
            reason=NO_DATE if NO_DATE in reasons else reasons[0],
            options=options,
            respond_by=respond_by,
            token=token,
        )
    )
    _offer(account, order, due)


def _notices(account: Account, line: OrderLine) -> list[Notice]:
    consent = account.consents.get((line.order.order_id, line.position))
    return consent.notices if consent is not None else []


def _note(account: Account, due: Due, notice: Notice) -> None:
    """Let a notice be open; it takes the place of one that was."""
    consent = due.consent
    before = consent.open_notice
    if before is not None:
        before.end("superseded")
    consent.notices.append(notice)
    look = look_at(consent, account.today, due.new_to, account.today, account.terms.delays.notice_days)
    consent.follow(look.check_on, None if notice.silence == RIGHT_TO_END else notice.respond_by)


def _offer(account: Account, order: Order, due: Sequence[Due]) -> None:
    """Offer a customer who is told of a delay what can be had now instead, and something for the trouble."""
    offer_substitutes(account, order, [one.line for one in due])
    offer_compensation(account, order, [Delay(one.line, one.ordinal, one.first, one.new_to) for one in due])


def end_silence(account: Account, order: Order, expectations: Mapping[int, Expectation], now: datetime) -> Effect:
    """Let silence have its meaning for the lines whose time for an answer is over; return what is left to settle.

    A line that is expected by the agreed day again keeps waiting: there is no delay to agree to any more.
    """
    effect, cancelled = Effect(), []
    for line in order.lines:
        consent = account.consents.get((order.order_id, line.position))
        if consent is None or consent.respond_by is None or consent.respond_by >= now:
            continue
        notice = consent.open_notice
        if not line.backordered:
            close(consent, line)
        elif notice is not None and _is_in_time(notice, expectations[line.position], account.today):
            notice.end("in_time")
            consent.follow(account.today)
        elif notice is not None and notice.silence == CANCEL:
            cancelled.append(notified(line, cancel_waiting(account, line, line.backordered)))
            notice.end("cancelled_by_silence")
            consent.let_go()
        else:
            if notice is not None and notice.silence == KEEP:
                notice.end("kept_by_silence")
            consent.follow(account.today)
    if cancelled:
        notify(account, order, "order_cancelled", cancelled, reason=NO_CONSENT)
        # What was waited for is gone now: a ship-complete order may leave.
        effect.orders[order.order_id] = None
    return effect


def _is_in_time(notice: Notice, expected: Expectation, today: date) -> bool:
    expected_to, agreed_to = expected.expected_to, notice.agreed_to
    return expected_to is not None and agreed_to is not None and today <= expected_to <= agreed_to
