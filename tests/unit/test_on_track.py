"""When a customer hears that a promised day still holds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.domain.account import Terms
from bo_worker.domain.cause import Cause
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.facts import Notification, NotificationLine
from bo_worker.domain.on_track import Followed, tell_on_track
from changes import Changes
from story import CUSTOMER, wants

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact
    from bo_worker.domain.on_track import Place

TODAY = date(2026, 12, 8)
DAY = date(2026, 12, 20)
LONG_AGO = TODAY - timedelta(days=7)
YESTERDAY = TODAY - timedelta(days=1)
LINE = Followed("SO-1", 1, "1", "SKU-1", 3, date(2026, 12, 15), DAY, DAY, LONG_AGO, is_open=True)


def hear(*lines: Followed) -> tuple[list[Fact], dict[Place, date | None]]:
    story = Changes()
    story.order("SO-1", wants(3), wants(2, "2"))
    account = story.account
    account.today, account.terms = TODAY, Terms(choices=ChoiceTerms(on_track_days=7))
    cause = account.cause = Cause("sweep", "on-track")
    heard = tell_on_track(account, account.orders["SO-1"], lines)
    return story.facts_of(cause), heard


def on_track(*lines: Followed) -> Notification:
    about = [NotificationLine(line.line_id, line.sku, line.quantity, line.expected_from, DAY) for line in lines]
    return Notification("N-", "still_on_track", "SO-1", CUSTOMER, about)


def test_who_has_not_heard_for_the_interval_hears_that_the_day_holds() -> None:
    assert hear(LINE) == ([on_track(LINE)], {("SO-1", 1): TODAY})


def test_who_heard_since_hears_nothing() -> None:
    assert hear(LINE._replace(heard_on=YESTERDAY)) == ([], {})


def test_a_day_that_became_earlier_is_told_as_it_was_told_before() -> None:
    line = LINE._replace(expected_to=date(2026, 12, 18))
    assert hear(line) == ([on_track(line)], {("SO-1", 1): TODAY})


@pytest.mark.parametrize("expected_to", [None, DAY + timedelta(days=1)], ids=["no day", "a later day"])
def test_a_day_that_does_not_hold_is_not_told_to_hold_and_looked_at_next_time(expected_to: date | None) -> None:
    assert hear(LINE._replace(expected_to=expected_to)) == ([], {("SO-1", 1): TODAY})


@pytest.mark.parametrize(
    "changed",
    [{"is_open": False}, {"quantity": 0}, {"told_to": None}, {"told_to": YESTERDAY}],
    ids=["served or given up", "nothing waits", "there is no day any more", "the day is over"],
)
def test_who_waits_for_no_day_is_followed_no_longer(changed: dict[str, Any]) -> None:
    assert hear(LINE._replace(**changed)) == ([], {("SO-1", 1): None})


def test_one_notification_tells_of_all_lines_of_an_order_whose_days_hold() -> None:
    other = LINE._replace(position=2, line_id="2", quantity=2, heard_on=YESTERDAY)
    assert hear(LINE, other) == ([on_track(LINE, other)], {("SO-1", 1): TODAY, ("SO-1", 2): TODAY})


def test_a_line_that_is_not_due_is_not_told_of_where_none_is() -> None:
    late = LINE._replace(expected_to=None)
    other = LINE._replace(position=2, line_id="2", heard_on=YESTERDAY)
    assert hear(late, other) == ([], {("SO-1", 1): TODAY})
