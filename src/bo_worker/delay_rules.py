"""The rules about delays and the calendars of countries, read once and handed to the core as values."""

from __future__ import annotations

import json
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Final

import holidays

from bo_worker.domain.delay_rule import DelayRule, DelayTerms
from bo_worker.domain.working_days import weekends

if TYPE_CHECKING:
    from datetime import date

_DEFAULT: Final = "default"
_ABOUT: Final = ("source", "countries")


def load_delay_terms(notice_days: int, respond_days: int, *, silence_cancels: bool) -> DelayTerms:
    """Return the rules by country, with what the merchant adds to them."""
    text = resources.files("bo_worker").joinpath("delay_rules.json").read_text("utf-8")
    rules: dict[str, DelayRule] = {}
    by_country: dict[str, DelayRule] = {}
    for name, row in json.loads(text).items():
        rules[name] = DelayRule(name, **{key: value for key, value in row.items() if key not in _ABOUT})
        by_country |= dict.fromkeys(row.get("countries", ()), rules[name])
    return DelayTerms(by_country, rules[_DEFAULT], notice_days, respond_days, silence_cancels)


def is_day_off(country: str | None, day: date) -> bool:
    """Tell whether nobody works in a country (ISO 3166-1) on a day: its weekend, or a holiday of all of it.

    Where its calendar is not known, weekends are Saturdays and Sundays and there are no holidays.
    """
    calendar = _calendar(country)
    return weekends(country, day) if calendar is None else not calendar.is_working_day(day)


@lru_cache(maxsize=256)
def _calendar(country: str | None) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(country or "")
    except NotImplementedError:
        return None
