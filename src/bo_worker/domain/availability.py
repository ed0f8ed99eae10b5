"""What a shop may tell of a product: its state, and its stock over all locations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.facts import Availability, LocationAvailability

if TYPE_CHECKING:
    from bo_worker.domain.stock import Product


def snapshot(product: Product) -> tuple[object, ...]:
    """Return what a shop can see of a product, to tell cheaply whether it changed."""
    safety_stock = product.safety_stock
    free = 0
    seen: list[object] = [product.waiting]
    for stock in product.stock.values():
        if stock.on_hand:
            available = max(0, stock.on_hand - stock.allocated - safety_stock)
            free += available
            seen.append((stock.location, stock.on_hand, stock.allocated, available))
    return (*seen, _state(product, free))


def availability(product: Product) -> Availability:
    """Return the availability of a product now. Nothing is known of what is on its way."""
    locations = [
        LocationAvailability(stock.location, stock.on_hand, stock.allocated, product.available(stock))
        for stock in sorted(product.stock.values(), key=lambda stock: stock.location)
        if stock.on_hand
    ]
    available = sum(location.available for location in locations)
    return Availability(
        product.sku,
        _state(product, available),
        sum(location.on_hand for location in locations),
        sum(location.allocated for location in locations),
        available,
        product.waiting,
        0,
        [],
        None,
        locations,
    )


def _state(product: Product, available: int) -> str:
    """Say whether the next unit can be sold, and how."""
    if available:
        return "in_stock"
    policy = product.policy
    if policy is None:
        return "backorderable"
    if policy.discontinued:
        return "discontinued"
    if policy.backorder != "allow":
        return "out_of_stock"
    limit = policy.backorder_limit
    return "backorderable" if limit is None or product.waiting < limit else "out_of_stock"
