"""What the messages say about every unit, kept apart from the account, so that the two can be compared."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bo_worker.demo.seen import Seen


class Evidence:
    """Units received, moved from the dock, and sent out, each by the message that says so."""

    def __init__(self) -> None:
        self.received: Counter[tuple[str, str]] = Counter()  # by SKU and location
        self.arrived: Counter[tuple[str, str]] = Counter()  # by receipt and SKU
        self.moved: Counter[tuple[str, str]] = Counter()  # the same: from the dock to a customer or to storage
        self.released: Counter[tuple[str, str, str]] = Counter()  # by order, line and location
        self.answers: Counter[str] = Counter()  # first notifications by order
        self.told: dict[tuple[str, str], str | None] = {}  # the last day told, by order and line
        self._receipts: set[str] = set()

    def note(self, seen: Seen) -> None:
        """Take down a message."""
        match seen.topic, seen.kind:
            case "inventory-received", _ if seen.data:
                self._note_receipt(seen)
            case "fulfillment", "cross_dock" | "put_away" | "ship":
                self._note_fulfillment(seen)
            case "customer-notification", "order_confirmed" | "order_backordered" | "order_rejected":
                self.answers[seen.key] += 1
                self._note_days(seen)
            case "customer-notification", "expected_date_changed":
                self._note_days(seen)

    def _note_days(self, seen: Seen) -> None:
        for line in seen.lines:
            self.told[seen.key, line["line_id"]] = line["expected_to"]

    def _note_receipt(self, seen: Seen) -> None:
        receipt_id, location = seen.data["receipt_id"], seen.data["location"]
        if receipt_id in self._receipts:
            return
        self._receipts.add(receipt_id)
        for line in seen.lines:
            if line["quantity"]:
                self.received[line["sku"], location] += line["quantity"]
                self.arrived[receipt_id, line["sku"]] += line["quantity"]

    def _note_fulfillment(self, seen: Seen) -> None:
        for line in seen.lines:
            if seen.kind != "ship":
                self.moved[seen.data["receipt_id"], line["sku"]] += line["quantity"]
            if seen.kind != "put_away":
                self.released[seen.key, line["line_id"], seen.data["location"]] += line["quantity"]
