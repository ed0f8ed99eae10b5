"""What must hold for an account in memory after every event (contract, section 2): R1, R2, R4, R8, and its sums."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from bo_worker.domain.facts import CrossDock, PutAway

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import ReceiveInventory
    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.facts import Fact
    from bo_worker.domain.stock import Product, Stock


def check_account(account: Account) -> None:
    """Assert all of it; every order must be loaded whole, as it is in an account that never was stored."""
    lines = [line for order in account.orders.values() for line in order.lines]
    for line in lines:
        check_line(line)
    for product in account.products.values():
        check_product(product, [line for line in lines if line.sku == product.sku])


def check_line(line: OrderLine) -> None:
    """Assert that buckets and claims of a line agree (R2), and that none is below 0."""
    buckets = (line.backordered, line.held, line.released, line.shipped, line.cancelled, line.rejected)
    assert min(buckets) >= 0
    assert sum(buckets) == line.quantity
    assert line.rejected in (0, line.quantity - line.cancelled)
    assert sum(claim.held for claim in line.claims) == line.held
    assert sum(claim.released for claim in line.claims) == line.released
    open_claims = [claim for claim in line.claims if claim.held or claim.released]
    assert line.location is None or line.is_suspended or {claim.location for claim in open_claims} <= {line.location}
    numbers = [claim.number for claim in line.claims]
    assert numbers == sorted(set(numbers))


def check_product(product: Product, lines: list[OrderLine]) -> None:
    """Assert that counters equal the sums they stand for (R1), and that nothing lies idle (R4)."""
    assert product.waiting == sum(line.backordered for line in lines)
    claimed: Counter[str] = Counter()
    for line in lines:
        for claim in line.claims:
            claimed[claim.location] += claim.held + claim.released
    claimed = +claimed
    assert claimed.keys() <= product.stock.keys()
    for location, stock in product.stock.items():
        assert stock.allocated == claimed[location]
        assert 0 <= stock.allocated <= stock.on_hand
        if _free(product, stock):
            could = [line.line_id for line in lines if line.backordered and line.location in (None, location)]
            assert could == [], f"free units of {product.sku} at {location} and lines that could use them"


def check_receipt(command: ReceiveInventory, facts: Iterable[Fact]) -> None:
    """Assert R8 per SKU and lot: what leaves from the dock and what is put away is what came."""
    came: Counter[tuple[str, str | None]] = Counter()
    for line in command.lines:
        came[line.sku, line.lot] += line.quantity
    went: Counter[tuple[str, str | None]] = Counter()
    for fact in facts:
        if isinstance(fact, CrossDock | PutAway):
            assert (fact.receipt_id, fact.location) == (command.receipt_id, command.location)
            for part in fact.lines:
                assert part.quantity > 0
                went[part.sku, part.lot] += part.quantity
    assert +came == went


def _free(product: Product, stock: Stock) -> int:
    if product.is_closed:
        return 0
    safety_stock = product.policy.safety_stock if product.policy else 0
    return max(0, stock.on_hand - stock.allocated - safety_stock)
