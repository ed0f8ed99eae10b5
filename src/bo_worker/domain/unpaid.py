"""An order whose payment failed loses its claims, waits unserved for its money, and is cancelled at last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.authorize import FAILED
from bo_worker.domain.cancel_order import cancel_waiting
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Claim, Order, OrderLine


def give_up_unpaid(account: Account, order: Order) -> Effect:
    """Return what an order holds to the stock, and suspend its lines; released units stay with it (R5)."""
    effect = Effect()
    for line in order.lines:
        for claim in line.claims:
            if claim.held:
                _return(account, line, claim, effect)
        if line.backordered and not line.is_suspended:
            line.suspend()
            account.product(line.sku).doubt_promises()  # The line still has its day.
    return effect


def _return(account: Account, line: OrderLine, claim: Claim, effect: Effect) -> None:
    quantity, claim.held = claim.held, 0
    claim.pending_cause = None
    claim.is_changed = line.is_changed = True
    line.held -= quantity
    line.backordered += quantity
    product = account.product(line.sku)
    product.waiting += quantity
    product.is_changed = True
    stock = product.stock_at(claim.location)
    stock.allocated -= quantity
    stock.is_changed = True
    account.note("lost", quantity, line.sku, claim.location, line)
    effect.touch(line.sku, claim.location)


def cancel_unpaid(account: Account, order: Order) -> None:
    """Cancel what is suspended: its time is over too, and nobody has paid."""
    cancelled = [
        notified(line, cancel_waiting(account, line, line.backordered))
        for line in order.lines
        if line.is_suspended and line.backordered
    ]
    notify(account, order, "order_cancelled", cancelled, reason=FAILED)


def resume(account: Account, order: Order, effect: Effect) -> None:
    """Let the suspended lines of an order wait again at their old rank, for what is free too."""
    for line in order.lines:
        if not line.is_suspended:
            continue
        line.resume()
        if line.backordered:
            product = account.product(line.sku)
            account.enqueue(product, line)
            product.doubt_promises()  # The line has no day.
            for stock in product.stock.values():
                if product.available(stock):
                    effect.touch(line.sku, stock.location)
