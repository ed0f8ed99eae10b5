"""When a customer whose order is late is offered something for it."""

from __future__ import annotations

from datetime import date

import pytest

from bo_worker.domain.account import Terms
from bo_worker.domain.cause import Cause
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.compensation import Delay, offer_compensation
from changes import Changes, cancels
from story import told, wants

TODAY = date(2026, 12, 5)
FIRST = date(2026, 12, 1)


def late(story: Changes, terms: ChoiceTerms, *delays: tuple[int, int, date | None]) -> list[object]:
    """Let SO-1 be late as (position, number of the notice, new day) say; return what the customer hears."""
    account = story.account
    account.today, account.terms = TODAY, Terms(choices=terms)
    order = account.orders["SO-1"]
    cause = account.cause = Cause("sweep", "delay")
    found = [Delay(order.lines[position - 1], number, FIRST, day) for position, number, day in delays]
    offer_compensation(account, order, found)
    return list(story.facts_of(cause))


@pytest.fixture
def story() -> Changes:
    found = Changes()
    found.order("SO-1", wants(3), wants(2, "2"))
    return found


def test_nothing_is_offered_as_long_as_nobody_set_when(story: Changes) -> None:
    assert late(story, ChoiceTerms(), (1, 9, None)) == []


@pytest.mark.parametrize(("number", "reasons"), [(1, []), (2, ["repeated_delay"]), (3, ["repeated_delay"])])
def test_it_is_offered_from_a_notice_on(story: Changes, number: int, reasons: list[str]) -> None:
    found = late(story, ChoiceTerms(compensation_from_notice=2), (1, number, date(2026, 12, 9)))
    assert found == [told("compensation_offered", "SO-1", ("1", 3), reason=reason) for reason in reasons]


@pytest.mark.parametrize(
    ("day", "reasons"),
    [(date(2026, 12, 10), []), (date(2026, 12, 11), ["long_delay"]), (None, [])],
    ids=["too few days", "enough days", "no day yet, and today is too early"],
)
def test_it_is_offered_from_a_number_of_days_on(story: Changes, day: date | None, reasons: list[str]) -> None:
    found = late(story, ChoiceTerms(compensation_from_days=10), (1, 1, day))
    assert found == [told("compensation_offered", "SO-1", ("1", 3), reason=reason) for reason in reasons]


def test_a_delay_without_a_new_day_lasts_until_today_at_least(story: Changes) -> None:
    offered = [told("compensation_offered", "SO-1", ("1", 3), reason="long_delay")]
    assert late(story, ChoiceTerms(compensation_from_days=4), (1, 1, None)) == offered


def test_one_offer_is_about_all_lines_that_are_late_enough(story: Changes) -> None:
    terms = ChoiceTerms(compensation_from_notice=2, compensation_from_days=30)
    far = date(2026, 12, 31)
    offered = told("compensation_offered", "SO-1", ("1", 3), ("2", 2), reason="long_delay")
    assert late(story, terms, (1, 2, date(2026, 12, 9)), (2, 1, far)) == [offered]


def test_it_is_never_offered_for_what_was_given_up(story: Changes) -> None:
    story.hears(cancels("X-1", "SO-1", ("1", 3)))
    terms = ChoiceTerms(compensation_from_notice=1)
    assert late(story, terms, (1, 1, None)) == []
