"""What a batch touches: the keys and products to lock, and the queues and claims that may be needed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    AnswerNotice,
    CancelOrder,
    DispatchShipment,
    JoinWaitlist,
    PlaceOrder,
    ReceiveInventory,
    UpdatePayment,
    UpdatePolicy,
    UpdatePurchaseOrder,
)
from bo_worker.domain.demand import ANY_LOCATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bo_worker.domain.commands import Command
    from bo_worker.domain.demand import Order
    from bo_worker.domain.stock import Product
    from bo_worker.domain.supply import PurchaseOrder
    from bo_worker.messages.inbound import Decoded

Place = tuple[str, str]


@dataclass(slots=True)
class Scope:
    """`placed` are the orders that are new, `changed` those that are meant by other commands.

    `cancelled` are those of the latter that may give units back, `answered` those with answers to notices, `paid`
    those of whose payment there is news.
    `freed` counts the units that may come free, `missing` those that may be corrected away, by SKU and location.
    `policies` are the SKUs whose policy may change, `resumed` those for which suspended lines may wait again.
    `purchase_orders` may change, and `suppliers` (with SKUs) are those of which it must be known how late they were
    before.
    """

    keys: set[str] = field(default_factory=set)
    placed: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    answered: set[str] = field(default_factory=set)
    paid: set[str] = field(default_factory=set)
    natural_ids: set[tuple[str, str]] = field(default_factory=set)
    skus: set[str] = field(default_factory=set)
    freed: dict[Place, int] = field(default_factory=dict)
    missing: dict[Place, int] = field(default_factory=dict)
    policies: set[str] = field(default_factory=set)
    resumed: set[str] = field(default_factory=set)
    purchase_orders: set[str] = field(default_factory=set)
    suppliers: set[tuple[str, str]] = field(default_factory=set)

    def add_order(self, order: Order) -> None:
        """Note that an order that exists may be changed: its products, and the units it may give back."""
        gives_back = order.order_id in self.cancelled
        for line in order.lines:
            self.skus.add(line.sku)
            if line.is_suspended:
                self.resumed.add(line.sku)
            for claim in line.claims if gives_back else ():
                _count(self.freed, line.sku, claim.location, claim.held + claim.released)

    def add_purchase_order(self, order: PurchaseOrder) -> None:
        """Note that a purchase order that exists may be changed, and with it what its products are promised."""
        self.skus.update([line.sku for line in order.lines.values()])

    def lanes(self, products: Mapping[str, Product]) -> dict[Place, int]:
        """Return the lanes of which the head is needed, and for how many units; none where nobody waits."""
        freed = dict(self.freed)
        for sku in (self.policies | self.resumed) & products.keys():
            for stock in products[sku].stock.values():
                _count(freed, sku, stock.location, stock.on_hand - stock.allocated)
        lanes: dict[Place, int] = {}
        for (sku, location), units in freed.items():
            if units and sku in products and products[sku].has_backlog:
                for pin in {location, ANY_LOCATION}:
                    _count(lanes, sku, pin, units)
        return lanes

    def short_places(self, products: Mapping[str, Product]) -> dict[Place, int]:
        """Return the places where a correction may leave less than is allocated, and for how many units."""
        short: dict[Place, int] = {}
        for (sku, location), units in self.missing.items():
            stock = products[sku].stock.get(location) if sku in products else None
            if stock is not None and stock.on_hand - units < stock.allocated:
                short[sku, location] = units
        return short


def scope_of(inputs: Iterable[Decoded]) -> Scope:
    """Return what the commands of a batch touch, as far as the messages tell."""
    scope = Scope()
    for item in inputs:
        command = item.command
        if isinstance(command, PlaceOrder):
            scope.keys.add(command.order_id)
            scope.placed.add(command.order_id)
            scope.skus.update([line.sku for line in command.lines])
            continue
        if not isinstance(command, UpdatePolicy | UpdatePurchaseOrder):
            scope.natural_ids.add((item.record.topic, item.natural_id))
        _add(scope, command)
    return scope


def _add(scope: Scope, command: Command) -> None:
    match command:
        case CancelOrder() | AmendOrder() | DispatchShipment() | AnswerNotice() | UpdatePayment():
            scope.keys.add(command.order_id)
            scope.changed.add(command.order_id)
            if isinstance(command, CancelOrder):
                scope.cancelled.add(command.order_id)
            elif isinstance(command, UpdatePayment):
                scope.paid.add(command.order_id)
            elif isinstance(command, AnswerNotice):
                _add_answer(scope, command)
        case ReceiveInventory():
            _add_receipt(scope, command)
        case AdjustInventory():
            _add_adjustment(scope, command)
        case UpdatePolicy():
            scope.skus.add(command.sku)
            scope.policies.add(command.sku)
        case JoinWaitlist():
            scope.skus.add(command.sku)
        case UpdatePurchaseOrder():
            scope.purchase_orders.add(command.purchase_order_id)
            scope.suppliers.update([(command.supplier_id, line.sku) for line in command.lines])
            scope.skus.update([line.sku for line in command.lines])


def _add_answer(scope: Scope, answer: AnswerNotice) -> None:
    scope.answered.add(answer.order_id)
    if answer.substitute_sku is not None:
        scope.skus.add(answer.substitute_sku)


def _add_receipt(scope: Scope, receipt: ReceiveInventory) -> None:
    scope.keys.add(receipt.receipt_id)
    if receipt.purchase_order_id is not None:
        scope.purchase_orders.add(receipt.purchase_order_id)
    for line in receipt.lines:
        scope.skus.add(line.sku)
        _count(scope.freed, line.sku, receipt.location, line.quantity)


def _add_adjustment(scope: Scope, adjustment: AdjustInventory) -> None:
    """A line that loses its units here may be served from elsewhere, if any location will do."""
    scope.skus.add(adjustment.sku)
    if adjustment.quantity_delta > 0:
        _count(scope.freed, adjustment.sku, adjustment.location, adjustment.quantity_delta)
        return
    _count(scope.freed, adjustment.sku, ANY_LOCATION, -adjustment.quantity_delta)
    _count(scope.missing, adjustment.sku, adjustment.location, -adjustment.quantity_delta)


def _count(units: dict[Place, int], sku: str, location: str, quantity: int) -> None:
    units[sku, location] = units.get((sku, location), 0) + quantity
