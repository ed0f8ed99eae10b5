"""The products of the shop: who supplies each, where it lies, how it is reordered, and what is special about some."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from string import ascii_letters
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.days import busyness
from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bo_worker.year.chance import Chance
    from bo_worker.year.statistics import Statistics

LOCATIONS: Final = ("MAIN", "NORTH")
_NORTH_SHARE: Final = 0.2
_REVIEWED_SHARE: Final = 0.3  # without a policy: looked at once a week
_STOCK_DAYS: Final = 20
_ORDER_DAYS: Final = 14
_SAFETY_DAYS: Final = 6
_FORECAST_DAYS: Final = 42
_SEASON_KNOWN_MONTH: Final = 10


class Supplier(Enum):
    """Who delivers: the days that it says, and those after which the shop has its goods nine times in ten."""

    PROMPT = "SUP-PROMPT", 7, 9
    LATE = "SUP-LATE", 10, 20
    WEEK_SHORT = "SUP-WEEK-SHORT", 12, 21
    IN_PARTS = "SUP-IN-PARTS", 9, 22

    @property
    def supplier_id(self) -> str:
        """Its id."""
        return self.value[0]

    @property
    def lead_days(self) -> int:
        """The days it says."""
        return self.value[1]

    @property
    def usual_days(self) -> int:
        """The days that nine deliveries in ten take, from the wish to the last unit."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Article:
    """A product; `daily_units` is the demand of a mean day. Without a policy it is reviewed once a week."""

    sku: str
    supplier: Supplier
    location: str
    daily_units: float
    has_policy: bool
    special: str = ""

    def reorder_point(self, season: float) -> int:
        """Return the units at or below which it is ordered: what its lead time and some days more ask for."""
        return max(1, round(self.daily_units * season * (self.supplier.lead_days + _SAFETY_DAYS)))

    def order_quantity(self, season: float) -> int:
        """Return the units of one order; `season` is a multiple of the mean demand."""
        return max(6, round(self.daily_units * season * _ORDER_DAYS))

    def opening_quantity(self, season: float) -> int:
        """Return the units that are there before the first order."""
        if self.special in {"pre_order", "made_to_order", "drop_ship"}:
            return 0
        return max(1, round(self.daily_units * season * _STOCK_DAYS))


class Assortment:
    """All articles, and the policies that say how each is sold on the days of a year."""

    def __init__(self, statistics: Statistics, orders_per_day: float, days: Sequence[date], chance: Chance) -> None:
        self._days = days
        self._chance = chance
        popular = sorted(statistics.popularity, key=lambda sku: (-statistics.popularity[sku], sku))
        specials = _specials(popular)
        self.articles: Mapping[str, Article] = {
            sku: self._article(sku, statistics.daily_units(sku, orders_per_day), specials.get(sku, ""))
            for sku in statistics.popularity
        }
        self._variants: dict[str, list[str]] = {}
        for sku in popular:
            self._variants.setdefault(_design(sku), []).append(sku)
        self._policies: dict[str, dict[str, Any]] = {}
        self._versions: Counter[str] = Counter()

    def changes(self, day: date, now: datetime) -> list[Step]:
        """Return the policies that are new on a day: all on the first, and whatever month and season change."""
        steps, season = [], season_of(day)
        for article in self.articles.values():
            policy = self._policy(article, day, season) if article.has_policy else {}
            if policy == self._policies.get(article.sku, {}):
                continue
            self._policies[article.sku] = policy
            self._versions[article.sku] += 1
            data = {"sku": article.sku, "version": self._versions[article.sku], "updated_at": now} | policy
            steps.append(Step("product-policy-updated", data))
        return steps

    def _article(self, sku: str, daily_units: float, special: str) -> Article:
        choice = self._chance("article", sku)
        supplier = choice.choice(list(Supplier))
        location = LOCATIONS[choice.random() < _NORTH_SHARE]
        has_policy = bool(special) or choice.random() >= _REVIEWED_SHARE
        return Article(sku, supplier, location, daily_units, has_policy, special)

    def _policy(self, article: Article, day: date, season: float) -> dict[str, Any]:
        usual = {
            "backorder": "allow",
            "kind": "standard",
            "reorder_point": article.reorder_point(season),
            "reorder_quantity": article.order_quantity(season),
            "lead_time_days": article.supplier.usual_days,
        }
        others = [sku for sku in self._variants[_design(article.sku)] if sku != article.sku]
        if others and not article.special:
            usual["substitutes"] = others
        return usual | _SPECIAL_POLICIES.get(article.special, {}) | self._dated(article, day)

    def _dated(self, article: Article, day: date) -> dict[str, Any]:
        """Return what depends on the day: releases, seasons, and the end of a product."""
        first, count = self._days[0], len(self._days)
        match article.special:
            case "pre_order":
                return {"release_on": first + timedelta(days=max(1, min(60, count // 3)))}
            case "seasonal":
                # The season of a year becomes known in its October.
                year = day.year if (day.month >= _SEASON_KNOWN_MONTH or day.year == first.year) else day.year - 1
                return {"release_on": date(year, 11, 1), "season_ends_on": date(year, 12, 24)}
            case "discontinued":
                return {"discontinued": True} if day >= first + timedelta(days=count // 2) else {}
            case _:
                return {}


def season_of(day: date) -> float:
    """Return the demand that purchasing reckons with, as a multiple of the mean: that of the month and the next."""
    first = day.replace(day=1)
    return sum(busyness(first + timedelta(days=number)) for number in range(_FORECAST_DAYS)) / _FORECAST_DAYS


def _design(sku: str) -> str:
    """Return what articles share that are alike but for their colour: their number, without the letters behind it."""
    return sku.rstrip(ascii_letters) or sku


_SPECIAL_POLICIES: Final[Mapping[str, dict[str, Any]]] = {
    "pre_order": {"kind": "pre_order"},
    "seasonal": {"kind": "seasonal"},
    "made_to_order": {"kind": "made_to_order", "reorder_point": None, "reorder_quantity": None},
    "drop_ship": {"kind": "drop_ship", "reorder_point": None, "reorder_quantity": None},
    "manufacturer": {"kind": "manufacturer"},
    "indefinite": {"kind": "indefinite"},
    "limited": {"backorder_limit": 60},
    "denied": {"backorder": "deny"},
    "if_promised": {"backorder": "if_promised", "window_days": 30},
    "window": {"window_days": 14},
    "closing": {"cancellation_rate_limit": 0.25},
    "safe": {"safety_stock": 10},
}
# Behind the bestsellers every so manieth product is special, so that each kind is met on many days.
_FIRST, _EVERY = 20, 11
_KINDS: Final = (*_SPECIAL_POLICIES, "discontinued")
_ROUNDS: Final = 4


def _specials(popular: Sequence[str]) -> dict[str, str]:
    return dict(zip(popular[_FIRST::_EVERY], _KINDS * _ROUNDS, strict=False))
