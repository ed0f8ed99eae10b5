"""The customers: they order, wait, lose patience, ask to be told, and answer when they are asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.answers import Answers
from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from bo_worker.demo.retail import RetailOrder
    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

# The sample leaves countries out; most customers of the shop are at home, some in other countries with other rules.
COUNTRIES: Final = ("GB",) * 14 + ("DE", "FR", "IE", "NL", "US", "US")
_CHANGED_MIND_SHARE: Final = 0.01
_HAZARD_FIRST: Final = 0.002
_HAZARD_PER_DAY: Final = 0.0015
_HAZARD_MAX: Final = 0.08
_BROKEN_FACTOR: Final = 3
_WHOLE_SHARE: Final = 0.4  # of those who lose patience, these give up the whole order, not just what waits
_HURRIES_PER_DAY: Final = 1
_WAITLIST_SHARE: Final = 0.3
_EXPRESS_SHARE: Final = 0.05
_SHIP_COMPLETE_SHARE: Final = 0.08
_DENY_SHARE: Final = 0.04
_CARD_SHARE: Final = 0.3  # pay by card; the others are known customers on account
_CARD_HOLDS: Final = timedelta(days=7)


@dataclass(slots=True)
class Wait:
    """What an order waits for, by line: SKU and units; since when, and the last day that its customer was told."""

    since: date
    lines: dict[str, tuple[str, int]]
    told_to: date | None = None


class Customers:
    """Everybody who ordered. `waits` is what they know themselves, from what they were told."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._turned_away: list[tuple[str, str, int]] = []
        self._ordered: list[str] = []
        self.waits: dict[str, Wait] = {}
        self.answers = Answers(chance)
        self.units_given_up = 0

    @property
    def units_waiting(self) -> int:
        """Units that wait, as far as customers know."""
        return sum(quantity for wait in self.waits.values() for _, quantity in wait.lines.values())

    def orders(self, placed: Iterable[RetailOrder]) -> list[Step]:
        """Return orders as they come in: few in a hurry, few all or nothing, few without patience at all."""
        steps = []
        self._ordered = []
        for order in placed:
            choice = self._chance("order", order.order_id)
            data = order.as_data()
            data["priority"] = 5 if choice.random() < _EXPRESS_SHARE else 0
            data["ship_complete"] = choice.random() < _SHIP_COMPLETE_SHARE
            data["ship_to_country"] = self._chance("country", order.customer_id).choice(COUNTRIES)
            if choice.random() < _DENY_SHARE:
                for line in data["lines"]:
                    line["backorder"] = "deny"
            if choice.random() < _CARD_SHARE:
                until = order.placed_at + _CARD_HOLDS
                data["payment"] = {"authorization_id": f"A-{order.order_id}", "capture_before": until}
            self._ordered.append(order.order_id)
            steps.append(Step("order-created", data))
        return steps

    def hear(self, heard: Iterable[Heard], day: date) -> None:
        """Note what customers are told."""
        told = [message for message in heard if message.topic == "customer-notification"]
        for message in told:
            self._hear(message, day)
        self.answers.hear(told)

    def receive(self, shipments: Iterable[Step]) -> None:
        """Note what suppliers sent themselves: nobody waits for it any more."""
        for step in shipments:
            self._serve(step.data["order_id"], step.data["lines"])

    def cancellations(self, day: date, now: datetime) -> list[Step]:
        """Return who gives up on a day: the longer the wait the more, most of all once the promised day is past."""
        steps = [
            _cancellation(order_id, day, now, "changed_mind")
            for order_id in self._ordered
            if self._chance("mind", order_id).random() < _CHANGED_MIND_SHARE
        ]
        for order_id, wait in self.waits.items():
            choice = self._chance("patience", order_id, day)
            if choice.random() >= hazard(wait, day):
                continue
            self.units_given_up += sum(quantity for _, quantity in wait.lines.values())
            lines = None if choice.random() < _WHOLE_SHARE else wait.lines
            steps.append(_cancellation(order_id, day, now, "waited_too_long", lines))
        gone = {step.data["order_id"] for step in steps if step.data["reason"] == "waited_too_long"}
        self.waits = {order_id: wait for order_id, wait in self.waits.items() if order_id not in gone}
        return steps

    def hurries(self, day: date, now: datetime) -> list[Step]:
        """Return amendments: somebody who waits pays for better service."""
        waiting = sorted(self.waits)
        if not waiting:
            return []
        chosen = [self._chance("hurry", day, number).choice(waiting) for number in range(_HURRIES_PER_DAY)]
        return [
            Step(
                "order-amended",
                {
                    "amendment_id": f"AM-{order_id}-{day:%y%m%d}",
                    "order_id": order_id,
                    "amended_at": now,
                    "priority": 7,
                },
            )
            for order_id in chosen
        ]

    def waitlist(self, day: date, now: datetime) -> list[Step]:
        """Return who was turned away and wants to hear when the product can be had again."""
        turned_away, self._turned_away = self._turned_away, []
        return [
            Step("waitlist-joined", _entry(f"W-{day:%y%m%d}-{number}", customer_id, sku, quantity, now))
            for number, (customer_id, sku, quantity) in enumerate(turned_away)
            if self._chance("waitlist", day, number).random() < _WAITLIST_SHARE
        ]

    def _hear(self, message: Heard, day: date) -> None:
        order_id = message.data["order_id"]
        match message.kind:
            case "order_backordered":
                self.waits[order_id] = Wait(day, {})
                self._wait(order_id, message)
            case "allocation_lost":
                self.waits.setdefault(order_id, Wait(day, {}))
                self._wait(order_id, message)
            case "backorder_filled" | "order_cancelled":
                self._serve(order_id, message.lines)
            case "expected_date_changed":
                if order_id in self.waits:
                    self.waits[order_id].told_to = _last_day(message)
            case "order_rejected":
                customer_id = message.data["customer"]["customer_id"]
                self._turned_away += [(customer_id, line["sku"], line["quantity"]) for line in message.lines]
            case _:
                pass

    def _wait(self, order_id: str, message: Heard) -> None:
        wait = self.waits[order_id]
        for line in message.lines:
            _, quantity = wait.lines.get(line["line_id"], ("", 0))
            wait.lines[line["line_id"]] = line["sku"], quantity + line["quantity"]
        wait.told_to = _last_day(message) or wait.told_to

    def _serve(self, order_id: str, lines: Iterable[Mapping[str, Any]]) -> None:
        wait = self.waits.get(order_id)
        if wait is None:
            return
        for line in lines:
            # What stands for a line is named after it, and has all that waited of it.
            wait.lines.pop(line["line_id"].rpartition("/")[0], None)
            sku, quantity = wait.lines.pop(line["line_id"], ("", 0))
            if quantity > line["quantity"]:
                wait.lines[line["line_id"]] = sku, quantity - line["quantity"]
        if not wait.lines:
            del self.waits[order_id]


def hazard(wait: Wait, day: date) -> float:
    """Return the probability that a customer gives up on a day."""
    grown = min(_HAZARD_MAX, _HAZARD_FIRST + _HAZARD_PER_DAY * (day - wait.since).days)
    return grown * (_BROKEN_FACTOR if wait.told_to and wait.told_to < day else 1)


def _last_day(message: Heard) -> date | None:
    days = [line["expected_to"] for line in message.lines]
    return None if None in days or not days else max(map(date.fromisoformat, days))


def _cancellation(
    order_id: str, day: date, now: datetime, reason: str, lines: dict[str, tuple[str, int]] | None = None
) -> Step:
    data: dict[str, Any] = {
        "cancellation_id": f"X-{order_id}-{day:%y%m%d}-{reason}",
        "order_id": order_id,
        "cancelled_at": now,
        "reason": reason,
    }
    if lines:
        data["lines"] = [{"line_id": line_id, "quantity": quantity} for line_id, (_, quantity) in lines.items()]
    return Step("order-cancelled", data)


def _entry(entry_id: str, customer_id: str, sku: str, quantity: int, now: datetime) -> dict[str, Any]:
    customer = {"customer_id": customer_id, "email": f"{customer_id.lower()}@example.com"}
    return {"entry_id": entry_id, "sku": sku, "quantity": quantity, "customer": customer, "joined_at": now}
