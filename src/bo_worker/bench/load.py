"""What is played into a worker: orders of two lines, and receipts, as any producer would send them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.messages.record import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOCATION = "WH1"
HOT_SKU = "SKU-HOT"
_CUSTOMERS = 5000
_QUANTITY_MAX = 3


@dataclass(slots=True, frozen=True)
class Orders:
    """Orders with two lines each, over `skus`; the same number gives the same orders."""

    skus: Sequence[str]
    quantity_max: int = _QUANTITY_MAX
    seed: int = 1

    def messages(self, first: int, count: int) -> list[Message]:
        """Return the orders numbered from `first` on, placed now."""
        placed_at = datetime.now(UTC).isoformat()
        return [
            Message("order-created", f"SO-{number}".encode(), orjson.dumps(self._order(number, placed_at)), [])
            for number in range(first, first + count)
        ]

    def units(self, count: int) -> int:
        """Return how many units the first `count` orders ask for."""
        return sum(quantity for number in range(count) for _, quantity in self._lines(number))

    def _lines(self, number: int) -> Iterator[tuple[str, int]]:
        choice = random.Random(self.seed * 1_000_003 + number)
        for _ in range(2):
            yield choice.choice(self.skus), choice.randint(1, self.quantity_max)

    def _order(self, number: int, placed_at: str) -> dict[str, Any]:
        return {
            "order_id": f"SO-{number}",
            "placed_at": placed_at,
            "customer": {"customer_id": f"C-{number % _CUSTOMERS}", "email": f"c{number % _CUSTOMERS}@example.com"},
            "lines": [
                {
                    "line_id": str(position),
                    "sku": sku,
                    "quantity": quantity,
                    "unit_price": {"amount": "19.90", "currency": "USD"},
                }
                for position, (sku, quantity) in enumerate(self._lines(number), 1)
            ],
        }


def receipt(receipt_id: str, sku: str, quantity: int) -> Message:
    """Return a receipt of one line, received now."""
    data = {
        "receipt_id": receipt_id,
        "location": LOCATION,
        "received_at": datetime.now(UTC).isoformat(),
        "dock_door": "D1",
        "lines": [{"line_id": "1", "sku": sku, "quantity": quantity}],
    }
    return Message("inventory-received", receipt_id.encode(), orjson.dumps(data), [])


def skus(count: int) -> list[str]:
    """Return the ids of `count` products."""
    return [f"SKU-{number:04d}" for number in range(count)]
