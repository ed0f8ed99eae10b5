"""Another product in place of one that a customer waits for: what is offered, and the switch to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo_worker.domain.allocation import choose, claim
from bo_worker.domain.cancel_order import cancel_waiting
from bo_worker.domain.demand import ANY_LOCATION, OrderLine
from bo_worker.domain.facts import Substitute, SubstituteOffered
from bo_worker.domain.identity import derive_id
from bo_worker.domain.notice import notified
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Order

_LINE_ID_CHARACTERS_MAX: Final = 64


def substitutes(account: Account, line: OrderLine) -> list[str]:
    """Return the SKUs that the product's policy names and that can serve all that waits of a line now, in its order.

    They serve the line where it is pinned, if it is. A product that was not loaded is left out.
    """
    product = account.products.get(line.sku)
    named = product.policy.substitutes if product is not None and product.policy is not None else None
    if not named or not line.backordered:
        return []
    return [sku for sku in dict.fromkeys(named) if sku != line.sku and _can_serve(account, line, sku)]


def _can_serve(account: Account, line: OrderLine, sku: str) -> bool:
    product = account.products.get(sku)
    if product is None or product.is_reserved:
        return False
    return product.free_units(line.location or ANY_LOCATION) >= line.backordered


def offer_substitutes(account: Account, order: Order, lines: Iterable[OrderLine]) -> None:
    """Tell the customer which products could be had now in place of those that `lines` wait for, if there are any.

    Nothing is reserved by that.
    """
    found = [(line, sku) for line in lines for sku in substitutes(account, line)]
    if not found:
        return
    waiting = {line.position: notified(line, line.backordered) for line, _ in found}
    offered = [Substitute(line.line_id, sku, line.backordered) for line, sku in found]
    notification_id = derive_id("N-", account.cause.name, order.order_id, "substitute_offered")
    account.publish(
        SubstituteOffered(
            notification_id,
            "substitute_offered",
            order.order_id,
            order.customer,
            list(waiting.values()),
            substitutes=offered,
        )
    )


def switch_line(account: Account, order: Order, line: OrderLine, sku: str) -> Effect | None:
    """Let a new line of the order have `sku` at once in place of what waits of `line`, at the same price.

    The new line ranks with its order, behind the order's other lines. Returns what is left to settle: the order has
    units to release. Returns None, and changes nothing, where `sku` is no substitute that can serve all of it now.
    The order must have been loaded whole.
    """
    if sku not in substitutes(account, line):
        return None
    quantity = cancel_waiting(account, line, line.backordered)
    new = _add_line(order, line, sku, quantity)
    product = account.product(sku)
    product.waiting += quantity
    for stock, units in choose(product, new):
        claim(account, new, stock, units, "claimed")
    return Effect(orders={order.order_id: None})


def _add_line(order: Order, line: OrderLine, sku: str, quantity: int) -> OrderLine:
    """Add a line to an order that stands for waiting units of another one."""
    new = OrderLine(
        order,
        1 + max(other.position for other in order.lines),
        _line_id(order, line),
        sku,
        quantity,
        line.location,
        line.backorder,
        line.unit_price,
        quantity,
        stands_for=line.position,
        is_new=True,
    )
    order.lines.append(new)
    return new


def _line_id(order: Order, line: OrderLine) -> str:
    """Return the id of a line that comes from another: its id and a number, cut so that it is an id still."""
    taken = {other.line_id for other in order.lines}
    number = 1
    while True:
        ending = f"/{number}"
        found = line.line_id[: _LINE_ID_CHARACTERS_MAX - len(ending)] + ending
        if found not in taken:
            return found
        number += 1
