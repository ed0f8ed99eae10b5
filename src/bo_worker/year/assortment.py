"""The products of the shop: who supplies each, where it lies, how it is reordered, and what is special about some."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from bo_worker.year.chance import Chance
    from bo_worker.year.statistics import Statistics

LOCATIONS: Final = ("MAIN", "NORTH")
_NORTH_SHARE: Final = 0.2
_REVIEWED_SHARE: Final = 0.3  # without a policy: looked at once a week
_STOCK_DAYS: Final = 18
_ORDER_DAYS: Final = 14
_SAFETY_DAYS: Final = 4


class Supplier(Enum):
    """Who delivers, with the days that it says a delivery takes."""

    PROMPT = "SUP-PROMPT", 7
    LATE = "SUP-LATE", 10
    WEEK_SHORT = "SUP-WEEK-SHORT", 12
    IN_PARTS = "SUP-IN-PARTS", 9

    @property
    def supplier_id(self) -> str:
        """Its id."""
        return self.value[0]

    @property
    def lead_days(self) -> int:
        """The days it says."""
        return self.value[1]


@dataclass(frozen=True, slots=True)
class Article:
    """A product; `daily_units` is the demand of a mean day. Without a policy it is reviewed once a week."""

    sku: str
    supplier: Supplier
    location: str
    daily_units: float
    has_policy: bool
    special: str = ""

    @property
    def reorder_point(self) -> int:
        """Units at or below which it is ordered: what its lead time and some days more ask for."""
        return max(1, round(self.daily_units * (self.supplier.lead_days + _SAFETY_DAYS)))

    @property
    def order_quantity(self) -> int:
        """Units of one order."""
        return max(6, round(self.daily_units * _ORDER_DAYS))

    @property
    def opening_quantity(self) -> int:
        """Units that are there before the first order."""
        if self.special in {"pre_order", "made_to_order", "drop_ship"}:
            return 0
        return max(1, round(self.daily_units * _STOCK_DAYS))


class Assortment:
    """All articles, and the policies that say how each is sold over a period of days."""

    def __init__(self, statistics: Statistics, orders_per_day: float, days: Sequence[date], chance: Chance) -> None:
        self._days = days
        self._chance = chance
        popular = sorted(statistics.popularity, key=lambda sku: (-statistics.popularity[sku], sku))
        specials = _specials(popular)
        self.articles: Mapping[str, Article] = {
            sku: self._article(sku, statistics.daily_units(sku, orders_per_day), specials.get(sku, ""))
            for sku in statistics.popularity
        }

    def changes(self, day: date, now: datetime) -> list[Step]:
        """Return the policies that become known on a day: nearly all on the first, a few as the year goes."""
        if day == self._days[0]:
            found = [self._first_policy(article) for article in self.articles.values() if article.has_policy]
        else:
            found = [policy for policy in map(self._later_policy, self.articles.values()) if policy.get("on") == day]
        return [
            Step("product-policy-updated", {name: value for name, value in policy.items() if name != "on"} | {"updated_at": now})
            for policy in found
        ]

    def _article(self, sku: str, daily_units: float, special: str) -> Article:
        choice = self._chance("article", sku)
        supplier = choice.choice(list(Supplier))
        location = LOCATIONS[choice.random() < _NORTH_SHARE]
        has_policy = bool(special) or choice.random() >= _REVIEWED_SHARE
        return Article(sku, supplier, location, daily_units, has_policy, special)

    def _first_policy(self, article: Article) -> dict[str, Any]:
        return _policy(article, 1) | _SPECIAL_POLICIES.get(article.special, {}) | self._dates(article)

    def _dates(self, article: Article) -> dict[str, Any]:
        first, count = self._days[0], len(self._days)
        match article.special:
            case "pre_order":
                return {"release_on": first + timedelta(days=max(1, min(60, count // 3)))}
            case "seasonal":
                return {"season_ends_on": date(first.year, 12, 24)}
            case _:
                return {}

    def _later_policy(self, article: Article) -> dict[str, Any]:
        """Return what is decided anew about an article, with its day; nothing about most."""
        count, first = len(self._days), self._days[0]
        match article.special:
            case "discontinued":
                return _policy(article, 2) | {"discontinued": True, "on": self._days[count // 2]}
            case "seasonal":
                season = {"release_on": date(first.year + 1, 11, 1), "season_ends_on": date(first.year + 1, 12, 24)}
                return _policy(article, 2) | {"kind": "seasonal", "on": date(first.year + 1, 10, 1)} | season
            case "limited":
                return _policy(article, 2) | {"on": self._days[2 * count // 3]}
            case _:
                return {}


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


def _policy(article: Article, version: int) -> dict[str, Any]:
    return {
        "sku": article.sku,
        "version": version,
        "backorder": "allow",
        "kind": "standard",
        "reorder_point": article.reorder_point,
        "reorder_quantity": article.order_quantity,
        "lead_time_days": article.supplier.lead_days,
    }
