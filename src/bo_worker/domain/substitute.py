"""Another product in place of one that a customer waits for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.settle import Effect


def substitutes(account: Account, line: OrderLine) -> list[str]:
    """Return the SKUs that can serve a line now."""
    del account, line
    return []


def switch_line(account: Account, order: Order, line: OrderLine, sku: str) -> Effect | None:
    """Let a line have another product; None where that can't serve it now."""
    del account, order, line, sku
    return None
