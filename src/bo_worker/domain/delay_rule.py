"""What the law and the merchant ask when a promise may be missed: rules per country, as values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final, Literal

from bo_worker.domain.working_days import weekends, working_days_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

Silence = Literal["keep", "cancel", "right_to_end"]
KEEP: Final = "keep"
CANCEL: Final = "cancel"
RIGHT_TO_END: Final = "right_to_end"

_END_OF_DAY: Final = time(23, 59, 59, tzinfo=UTC)


@dataclass(slots=True, frozen=True)
class DelayRule:
    """What holds in some countries; the defaults are those of everywhere else.

    Without a promised day an order is to be delivered `default_days` after it was placed. What the silence of a
    customer means: `first_definite` after the first notice, if its new day is at most `definite_days` after the
    agreed one; `first_other` after any other first notice; `later` after any further one.
    `responds_by_agreed_day`: no answer is waited for longer than to the agreed day. A refund is due
    `refund_working_days` working days after a cancellation.
    """

    name: str = "default"
    default_days: int = 30
    definite_days: int = 30
    first_definite: Silence = "keep"
    first_other: Silence = "cancel"
    later: Silence = "cancel"
    responds_by_agreed_day: bool = False
    refund_working_days: int = 7

    def silence(self, ordinal: int, agreed_to: date | None, new_to: date | None) -> Silence:
        """Return what silence means after the `ordinal`-th delay (from 1) of what was agreed for a day."""
        if ordinal > 1:
            return self.later
        if agreed_to is None or new_to is None or (new_to - agreed_to).days > self.definite_days:
            return self.first_other
        return self.first_definite


@dataclass(slots=True, frozen=True)
class DelayTerms:
    """The rules by country (ISO 3166-1), the one that holds elsewhere, and what the merchant adds to them.

    A customer is told `notice_days` before an agreed day for which nothing is expected, and has `respond_days`
    working days for an answer. With `silence_cancels` silence always cancels, whatever the rule says.
    """

    rules: Mapping[str, DelayRule] = field(default_factory=dict)
    default: DelayRule = field(default_factory=DelayRule)
    notice_days: int = 3
    respond_days: int = 5
    silence_cancels: bool = False

    def rule_of(self, country: str | None) -> DelayRule:
        """Return the rule of a country."""
        return self.rules.get(country or "", self.default)

    @property
    def default_days_min(self) -> int:
        """The fewest days after which any rule expects a delivery."""
        return min(rule.default_days for rule in (self.default, *self.rules.values()))

    def silence(self, country: str | None, ordinal: int, agreed_to: date | None, new_to: date | None) -> Silence:
        """Return what silence means in a country after the `ordinal`-th delay."""
        return "cancel" if self.silence_cancels else self.rule_of(country).silence(ordinal, agreed_to, new_to)

    def respond_by(
        self,
        country: str | None,
        today: date,
        agreed_to: date | None,
        is_day_off: Callable[[str | None, date], bool] = weekends,
    ) -> datetime:
        """Return the last second for an answer to what is told today; there is always one working day for it."""
        day = working_days_after(today, self.respond_days, country, is_day_off)
        if agreed_to is not None and self.rule_of(country).responds_by_agreed_day:
            day = max(min(day, agreed_to), working_days_after(today, 1, country, is_day_off))
        return datetime.combine(day, _END_OF_DAY)
