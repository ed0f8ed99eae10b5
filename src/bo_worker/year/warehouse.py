"""The warehouse: what is in the building by its own count, what it was told to send, and what it finds and loses."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from bo_worker.year.assortment import Assortment
    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

_COUNTS_PER_DAY: Final = 3
_ONE_DAY_LATER_SHARE: Final = 0.05
_DROP_SHIP_DAYS: Final = 4
_REASONS: Final = {True: ("found", "return", "miscount"), False: ("lost", "damaged", "miscount", "expired")}


@dataclass(slots=True)
class Instruction:
    """Units to send: by line of the order, their SKU and quantity."""

    order_id: str
    location: str
    due_on: date
    lines: dict[str, tuple[str, int]]


class Warehouse:
    """Sends a day after it was told, and counts everything itself: `stock` is by SKU and location."""

    def __init__(self, assortment: Assortment, chance: Chance) -> None:
        self._articles = assortment.articles
        self._skus = list(self._articles)
        self._chance = chance
        self._instructions: dict[str, Instruction] = {}
        self.stock: Counter[tuple[str, str]] = Counter()
        self.units_sent = 0

    @property
    def on_hand(self) -> Counter[str]:
        """Units by SKU."""
        found: Counter[str] = Counter()
        for (sku, _), quantity in self.stock.items():
            found[sku] += quantity
        return found

    def receive(self, receipts: Iterable[Step]) -> None:
        """Count what came."""
        for step in receipts:
            for line in step.data["lines"]:
                self.stock[line["sku"], step.data["location"]] += line["quantity"]

    def hear(self, heard: Iterable[Heard], day: date) -> None:
        """Note what is to be sent, and what is not to be sent any more."""
        for message in heard:
            if message.topic != "fulfillment":
                continue
            if message.kind in {"ship", "cross_dock"}:
                self._note(message, day)
            elif message.kind == "revoke":
                self._revoke(message)

    def counts(self, day: date, now: datetime) -> list[Step]:
        """Return the corrections of a day: somebody counts a few articles."""
        steps = []
        for number in range(_COUNTS_PER_DAY):
            choice = self._chance("count", day, number)
            article = self._articles[choice.choice(self._skus)]
            is_more = choice.random() < 0.4
            there = self.stock[article.sku, article.location]
            units = choice.randint(1, max(1, min(10, there // 4)))
            if article.special == "drop_ship" or (not is_more and there < units):
                continue
            delta = units if is_more else -units
            self.stock[article.sku, article.location] += delta
            data = {
                "adjustment_id": f"ADJ-{day:%y%m%d}-{number}",
                "sku": article.sku,
                "location": article.location,
                "quantity_delta": delta,
                "reason": choice.choice(_REASONS[is_more]),
                "adjusted_at": now,
            }
            steps.append(Step("inventory-adjusted", data))
        return steps

    def shipments(self, day: date, now: datetime) -> list[Step]:
        """Return what leaves on a day: nearly all that is due, a little of it a day later."""
        steps = []
        for fulfillment_id, instruction in list(self._instructions.items()):
            if instruction.due_on > day:
                continue
            if self._chance("shipment", fulfillment_id, day).random() < _ONE_DAY_LATER_SHARE:
                continue
            del self._instructions[fulfillment_id]
            if instruction.lines:
                steps.append(self._shipment(fulfillment_id, instruction, now))
        return steps

    def drop_ships(
        self, waits: Iterable[tuple[str, date, dict[str, tuple[str, int]]]], day: date, now: datetime
    ) -> list[Step]:
        """Return what suppliers sent to customers themselves: who waits for it, since when, and what for."""
        steps = []
        for order_id, since, lines in waits:
            sent = {
                line_id: what for line_id, what in lines.items() if self._articles[what[0]].special == "drop_ship"
            }
            if sent and day >= since + timedelta(days=_DROP_SHIP_DAYS):
                steps.append(
                    self._step(f"S-{order_id}-{day:%y%m%d}", Instruction(order_id, "SUPPLIER", day, sent), now)
                )
        return steps

    def _note(self, message: Heard, day: date) -> None:
        data = message.data
        lines: dict[str, tuple[str, int]] = {}
        for line in message.lines:
            _, quantity = lines.get(line["line_id"], ("", 0))
            lines[line["line_id"]] = line["sku"], quantity + line["quantity"]
        due_on = day + timedelta(days=1)
        self._instructions[data["fulfillment_id"]] = Instruction(data["order_id"], data["location"], due_on, lines)

    def _revoke(self, message: Heard) -> None:
        """Take units off the instruction that is named, and what has left of it already off others of the order.

        A shipment does not say which instruction it is for: what the worker takes for sent may still be here.
        """
        data = message.data
        named = self._instructions.get(data["revokes"])
        others = [one for one in self._instructions.values() if one is not named and _is_for(one, data)]
        for line in message.lines:
            left = line["quantity"]
            for instruction in ([named] if named else []) + others:
                left -= _taken(instruction, line["line_id"], left)

    def _shipment(self, fulfillment_id: str, instruction: Instruction, now: datetime) -> Step:
        for sku, quantity in instruction.lines.values():
            self.stock[sku, instruction.location] -= quantity
            self.units_sent += quantity
        return self._step(f"S-{fulfillment_id}", instruction, now)

    def _step(self, shipment_id: str, instruction: Instruction, now: datetime) -> Step:
        lines: list[dict[str, Any]] = [
            {"line_id": line_id, "location": instruction.location, "quantity": quantity}
            for line_id, (_, quantity) in instruction.lines.items()
        ]
        data = {
            "shipment_id": shipment_id,
            "order_id": instruction.order_id,
            "dispatched_at": now,
            "carrier": "Parcel",
            "lines": lines,
        }
        return Step("shipment-dispatched", data)


def _is_for(instruction: Instruction, data: Mapping[str, Any]) -> bool:
    return (instruction.order_id, instruction.location) == (data["order_id"], data["location"])


def _taken(instruction: Instruction, line_id: str, quantity: int) -> int:
    """Take up to so many units of a line off an instruction; return how many."""
    sku, there = instruction.lines.pop(line_id, ("", 0))
    if there > quantity:
        instruction.lines[line_id] = sku, there - quantity
    return min(there, quantity)
