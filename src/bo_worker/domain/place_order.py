"""A new order: it takes what is free, waits for the rest, or is turned down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.allocation import choose, claim
from bo_worker.domain.consolidation import why_held
from bo_worker.domain.delay import watch_old
from bo_worker.domain.demand import Order, OrderLine
from bo_worker.domain.early import apply_early
from bo_worker.domain.kinds import DROP_SHIP, ENDED
from bo_worker.domain.notice import notified, notified_days, notify
from bo_worker.domain.order_supply import has_own_supply, order_supply
from bo_worker.domain.pay_back import pay_back
from bo_worker.domain.procurement import UNPROMISED, count_demand
from bo_worker.domain.promise import is_promised, promise
from bo_worker.domain.release import release
from bo_worker.domain.update_payment import follow_payment

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import PlaceOrder
    from bo_worker.domain.stock import Product

OUT_OF_STOCK = "out_of_stock"
BACKORDER_LIMIT = "backorder_limit"
DISCONTINUED = "discontinued"


def place_order(account: Account, command: PlaceOrder, digest: bytes) -> None:
    """Open an order: every line claims what is free now, and what is short waits or is rejected.

    Cancellations and amendments that came before the order act before it asks for stock.
    """
    order = open_order(command, digest)
    account.orders[order.order_id] = order
    apply_early(account, order)
    entries = len(account.journal)
    reason = None
    for line in order.lines:
        if line.backordered:
            refused = _serve_or_refuse(account, line)
            reason = reason or refused
    if reason and order.ship_complete:
        del account.journal[entries:]
        _give_everything_back(account, order)
    own_supply = False
    for line in order.lines:
        if line.backordered:
            product = account.product(line.sku)
            account.enqueue(product, line)
            if product.policy is not None or product.supply:
                own_supply |= has_own_supply(product)
                _count_waiting(product, line)
    if own_supply:
        order_supply(account, order)
    _tell(account, order, reason)
    if order.payment is not None:
        pay_back(account, order)


def open_order(command: PlaceOrder, digest: bytes) -> Order:
    """Return the order with all units waiting."""
    order = Order(
        command.order_id,
        command.placed_at,
        command.customer,
        command.priority,
        command.ship_complete,
        command.need_by,
        command.ship_to_country,
        digest=digest,
    )
    order.lines = [
        OrderLine(
            order,
            position,
            asked.line_id,
            asked.sku,
            asked.quantity,
            asked.location,
            asked.backorder,
            asked.unit_price,
            asked.quantity,
        )
        for position, asked in enumerate(command.lines, 1)
    ]
    if command.payment is not None:
        follow_payment(order, command.payment)
    return order


def _serve_or_refuse(account: Account, line: OrderLine) -> str | None:
    """Claim free units for one line; reject it as a whole where what is short may not wait. Return why."""
    product = account.product(line.sku)
    chosen = choose(product, line)
    short = line.backordered
    for _, quantity in chosen:
        short -= quantity
    refused = _refusal(account, product, line, short) if short else None
    if refused:
        _reject(account, line)
        count_demand(product, refused, line.order.order_id, line.rejected)
        return refused
    if short:
        line.expected_from, line.expected_to = promise(account, product, line, short)
        line.is_drop_shipped = product.phase == DROP_SHIP
    product.waiting += line.backordered
    product.is_changed = True
    if short:
        account.note("backordered", short, line.sku, line=line)
    for stock, quantity in chosen:
        claim(account, line, stock, quantity, "claimed")
    if short:
        product.live[line.order.order_id, line.position] = line  # The next line is not promised the same units.
    return None


def _reject(account: Account, line: OrderLine) -> None:
    line.rejected, line.backordered = line.backordered, 0
    account.note("rejected", line.rejected, line.sku, line=line)


def _count_waiting(product: Product, line: OrderLine) -> None:
    if line.expected_to is None:
        count_demand(product, UNPROMISED, line.order.order_id, line.backordered)
    if product.counts_churn:
        product.joined += line.backordered


def _refusal(account: Account, product: Product, line: OrderLine, short: int) -> str | None:
    """Tell why `short` units of a line may not wait, None where they may."""
    policy = product.policy
    if policy is not None and policy.discontinued:
        return DISCONTINUED
    if product.closed_reason is not None or product.phase == ENDED:
        return OUT_OF_STOCK
    if policy is not None and policy.kind == "indefinite" and line.backorder != "allow":
        return OUT_OF_STOCK
    mode = line.backorder or (policy.backorder if policy else "allow")
    if mode == "deny" or (mode == "if_promised" and not is_promised(account, product, line, short)):
        return OUT_OF_STOCK
    limit = policy.backorder_limit if policy else None
    if limit is not None and product.waiting + short > limit:
        return BACKORDER_LIMIT
    return None


def _give_everything_back(account: Account, order: Order) -> None:
    """Undo the claims of an order that is rejected as a whole; nobody else can have waited for the units."""
    for line in order.lines:
        product = account.product(line.sku)
        for held in line.claims:
            product.stock_at(held.location).allocated -= held.held
        product.waiting -= line.backordered
        product.outlook = None
        product.holders.pop((order.order_id, line.position), None)
        line.claims.clear()
        line.backordered += line.held + line.rejected
        line.claim_count = line.held = line.rejected = 0
        if line.backordered:
            _reject(account, line)


def _tell(account: Account, order: Order, reason: str | None) -> None:
    """Instruct the warehouse, and tell the customer what was confirmed, what waits, what was rejected."""
    released = release(account, order, at_once=True)
    if reason:
        rejected = [notified(line, line.rejected) for line in order.lines if line.rejected]
        notify(account, order, "order_rejected", rejected, reason=reason)
    if order.is_waiting():
        waiting = [
            notified_days(account, line.line_id, line.sku, line.backordered, (line.expected_from, line.expected_to))
            for line in order.lines
            if line.backordered
        ]
        notify(account, order, "order_backordered", waiting, reason=why_held(order))
        for line in order.lines:
            if line.backordered and line.expected_to:
                line.is_promised = True
                account.product(line.sku).note_promise(line.expected_to)
                account.promised.append(line)
            elif line.backordered:
                watch_old(account, line)
    elif released:
        notify(account, order, "order_confirmed", released)
    elif order.payment is not None and any(line.held for line in order.lines):
        # Nothing waits for stock; what is held leaves when its money is there.
        notify(account, order, "order_confirmed", [notified(line, line.held) for line in order.lines if line.held])
