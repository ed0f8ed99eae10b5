"""A customer answers the notice of a delay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.authorize import FAILED, ask_to_pay
from bo_worker.domain.cancel_order import cancel_waiting
from bo_worker.domain.consent import SUBSTITUTE_GONE, UNPAID
from bo_worker.domain.delay import close, nothing_waits
from bo_worker.domain.delay_rule import RIGHT_TO_END
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.settle import Effect
from bo_worker.domain.substitute import switch_line
from bo_worker.domain.token import token_hash

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import AnswerNotice
    from bo_worker.domain.consent import Consent, Notice
    from bo_worker.domain.demand import Order, OrderLine


def answer_notice(account: Account, order: Order, command: AnswerNotice) -> Effect | Refusal:
    """Do what the customer chose for one line, and note it with the notice.

    What was filled meanwhile stays filled; that is no refusal. The order was loaded whole, with its consents.
    """
    line = next((line for line in order.lines if line.line_id == command.line_id), None)
    consent = account.consents.get((order.order_id, line.position)) if line is not None else None
    notice = consent.find(token_hash(command.token)) if consent is not None else None
    if line is None or consent is None or notice is None:
        return Refusal(
            "wrong_token", f"no notice about line {command.line_id} of order {order.order_id} has this token"
        )
    if notice.answer is not None:
        return Refusal("token_used", f"{notice.response_id} has answered for line {line.line_id} with this token")
    is_early = notice.outcome == "superseded" and command.choice == "cancel"
    if not line.backordered and (notice.outcome is None or notice.is_over or is_early):
        close(consent, line)
        notice.note_answer(command, notice.outcome if notice.is_over and notice.outcome else nothing_waits(line))
        return Effect()
    return _refuse(notice, command) or _choose(account, line, consent, notice, command)


def _refuse(notice: Notice, command: AnswerNotice) -> Refusal | None:
    """Tell why an answer comes too late, or lacks something.

    An order may be given up with the token of an earlier notice too, as a later one only told of more delay.
    """
    is_cancel = command.choice == "cancel"
    if notice.outcome is not None and not (notice.outcome == "superseded" and is_cancel):
        return Refusal("answer_late", f"notice {notice.number} of order {command.order_id} ended as {notice.outcome}")
    if notice.outcome is None and notice.silence != RIGHT_TO_END and command.responded_at > notice.respond_by:
        return Refusal("answer_late", f"the time to answer was over at {notice.respond_by.isoformat()}")
    if command.choice == "switch" and command.substitute_sku is None:
        return Refusal("substitute_missing", "who wants another product says which (substitute_sku)")
    return None


def _choose(account: Account, line: OrderLine, consent: Consent, notice: Notice, command: AnswerNotice) -> Effect:
    order = line.order
    if command.choice == "keep":
        notice.note_answer(command, "kept")
        consent.follow(account.today)
        return Effect()
    if command.choice == "cancel":
        cancelled = notified(line, cancel_waiting(account, line, line.backordered))
        notify(account, order, "order_cancelled", [cancelled], reason="customer")
        _end_all(consent, notice)
        notice.note_answer(command, "cancelled")
        return Effect(orders={order.order_id: None})
    return _switch(account, line, consent, notice, command)


def _switch(account: Account, line: OrderLine, consent: Consent, notice: Notice, command: AnswerNotice) -> Effect:
    """Let the customer have another product; where that can't be now, the sweep asks again.

    Nothing is claimed for a line that waits for its payment, whatever is in stock: it is to be paid first.
    """
    order = line.order
    if line.is_suspended and order.payment is not None:
        ask_to_pay(account, order, order.payment, FAILED)
        notice.note_answer(command, UNPAID)
        consent.follow(account.today)
        return Effect()
    effect = switch_line(account, order, line, command.substitute_sku or "")
    if effect is None:
        notice.note_answer(command, SUBSTITUTE_GONE)
        consent.follow(account.today)
        return Effect()
    notice.note_answer(command, "switched")
    consent.let_go()
    return effect


def _end_all(consent: Consent, notice: Notice) -> None:
    """A line was given up: what is still open of it ends, too."""
    later = consent.open_notice
    if later is not None and later is not notice:
        later.end("given_up")
    consent.let_go()
