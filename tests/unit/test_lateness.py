"""How many days to add to a supplier's word: counted from the past, or a default where that is too short."""

from __future__ import annotations

from datetime import date

import pytest

from bo_worker.domain.lateness import History, promised_on, safe_days

DUE = date(2026, 12, 1)
ON_TIME = [0] * 9


@pytest.mark.parametrize(
    ("late_days", "level", "days"),
    [
        ([], 0.5, None),
        ([4], 0.5, 4),
        ([4], 0.51, None),
        ([9, 1, 5], 0.5, 5),
        ([9, 1, 5], 0.75, 9),
        (range(8), 0.9, None),
        (range(9), 0.9, 8),
        (range(19), 0.9, 17),
        (range(18), 0.95, None),
        (range(19), 0.95, 18),
        (range(99), 0.07, 6),
        (range(99), 0.29, 28),
        ([-3, -2, -9], 0.5, -3),
    ],
    ids=str,
)
def test_the_days_are_a_value_of_the_past_that_leaves_room_for_one_delivery_more(
    late_days: list[int], level: float, days: int | None
) -> None:
    assert safe_days(late_days, level) == days


@pytest.mark.parametrize("level", [0, 1, -0.5, 90])
def test_a_level_that_no_history_can_reach_is_an_error(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        safe_days([1, 2, 3], level)


@pytest.mark.parametrize(
    ("history", "day"),
    [
        (History(), 15),
        (History(all=[5] * 8), 15),
        (History(all=[5] * 9), 6),
        (History([2] * 9, [2] * 9 + [5] * 9), 6),
        (History([2] * 10, [2] * 10 + [5] * 10), 3),
        (History([2] * 20), 3),
        (History([5] * 10, [5] * 10 + ON_TIME * 20), 6),
    ],
    ids=str,
)
def test_the_history_of_the_sku_speaks_where_it_is_long_enough_else_that_of_the_supplier(
    history: History, day: int
) -> None:
    assert promised_on(DUE, history, 0.9, default_days=14, own_enough=10) == date(2026, 12, day)


def test_a_history_that_is_enough_by_the_setting_may_be_too_short_for_the_level() -> None:
    assert promised_on(DUE, History([2] * 10, [2] * 10 + [5] * 9), 0.95, 14, own_enough=10) == date(2026, 12, 6)
    assert promised_on(DUE, History([2] * 10, [2] * 10), 0.95, 14, own_enough=10) == date(2026, 12, 15)


def test_who_is_always_early_is_not_promised_before_his_word() -> None:
    assert promised_on(DUE, History([-6] * 20, [-6] * 20), 0.9, 14, own_enough=10) == DUE
    assert promised_on(DUE, History(), 0.9, -3, own_enough=10) == DUE


@pytest.mark.parametrize(
    ("late_so_far", "day"),
    [(-5, 10), (0, 10), (1, 10), (3, 11), (9, 11), (10, 11), (11, 10)],
)
def test_of_what_has_not_come_yet_only_those_tell_that_came_no_earlier(late_so_far: int, day: int) -> None:
    past = [0] * 5 + [1] * 30 + [9] * 10 + [10]
    found = promised_on(DUE, History(all=past), 0.9, 14, 20, late_so_far)
    assert found == date(2026, 12, day)


def test_a_supplier_without_a_past_is_not_known_better_the_longer_it_takes() -> None:
    assert promised_on(DUE, History(all=[5] * 8), 0.9, 14, 10, late_so_far=3) == date(2026, 12, 15)


def test_a_promise_beyond_the_calendar_is_its_last_day() -> None:
    assert promised_on(date(9999, 12, 30), History(), 0.9, 14, own_enough=10) == date.max
    assert promised_on(date.max, History(all=[5] * 9), 0.9, 14, own_enough=10) == date.max
