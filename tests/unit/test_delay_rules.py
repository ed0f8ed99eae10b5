"""When a customer must be told of a delay, what silence means then, and until when to answer: rule by rule."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from bo_worker.delay_rules import is_day_off, load_delay_terms
from bo_worker.domain.consent import Consent, Expectation, Notice, first_agreed, look_at
from bo_worker.domain.token import make_token, token_hash
from bo_worker.domain.working_days import working_days_after

if TYPE_CHECKING:
    from bo_worker.domain.consent import Outcome

TERMS = load_delay_terms(3, 5, silence_cancels=False)
STRICT = load_delay_terms(3, 5, silence_cancels=True)
PLACED = date(2026, 11, 21)
AGREED = date(2026, 12, 21)
TOLD = datetime(2026, 12, 1, 12, tzinfo=UTC)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def consent(*outcomes: Outcome | None, new_to: str | None = "2027-01-10") -> Consent:
    """A line of which notices came to these outcomes, the last one with a new day or without."""
    found = Consent("SO-1", 1)
    for number, outcome in enumerate(outcomes, 1):
        notice = Notice(
            number, 1, 3, TOLD, "supplier_late", AGREED, None, day(new_to), ["keep"], TOLD, "us", "keep", b"hash"
        )  # fmt: skip
        notice.outcome = outcome
        found.notices.append(notice)
    return found


@pytest.mark.parametrize(
    ("country", "ordinal", "new_to", "silence"),
    [
        ("US", 1, "2027-01-20", "keep"),
        ("US", 1, "2027-01-21", "cancel"),
        ("US", 1, None, "cancel"),
        ("US", 2, "2026-12-22", "cancel"),
        ("DE", 1, "2026-12-22", "right_to_end"),
        ("DE", 1, None, "right_to_end"),
        ("SE", 2, "2026-12-22", "right_to_end"),
        ("JP", 1, "2026-12-22", "keep"),
        ("JP", 2, "2026-12-22", "cancel"),
        (None, 1, None, "cancel"),
    ],
)
def test_what_silence_means_follows_the_rule_of_the_country(
    country: str | None, ordinal: int, new_to: str | None, silence: str
) -> None:
    assert TERMS.silence(country, ordinal, AGREED, day(new_to)) == silence
    assert STRICT.silence(country, ordinal, AGREED, day(new_to)) == "cancel"


@pytest.mark.parametrize(
    ("promised_to", "at_once", "window_days", "agreed_to"),
    [
        (None, False, None, "2026-12-21"),
        (None, False, 10, "2026-12-01"),
        (None, False, 60, "2026-12-21"),
        ("2027-03-01", True, None, "2027-03-01"),
        ("2026-12-05", True, 10, "2026-12-05"),
        # Told only later: no reason to wait longer than was agreed with the order.
        ("2027-03-01", False, None, "2026-12-21"),
        ("2026-12-05", False, None, "2026-12-05"),
    ],
)
def test_the_agreed_day_is_the_one_promised_with_the_order_or_that_of_the_rule(
    promised_to: str | None, window_days: int | None, agreed_to: str, *, at_once: bool
) -> None:
    expected = Expectation("US", PLACED, day(promised_to), at_once)
    assert first_agreed(TERMS.rule_of("US"), expected, window_days) == day(agreed_to)


@pytest.mark.parametrize(
    ("told", "new_to", "expected_to", "today", "due", "check_on"),
    [
        # Never told: by the agreed day, 21 December.
        ((), None, "2026-12-21", "2026-12-01", None, "2026-12-22"),
        ((), None, "2026-12-22", "2026-12-01", "supplier_late", None),
        ((), None, None, "2026-12-17", None, "2026-12-18"),
        ((), None, None, "2026-12-18", "no_date", None),
        # A day that has passed is none.
        ((), None, "2026-12-20", "2026-12-21", "no_date", None),
        # An open notice: by the day that it offered; without one it is seen daily whether anything waits.
        ((None,), "2027-01-10", "2027-01-10", "2026-12-22", None, "2027-01-11"),
        ((None,), "2027-01-10", "2027-01-11", "2026-12-22", "supplier_late", None),
        ((None,), "2027-01-10", None, "2027-01-07", "no_date", None),
        ((None,), None, None, "2027-01-07", None, "2027-01-08"),
        # Agreed to: by the new day; without one never again.
        (("kept",), "2027-01-10", "2027-01-11", "2026-12-22", "supplier_late", None),
        (("kept_by_silence",), "2027-01-10", "2027-01-10", "2026-12-22", None, "2027-01-11"),
        (("kept",), None, None, "2027-06-01", None, None),
        (("kept", "substitute_gone"), "2027-01-10", "2027-01-09", "2026-12-22", "substitute_gone", None),
    ],
)
def test_a_notice_is_due_when_what_is_expected_is_later_than_what_was_agreed(
    told: tuple[Outcome | None, ...],
    new_to: str | None,
    expected_to: str | None,
    today: str,
    due: str | None,
    check_on: str | None,
) -> None:
    look = look_at(consent(*told, new_to=new_to), AGREED, day(expected_to), date.fromisoformat(today), 3)
    assert (look.reason, look.check_on) == (due, day(check_on))


def test_a_notice_is_due_at_once_when_the_day_that_was_told_is_withdrawn() -> None:
    today = date(2026, 11, 22)
    assert look_at(consent(), AGREED, None, today, 3, is_withdrawn=True).reason == "no_date"
    assert look_at(consent(None, new_to=None), AGREED, None, today, 3, is_withdrawn=True).reason is None


def test_the_last_day_that_there_is_may_stand_for_one_that_nobody_knows() -> None:
    look = look_at(consent("kept", new_to="9999-12-31"), AGREED, date.max, PLACED, 3)
    assert (look.reason, look.check_on) == (None, date.max)
    assert first_agreed(TERMS.default, Expectation(None, date.max), None) == date.max


def test_to_be_asked_again_about_the_same_delay_is_no_further_delay() -> None:
    told = ((), ("substitute_gone",), ("unpaid",), ("kept", None))
    assert [consent(*outcomes).ordinal for outcomes in told] == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("country", "today", "agreed_to", "respond_by"),
    [
        ("US", "2026-11-23", "2026-12-21", "2026-12-01"),  # Thanksgiving
        ("SE", "2026-12-21", "2026-12-24", "2026-12-29"),  # Christmas
        ("IL", "2026-11-26", "2026-12-24", "2026-12-03"),  # Fridays and Saturdays are off
        (None, "2026-11-23", "2026-12-21", "2026-11-30"),
        ("US", "2026-12-18", "2026-12-21", "2026-12-21"),  # at the latest the agreed day
        ("US", "2026-12-18", "2026-12-10", "2026-12-21"),  # but there is a working day for it
        ("US", "2026-11-23", None, "2026-12-01"),
    ],
)
def test_there_are_working_days_of_the_country_for_an_answer(
    country: str | None, today: str, agreed_to: str | None, respond_by: str
) -> None:
    found = TERMS.respond_by(country, date.fromisoformat(today), day(agreed_to), is_day_off)
    assert found.isoformat() == f"{respond_by}T23:59:59+00:00"


def test_a_refund_in_the_us_is_due_within_seven_working_days() -> None:
    days = TERMS.rule_of("US").refund_working_days
    assert working_days_after(date(2026, 11, 20), days, "US", is_day_off) == date(2026, 12, 2)


def test_a_country_without_a_calendar_works_from_monday_to_friday() -> None:
    days = [date(2026, 12, number) for number in range(21, 28)]
    assert [is_day_off("XX", one) for one in days] == [False] * 5 + [True] * 2
    assert [is_day_off("SE", one) for one in days] == [False] * 4 + [True] * 3


def test_the_directive_holds_in_the_economic_area_and_the_american_rule_in_all_territories() -> None:
    apart = {"AX", "GF", "GP", "MF", "MQ", "RE", "YT", "IS", "LI", "NO"}
    states = {country for country, rule in TERMS.rules.items() if rule.name == "eu"}
    assert (len(states - apart), apart <= states, {len(country) for country in states}) == (27, True, {2})
    assert {TERMS.rule_of(country).name for country in ("US", "AS", "GU", "MP", "PR", "UM", "VI")} == {"us"}
    assert [TERMS.rule_of(country).name for country in ("NC", "GL", "JP", None)] == ["default"] * 4
    assert TERMS.silence("RE", 1, AGREED, day("2026-12-22")) == "right_to_end"


def test_a_token_is_safe_in_an_address_and_that_of_one_notice_only() -> None:
    notices = [("SO-1", 1, TOLD), ("SO-1", 2, TOLD), ("SO-2", 1, TOLD), ("SO-1", 1, TOLD.replace(day=2))]
    tokens = [make_token(b"secret", *notice) for notice in notices]
    assert len({*tokens, make_token(b"other", *notices[0])}) == 5
    assert all(
        len(token) <= 200 and token.replace(".", "").replace("-", "").replace("_", "").isalnum() for token in tokens
    )
    assert make_token(b"secret", *notices[0]) == tokens[0]
    assert token_hash(tokens[0]) != token_hash(tokens[1])
