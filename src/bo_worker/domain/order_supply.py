"""Supply that is ordered for one order alone: what is made for it, or shipped to it by the supplier."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.facts import Procurement
from bo_worker.domain.identity import derive_id
from bo_worker.domain.kinds import PER_ORDER

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.cause import Cause
    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.stock import Product


class Need(NamedTuple):
    """Units that a line waits for, the one location that may serve it, and the day until which it expects them."""

    location: str | None
    quantity: int
    expected_to: date | None


class Loss(NamedTuple):
    """Units of one product that an order lost to a correction, by position, and how they are supplied."""

    cause: Cause
    order_id: str
    sku: str
    kind: str
    needs: dict[int, Need]


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
        account.own_supply += [(order.order_id, line.position) for line in lines]
        ask(account, account.product(sku), order.order_id, [_need(line, line.backordered) for line in lines])


def replace_lost(account: Account, order: Order, lost: Mapping[int, int]) -> None:
    """Note units that an order lost to a correction, by position of their lines, once per SKU."""
    needs: dict[str, dict[int, Need]] = {}
    for line in order.lines:
        if line.position in lost and has_own_supply(account.product(line.sku)):
            needs.setdefault(line.sku, {})[line.position] = _need(line, lost[line.position])
    for sku, found in needs.items():
        kind = _kind(account.product(sku))
        account.own_supply_lost.append(Loss(account.cause, order.order_id, sku, kind, found))


def ask_for_lost(account: Account, asked: Collection[tuple[str, int]]) -> None:
    """Ask purchasing for what was lost of lines (order id, position) that were asked for before.

    For all that the others wait for is still to be asked.
    """
    for cause, order_id, sku, kind, needs in account.own_supply_lost:
        found = [need for position, need in needs.items() if (order_id, position) in asked]
        if len(found) < len(needs):
            account.own_supply_due.add(sku)
        if found:
            account.cause = cause
            _ask(account, sku, kind, order_id, found)


def ask(account: Account, product: Product, order_id: str, needs: Sequence[Need]) -> None:
    """Ask purchasing for supply of one product for one order."""
    _ask(account, product.sku, _kind(product), order_id, needs)


def _ask(account: Account, sku: str, reason: str, order_id: str, needs: Sequence[Need]) -> None:
    places = {need.location for need in needs}
    account.publish(
        Procurement(
            derive_id("PR-", account.cause.name, order_id, sku, reason),
            "reorder",
            sku,
            places.pop() if len(places) == 1 else None,
            sum([need.quantity for need in needs]),
            1,
            min((need.expected_to for need in needs if need.expected_to), default=None),
            reason,
            order_id,
        )
    )


def _kind(product: Product) -> str:
    return product.policy.kind if product.policy else ""


def _need(line: OrderLine, quantity: int) -> Need:
    return Need(line.location, quantity, line.expected_to)
