"""What a customer agreed to for a line that waits: the notices of its delays, and what came of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from bo_worker.domain.commands import AnswerNotice, Choice
    from bo_worker.domain.delay_rule import DelayRule, Silence

Outcome = Literal[
    "kept",
    "kept_by_silence",
    "cancelled",
    "cancelled_by_silence",
    "switched",
    "substitute_gone",
    "unpaid",
    "filled",
    "given_up",
    "superseded",
    "in_time",
]
LATE: Final = "supplier_late"
NO_DATE: Final = "no_date"
SUBSTITUTE_GONE: Final = "substitute_gone"
UNPAID: Final = "unpaid"
_AGREED: Final = ("kept", "kept_by_silence")
_ASKED_AGAIN: Final = (SUBSTITUTE_GONE, UNPAID)
_OVER: Final = ("filled", "given_up")


@dataclass(slots=True, eq=False)
class Notice:
    """One notice of a delay of one line; open until it has an outcome.

    `number` counts the notices of the order, one token for each. `agreed_to` is the day that may be missed, None
    where the customer had agreed to wait without a day; `new_to` is the day offered instead, None where there is
    none. `rule` names the rule that held, `silence` what it made of no answer by `respond_by`.
    """

    number: int
    position: int
    quantity: int
    told_at: datetime
    reason: str
    agreed_to: date | None
    new_from: date | None
    new_to: date | None
    options: list[str]
    respond_by: datetime
    rule: str
    silence: Silence
    token_hash: bytes
    answer: Choice | None = None
    response_id: str | None = None
    answered_at: datetime | None = None
    outcome: Outcome | None = None
    is_new: bool = True
    is_changed: bool = False

    def end(self, outcome: Outcome) -> None:
        """Note what came of it."""
        self.outcome, self.is_changed = outcome, True

    def note_answer(self, command: AnswerNotice, outcome: Outcome) -> None:
        """Note what the customer answered, and what came of it."""
        self.answer, self.response_id = command.choice, command.response_id
        self.answered_at = command.responded_at
        self.end(outcome)

    @property
    def is_over(self) -> bool:
        """Tell whether it ended without anybody's decision: nothing waits any more."""
        return self.outcome in _OVER


@dataclass(slots=True, eq=False)
class Consent:
    """The notices of one line, first to last, and when it is looked at again.

    On `check_on` it is seen whether a notice is due, after `respond_by` what silence means. `is_followed` says that
    the line may need either; it was followed when it was loaded if it `was_followed`.
    """

    order_id: str
    position: int
    notices: list[Notice] = field(default_factory=list)
    check_on: date | None = None
    respond_by: datetime | None = None
    is_followed: bool = False
    was_followed: bool = False
    is_changed: bool = False

    @property
    def last(self) -> Notice | None:
        """The latest notice."""
        return self.notices[-1] if self.notices else None

    @property
    def open_notice(self) -> Notice | None:
        """The latest notice, if nothing came of it yet."""
        last = self.last
        return last if last is not None and last.outcome is None else None

    @property
    def ordinal(self) -> int:
        """Which delay the next notice tells of, from 1; to be asked again about the same one does not count."""
        return 1 + sum(notice.outcome not in _ASKED_AGAIN for notice in self.notices)

    def agreed_to(self, first: date) -> date | None:
        """Return the day that the customer agreed to last, `first` where never asked, None: to wait without a day."""
        agreed: date | None = first
        for notice in self.notices:
            if notice.outcome in _AGREED:
                agreed = notice.new_to
        return agreed

    def find(self, token_hash: bytes) -> Notice | None:
        """Return the notice that a token came with."""
        return next((notice for notice in self.notices if compare_digest(notice.token_hash, token_hash)), None)

    def follow(self, check_on: date | None, respond_by: datetime | None = None) -> None:
        """Have the line looked at again."""
        self.check_on, self.respond_by = check_on, respond_by
        self.is_followed = self.is_changed = True

    def let_go(self) -> None:
        """Look at the line no more: nothing of it waits."""
        self.check_on = self.respond_by = None
        self.is_followed, self.is_changed = False, True


class Expectation(NamedTuple):
    """What a line was promised first, and by the day of its order or not, and what is expected now."""

    country: str | None
    placed_on: date
    promised_to: date | None = None
    is_promised_at_once: bool = False
    expected_from: date | None = None
    expected_to: date | None = None


class Look(NamedTuple):
    """What is due for a line: a notice where there is a `reason`; else when it is to be looked at again."""

    reason: str | None
    agreed_to: date | None
    check_on: date | None = None


def first_agreed(rule: DelayRule, expected: Expectation, window_days: int | None) -> date:
    """Return the day by which a line was to be delivered when it was ordered.

    It is the promised one. Where none was given with the order it is that of the rule, or an earlier one that the
    merchant sets or tells.
    """
    promised_to = expected.promised_to
    if promised_to is not None and expected.is_promised_at_once:
        return promised_to
    days = rule.default_days if window_days is None else min(rule.default_days, window_days)
    day = _days_after(expected.placed_on, days)
    return day if promised_to is None else min(day, promised_to)


def look_at(
    consent: Consent,
    first: date,
    expected_to: date | None,
    today: date,
    notice_days: int,
    *,
    is_withdrawn: bool = False,
) -> Look:
    """Tell whether the customer of a waiting line must be told of a delay now.

    That is so when the line is expected later than agreed, when the day that was told `is_withdrawn` and no other
    is known, or when none is known `notice_days` before the agreed day. An expected day that has passed is none.
    While a notice is open, the day that it offered counts as the agreed one.
    """
    agreed_to, last = consent.agreed_to(first), consent.last
    if last is not None and last.outcome == SUBSTITUTE_GONE:
        return Look(SUBSTITUTE_GONE, agreed_to)
    known_to = last.new_to if last is not None and last.outcome is None else agreed_to
    if known_to is None:
        # An open notice may have no deadline, so that nothing else would see that nothing waits any more.
        return Look(None, agreed_to, _days_after(today, 1) if consent.open_notice is not None else None)
    if expected_to is None or expected_to < today:
        check_on = today if is_withdrawn else known_to - timedelta(days=notice_days)
        return Look(NO_DATE, agreed_to) if check_on <= today else Look(None, agreed_to, check_on)
    if expected_to > known_to:
        return Look(LATE, agreed_to)
    return Look(None, agreed_to, _days_after(expected_to, 1))


def _days_after(day: date, days: int) -> date:
    """Return a later day; some give the last one that there is, 9999-12-31, for a day that nobody knows."""
    return day + min(timedelta(days), date.max - day)
