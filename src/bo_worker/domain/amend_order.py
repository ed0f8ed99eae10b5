"""A change of how an order is served: its rank, its need, whether it ships as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import AmendOrder
    from bo_worker.domain.demand import Order

_FIELDS = ("priority", "need_by", "ship_complete")


def amend_order(account: Account, order: Order, command: AmendOrder) -> Effect:
    """Change the fields that are given; what is claimed stays, what waits takes its new place."""
    effect = Effect()
    if not set_fields(order, command):
        return effect
    order.is_changed = True
    for line in order.lines:
        line.is_changed = True
        if line.backordered:
            product = account.product(line.sku)
            account.enqueue(product, line)
            product.disturb()
    # Held units of an order that need not ship as a whole any more may leave.
    effect.orders[order.order_id] = None
    return effect


def set_fields(order: Order, command: AmendOrder) -> bool:
    """Set what the amendment gives, per field where it is the latest; two of one instant go by their ids."""
    version = (command.amended_at.isoformat(timespec="microseconds"), command.amendment_id)
    newest = False
    for name in _FIELDS:
        value = getattr(command, name)
        if value is not None and version > tuple(order.amended.get(name, ("", ""))):
            order.amended[name] = version
            setattr(order, name, value)
            newest = True
    return newest
