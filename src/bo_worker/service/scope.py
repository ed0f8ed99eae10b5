"""What a batch touches: the keys and products to lock, and the queues that may have to be served."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.commands import PlaceOrder, ReceiveInventory
from bo_worker.domain.stock import ANY_LOCATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bo_worker.domain.stock import Product
    from bo_worker.messages.inbound import Decoded


@dataclass(slots=True)
class Scope:
    """`freed` counts the units that may come free, by SKU and location."""

    keys: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)
    natural_ids: set[tuple[str, str]] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)
    freed: dict[tuple[str, str], int] = field(default_factory=dict)

    def lanes(self, products: Mapping[str, Product], factor: int) -> dict[tuple[str, str], int]:
        """Return the lanes of which the head is needed, and for how many units; none where nobody waits."""
        lanes: dict[tuple[str, str], int] = {}
        for (sku, location), units in self.freed.items():
            if sku in products and products[sku].has_backlog:
                for pin in (location, ANY_LOCATION):
                    lanes[sku, pin] = lanes.get((sku, pin), 0) + units * factor
        return lanes


def scope_of(inputs: Iterable[Decoded]) -> Scope:
    """Return what the commands of a batch touch."""
    scope = Scope()
    for item in inputs:
        match item.command:
            case PlaceOrder() as order:
                scope.keys.add(order.order_id)
                scope.placed.add(order.order_id)
                scope.skus.update([line.sku for line in order.lines])
            case ReceiveInventory() as receipt:
                scope.keys.add(receipt.receipt_id)
                scope.natural_ids.add((item.record.topic, item.natural_id))
                _add_receipt(scope, receipt)
            case _:
                scope.natural_ids.add((item.record.topic, item.natural_id))
    return scope


def _add_receipt(scope: Scope, receipt: ReceiveInventory) -> None:
    for line in receipt.lines:
        scope.skus.add(line.sku)
        place = (line.sku, receipt.location)
        scope.freed[place] = scope.freed.get(place, 0) + line.quantity
