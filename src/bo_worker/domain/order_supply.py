"""Supply that is ordered for one order alone: what is made for it, or shipped to it by the supplier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.facts import Procurement
from bo_worker.domain.identity import derive_id
from bo_worker.domain.kinds import PER_ORDER

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.stock import Product


def has_own_supply(product: Product) -> bool:
    """Tell whether each order of a product that waits has supply of its own."""
    return product.policy is not None and product.policy.kind in PER_ORDER


def order_supply(account: Account, order: Order) -> None:
    """Ask purchasing for what a new order waits for, once per SKU."""
    waiting: dict[str, list[OrderLine]] = {}
    for line in order.lines:
        if line.backordered and has_own_supply(account.product(line.sku)):
            waiting.setdefault(line.sku, []).append(line)
    for sku, lines in waiting.items():
        policy = account.product(sku).policy
        reason = policy.kind if policy else ""
        places = {line.location for line in lines}
        account.publish(
            Procurement(
                derive_id("PR-", account.cause.name, order.order_id, sku, reason),
                "reorder",
                sku,
                places.pop() if len(places) == 1 else None,
                sum([line.backordered for line in lines]),
                1,
                min((line.expected_to for line in lines if line.expected_to), default=None),
                reason,
                order.order_id,
            )
        )
