"""The last few things that happened, one line each, told from the messages."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from bo_worker.demo.purchases import CONFIRMED_VERSION
from bo_worker.demo.seen import day_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bo_worker.demo.seen import Seen

KEPT = 40
ORDERS_PER_SECOND_MAX = 2.0
STYLES = {
    "order_backordered": ("yellow", "waits for"),
    "order_rejected": ("red", "is refused"),
    "backorder_filled": ("green", "gets"),
    "expected_date_changed": ("yellow", "waits on for"),
}


@dataclass(slots=True)
class Line:
    """A line with the wall-clock time at which the thing happened."""

    at: datetime
    text: Text

    def render(self) -> Text:
        """The whole line."""
        return Text.assemble((f"{self.at:%H:%M:%S} ", "dim"), self.text)


@dataclass(slots=True)
class Arrival:
    """A receipt and what became of its units, which shows from several messages."""

    at: datetime
    receipt: Seen
    orders: set[str] = field(default_factory=set)
    cross_docked: int = 0
    put_away: int = 0

    def render(self) -> Text:
        """The whole line."""
        data = self.receipt.data
        text = Text.assemble(
            (f"{self.at:%H:%M:%S} ", "dim"),
            (data["receipt_id"], "bold cyan"),
            f", {data['location']}",
            f" {data['dock_door']}" if data.get("dock_door") else "",
            f": {self.receipt.units:,}",
            "" if self.cross_docked else " units",  # a line that says more has no room for it
        )
        if self.cross_docked:
            orders = f"{len(self.orders)} order{'s' if len(self.orders) > 1 else ''}"
            text.append(f" → {self.cross_docked:,} to {orders}", "green")
        if self.put_away:
            text.append(f", {self.put_away:,} put away" if self.cross_docked else f" → {self.put_away:,} put away")
        return text


class Happenings:
    """Keeps the last ones: every receipt, and of the orders as many as a reader can follow."""

    def __init__(self) -> None:
        self._lines: deque[Line | Arrival] = deque(maxlen=KEPT)
        self._arrivals: dict[str, Arrival] = {}
        self._last_order_at: datetime | None = None

    def tell(self, at: datetime, text: Text) -> None:
        """Add a line of the demonstration's own."""
        self._lines.append(Line(at, text))

    def note(self, seen: Seen) -> None:
        """Add what a message says, if it is news."""
        match seen.topic, seen.kind:
            case "inventory-received", _ if seen.data:
                self._note_receipt(seen)
            case "fulfillment", "cross_dock" | "put_away":
                self._note_dock(seen)
            case "customer-notification", kind if kind in STYLES:
                self._note_order(seen)
            case "purchase-order-updated", _ if seen.data.get("version", 0) > CONFIRMED_VERSION:
                self._note_purchase(seen)
            case _ if seen.is_dead_letter:
                self._note_dead_letter(seen)

    def last(self, number: int) -> Iterable[Text]:
        """The last ones, oldest first."""
        return [line.render() for line in list(self._lines)[-number:]] if number > 0 else []

    def _note_receipt(self, seen: Seen) -> None:
        arrival = Arrival(seen.sent_at, seen)
        self._arrivals[seen.data["receipt_id"]] = arrival
        self._lines.append(arrival)

    def _note_dock(self, seen: Seen) -> None:
        arrival = self._arrivals.get(seen.data["receipt_id"])
        if arrival is None:
            return
        if seen.kind == "put_away":
            arrival.put_away += seen.units
        else:
            arrival.cross_docked += seen.units
            arrival.orders.add(seen.key)

    def _note_purchase(self, seen: Seen) -> None:
        data, day = seen.data, day_name(seen.day or "")
        word = "on their way, said to come on" if data["status"] == "in_transit" else "put off until"
        text = Text.assemble((seen.key, "bold cyan"), f" of {data['supplier_id']}: {seen.units:,} units ", word)
        self._lines.append(Line(seen.sent_at, text.append(f" {day}")))

    def _note_order(self, seen: Seen) -> None:
        """Orders in a rush are not all told: nobody could read them."""
        last = self._last_order_at
        if last is not None and (seen.sent_at - last).total_seconds() < 1 / ORDERS_PER_SECOND_MAX:
            return
        self._last_order_at = seen.sent_at
        style, word = STYLES[seen.kind]
        articles = f"{seen.units:,} \u00d7 {seen.lines[0]['sku']}"
        if len(seen.lines) > 1:
            articles = f"{seen.units:,} units of {len(seen.lines)} articles"
        complete = ", order complete" if seen.data.get("completes_order") else ""
        text = Text.assemble((seen.key, "bold"), f" {seen.data['customer']['customer_id']}: ", (word, style))
        self._lines.append(Line(seen.sent_at, text.append(f" {articles}{complete}{_until(seen)}")))

    def _note_dead_letter(self, seen: Seen) -> None:
        reason = seen.headers.get("dlq_reason", "")
        text = Text.assemble((seen.key, "bold"), " ", ("dead letter", "red"), f": {reason}")
        self._lines.append(Line(seen.read_at, text))


def _until(seen: Seen) -> str:
    """The day that a customer is told, if this tells one."""
    if seen.kind == "expected_date_changed":
        return f", now by {day_name(seen.day)}" if seen.day else ", on no certain day"
    return f", by {day_name(seen.day)}" if seen.kind == "order_backordered" and seen.day else ""
