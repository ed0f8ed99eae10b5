"""A customer gives units up: those that wait first, then held ones, then released ones; never shipped ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.closing import count_dropped
from bo_worker.domain.notice import notified, notify
from bo_worker.domain.revoke import Revocations
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import CancelOrder
    from bo_worker.domain.demand import Claim, Order, OrderLine
    from bo_worker.domain.facts import NotificationLine


def cancel_order(account: Account, order: Order, command: CancelOrder) -> Effect | Refusal:
    """Cancel lines of an order, or all that is open of it; more units than are open is no error."""
    refusal = check_lines(order, command)
    if refusal is not None:
        return refusal
    effect = Effect()
    revocations = Revocations()
    cancelled = [
        notified(line, gone)
        for line, quantity in wanted(order, command)
        if (gone := _cancel_line(account, line, quantity, effect, revocations))
    ]
    if cancelled:
        revocations.publish(account, order, "cancelled")
        tell_cancelled(account, order, cancelled, command)
        # What was waited for may be gone now: a ship-complete order may leave.
        effect.orders[order.order_id] = None
    return effect


def check_lines(order: Order, command: CancelOrder) -> Refusal | None:
    """Refuse a cancellation that names a line which the order does not have."""
    known = {line.line_id for line in order.lines}
    unknown = [line.line_id for line in command.lines or () if line.line_id not in known]
    if unknown:
        return Refusal("unknown_line", f"order {order.order_id} has no line {unknown[0]}")
    return None


def wanted(order: Order, command: CancelOrder) -> list[tuple[OrderLine, int]]:
    """Return the lines to cancel and up to how many units of each."""
    if command.lines is None:
        return [(line, line.quantity) for line in order.lines]
    lines = {line.line_id: line for line in order.lines}
    return [(lines[asked.line_id], asked.quantity) for asked in command.lines]


def tell_cancelled(account: Account, order: Order, cancelled: list[NotificationLine], command: CancelOrder) -> None:
    """Tell the customer what was cancelled."""
    notify(account, order, "order_cancelled", cancelled, reason=command.reason)


def _cancel_line(account: Account, line: OrderLine, quantity: int, effect: Effect, revocations: Revocations) -> int:
    """Cancel up to `quantity` open units of a line; return how many."""
    left = quantity - cancel_waiting(account, line, quantity)
    for bucket in ("held", "released"):
        for claim in _smallest_first(line, bucket):
            if left:
                left -= _give_back(account, line, claim, min(left, getattr(claim, bucket)), effect, revocations)
    return quantity - left


def cancel_waiting(account: Account, line: OrderLine, quantity: int) -> int:
    """Cancel up to `quantity` waiting units; that frees nothing (R7)."""
    gone = min(quantity, line.backordered)
    if gone:
        product = account.product(line.sku)
        product.waiting -= gone
        if product.counts_churn:
            count_dropped(product, gone)
        product.disturb()
        product.is_changed = True
        line.backordered -= gone
        line.cancelled += gone
        line.is_changed = True
        account.note("dropped", gone, line.sku, line=line)
        if line.is_promised and not line.backordered:
            account.end_promise(line, kept=False)
    return gone


def _smallest_first(line: OrderLine, bucket: str) -> list[Claim]:
    """Return claims, those of the location with the fewest units first (ties: last name first), newest first."""
    units: dict[str, int] = {}
    for claim in line.claims:
        units[claim.location] = units.get(claim.location, 0) + getattr(claim, bucket)
    claims = [claim for claim in line.claims if getattr(claim, bucket)]
    claims.sort(key=lambda claim: (claim.location, claim.number), reverse=True)
    return sorted(claims, key=lambda claim: units[claim.location])


def _give_back(
    account: Account, line: OrderLine, claim: Claim, quantity: int, effect: Effect, revocations: Revocations
) -> int:
    """Return claimed units to the stock they lie in, and note that they are free."""
    if claim.held:
        claim.held -= quantity
        line.held -= quantity
    else:
        claim.released -= quantity
        line.released -= quantity
        revocations.add(line, claim, quantity)
    claim.is_changed = line.is_changed = True
    line.cancelled += quantity
    product = account.product(line.sku)
    product.is_changed = True
    stock = product.stock_at(claim.location)
    stock.allocated -= quantity
    stock.is_changed = True
    product.note_free(stock, quantity)
    account.note("returned", quantity, line.sku, claim.location, line).fulfillment_id = claim.fulfillment_id
    effect.touch(line.sku, claim.location)
    return quantity
