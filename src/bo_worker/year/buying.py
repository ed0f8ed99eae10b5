"""Purchasing: what the worker asks for and what a weekly look shows is ordered, and the suppliers do as they do."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.assortment import Supplier, season_of
from bo_worker.year.chance import late_days
from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from random import Random

    from bo_worker.year.assortment import Assortment
    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

_LINES_MAX: Final = 40
_DRAFT_SHARE: Final = 0.2
_CANCELLED_SHARE: Final = 0.03
_NOTICE_SHARE: Final = 0.5  # of late deliveries, those of which the supplier says so before
_TRANSIT_DAYS: Final = 2
_REVIEW_WEEKDAY: Final = 0
_REVIEW_DAYS: Final = 21
_OPENING_ORDERS: Final = 12
_REST_DAYS: Final = (4, 12)  # after its first part


@dataclass(slots=True)
class Purchase:
    """A purchase order as the supplier sees it: units by line, and the days it gave and will keep."""

    purchase_order_id: str
    supplier: Supplier
    location: str
    lines: dict[str, tuple[str, int]]
    expected_to: date
    version: int = 0
    left: dict[str, int] = field(default_factory=dict)


class Buying:
    """Orders goods, and gives each day's news of purchase orders and receipts. What is to come lies on its day."""

    def __init__(self, assortment: Assortment, chance: Chance) -> None:
        self._articles = assortment.articles
        self._chance = chance
        self._news: defaultdict[date, list[tuple[Purchase, str]]] = defaultdict(list)
        self._arrivals: defaultdict[date, list[tuple[Purchase, float]]] = defaultdict(list)
        self._wanted: dict[tuple[str, bool], int] = {}
        self.count = 0
        self.on_order: Counter[str] = Counter()

    def hear(self, heard: Iterable[Heard]) -> None:
        """Note what the worker asks for; speed is asked for of the prompt supplier."""
        for message in heard:
            if message.topic == "procurement" and message.kind in {"reorder", "expedite"}:
                sku, quantity = message.data["sku"], message.data["quantity"]
                if self._is_made_elsewhere(sku) or (
                    message.data["reason"] == "promise_at_risk" and self._trusts(message)
                ):
                    continue
                key = sku, message.kind == "expedite"
                self._wanted[key] = self._wanted.get(key, 0) + quantity

    def opening(self, day: date, now: datetime) -> tuple[list[Step], list[Step], list[Step]]:
        """Return what was ordered for the opening stock, its arrival, and the end of these purchase orders.

        The days that suppliers gave tell how late each of them is.
        """
        ordered, received, closed = [], [], []
        opening = {one.sku: one.opening_quantity(season_of(day)) for one in self._articles.values()}
        for supplier in Supplier:
            articles = [one for one in self._articles.values() if one.supplier is supplier and opening[one.sku]]
            for number in range(_OPENING_ORDERS):
                chosen = articles[number::_OPENING_ORDERS]
                for location in sorted({article.location for article in chosen}):
                    wanted = {one.sku: opening[one.sku] for one in chosen if one.location == location}
                    choice = self._chance("opening", supplier.supplier_id, number, location)
                    purchase = self._purchase(
                        supplier, location, wanted, day - timedelta(days=_completed(supplier, choice))
                    )
                    ordered.append(_version(purchase, "confirmed", now))
                    received.append(_receipt(purchase, 1, purchase.left, {}, now))
                    closed.append(_version(purchase, "closed", now))
                    self._come(purchase, purchase.left)
        return ordered, received, closed

    def news(self, day: date, now: datetime, stock: Mapping[str, int]) -> list[Step]:
        """Return what becomes known of purchase orders on a day, with those that are new."""
        if day.weekday() == _REVIEW_WEEKDAY:
            self._review(stock, season_of(day))
        self._order(day)
        steps = []
        for purchase, status in self._news.pop(day, []):
            if status == "cancelled":
                self._come(purchase, purchase.left)
                for sku, quantity in purchase.lines.values():
                    self._wanted[sku, False] = self._wanted.get((sku, False), 0) + quantity
            if status == "closed":
                self._come(purchase, purchase.left)
            steps.append(_version(purchase, status, now))
        return steps

    def receipts(self, day: date, now: datetime) -> list[Step]:
        """Return what arrives on a day."""
        steps = []
        for number, (purchase, share) in enumerate(self._arrivals.pop(day, [])):
            choice = self._chance("receipt", purchase.purchase_order_id, day)
            came, damaged = {}, {}
            for line_id, quantity in purchase.left.items():
                part = round(quantity * share)
                came[line_id], damaged[line_id] = _counted(part, choice)
            if any(came.values()) or any(damaged.values()):
                steps.append(_receipt(purchase, number, came, damaged, now))
                self._come(purchase, {line_id: came[line_id] + damaged[line_id] for line_id in came})
        return steps

    def _is_made_elsewhere(self, sku: str) -> bool:
        return self._articles[sku].special == "drop_ship"

    def _trusts(self, message: Heard) -> bool:
        """Purchasing waits for some of what is late, and orders the rest elsewhere."""
        return self._chance("trust", message.data["procurement_id"]).random() < 0.5

    def _review(self, stock: Mapping[str, int], season: float) -> None:
        for article in self._articles.values():
            there = stock.get(article.sku, 0) + self.on_order[article.sku]
            low = article.reorder_point(season)
            if not article.has_policy and there <= low:
                quantity = round(article.daily_units * season * _REVIEW_DAYS) + low - there
                self._wanted.setdefault((article.sku, False), quantity)

    def _order(self, day: date) -> None:
        """Make purchase orders of what is wanted, one for each supplier and location, of some lines at most."""
        baskets: defaultdict[tuple[Supplier, str], dict[str, int]] = defaultdict(dict)
        for (sku, hurry), wish in sorted(self._wanted.items()):
            article = self._articles[sku]
            # What waits is in both wishes of a day; it is ordered of who is quick.
            quantity = wish if hurry else wish - self._wanted.get((sku, True), 0)
            if quantity > 0:
                basket = baskets[Supplier.PROMPT if hurry else article.supplier, article.location]
                basket[sku] = basket.get(sku, 0) + quantity
        self._wanted.clear()
        for (supplier, location), wanted in baskets.items():
            skus = list(wanted)
            for first in range(0, len(skus), _LINES_MAX):
                some = {sku: wanted[sku] for sku in skus[first : first + _LINES_MAX]}
                expected = day + timedelta(days=supplier.lead_days)
                self._plan(self._purchase(supplier, location, some, expected), day)

    def _purchase(self, supplier: Supplier, location: str, wanted: Mapping[str, int], expected_to: date) -> Purchase:
        self.count += 1
        lines = {str(number): (sku, quantity) for number, (sku, quantity) in enumerate(wanted.items(), 1)}
        self.on_order.update(wanted)
        left = {line_id: quantity for line_id, (_, quantity) in lines.items()}
        return Purchase(f"PO-{self.count:05d}", supplier, location, lines, expected_to, left=left)

    def _plan(self, purchase: Purchase, day: date) -> None:
        """Lay on their days what will be said of a purchase order, and what will come."""
        choice = self._chance("purchase", purchase.purchase_order_id)
        confirmed = day
        if choice.random() < _DRAFT_SHARE:
            self._news[day].append((purchase, "draft"))
            confirmed = day + timedelta(days=1)
        self._news[confirmed].append((purchase, "confirmed"))
        if choice.random() < _CANCELLED_SHARE:
            self._news[confirmed + timedelta(days=2)].append((purchase, "cancelled"))
            return
        lateness = _lateness(purchase.supplier, choice)
        arrives = max(confirmed + timedelta(days=2), purchase.expected_to + timedelta(days=lateness))
        if lateness > _TRANSIT_DAYS and choice.random() < _NOTICE_SHARE:
            self._news[max(confirmed, purchase.expected_to - timedelta(days=1)) + timedelta(days=1)].append(
                (purchase, f"+{lateness}")
            )
        self._news[max(confirmed + timedelta(days=1), arrives - timedelta(days=_TRANSIT_DAYS))].append(
            (purchase, "in_transit")
        )
        self._arrive(purchase, arrives, choice)

    def _arrive(self, purchase: Purchase, arrives: date, choice: Random) -> None:
        """One supplier brings a part first, the rest some days later or, at times, never."""
        last = arrives
        if purchase.supplier is Supplier.IN_PARTS:
            self._arrivals[arrives].append((purchase, choice.uniform(0.4, 0.8)))
            last = arrives + timedelta(days=choice.randint(*_REST_DAYS))
        if last == arrives or choice.random() < 0.9:
            self._arrivals[last].append((purchase, 1.0))
        self._news[last + timedelta(days=1)].append((purchase, "closed"))

    def _come(self, purchase: Purchase, came: Mapping[str, int]) -> None:
        for line_id, quantity in came.items():
            sku, _ = purchase.lines[line_id]
            gone = min(quantity, purchase.left[line_id])
            self.on_order[sku] -= gone
        purchase.left = {line_id: max(0, left - came.get(line_id, 0)) for line_id, left in purchase.left.items()}


def _lateness(supplier: Supplier, choice: Random) -> int:
    match supplier:
        case Supplier.PROMPT:
            return choice.randint(-1, 0)
        case Supplier.LATE:
            return late_days(choice, 4)
        case Supplier.WEEK_SHORT:
            return 7 + choice.randint(-1, 1)
        case Supplier.IN_PARTS:
            return choice.randint(-1, 2)


def _completed(supplier: Supplier, choice: Random) -> int:
    """Return how late the last units of a delivery are."""
    return _lateness(supplier, choice) + (choice.randint(*_REST_DAYS) if supplier is Supplier.IN_PARTS else 0)


def _counted(quantity: int, choice: Random) -> tuple[int, int]:
    """Return the usable and the damaged units that come where some are expected: at times too few or too many."""
    fate = choice.random()
    if fate < 0.04:
        return quantity - quantity // 10, 0
    if fate < 0.08:
        return quantity + quantity // 10, 0
    if fate < 0.11:
        return quantity - quantity // 20, quantity // 20
    return quantity, 0


def _version(purchase: Purchase, status: str, now: datetime) -> Step:
    purchase.version += 1
    if status.startswith("+"):
        purchase.expected_to += timedelta(days=int(status))
        status = "confirmed"
    lines = [_line(purchase, line_id, sku, quantity) for line_id, (sku, quantity) in purchase.lines.items()]
    data = {
        "purchase_order_id": purchase.purchase_order_id,
        "version": purchase.version,
        "supplier_id": purchase.supplier.supplier_id,
        "location": purchase.location,
        "updated_at": now,
        "status": status,
        "lines": lines,
    }
    return Step("purchase-order-updated", data)


def _line(purchase: Purchase, line_id: str, sku: str, quantity: int) -> dict[str, Any]:
    return {
        "line_id": line_id,
        "sku": sku,
        "quantity": quantity,
        "expected_from": purchase.expected_to - timedelta(days=2),
        "expected_to": purchase.expected_to,
    }


def _receipt(
    purchase: Purchase, number: int, came: Mapping[str, int], damaged: Mapping[str, int], now: datetime
) -> Step:
    lines = [
        {
            "line_id": line_id,
            "sku": purchase.lines[line_id][0],
            "quantity": quantity,
            "damaged_quantity": damaged.get(line_id, 0),
            "purchase_order_line_id": line_id,
        }
        for line_id, quantity in came.items()
        if quantity or damaged.get(line_id)
    ]
    data = {
        "receipt_id": f"R-{purchase.purchase_order_id}-{now:%y%m%d}-{number}",
        "location": purchase.location,
        "received_at": now,
        "purchase_order_id": purchase.purchase_order_id,
        "dock_door": f"D{1 + purchase.version % 4}",
        "lines": lines,
    }
    return Step("inventory-received", data)
