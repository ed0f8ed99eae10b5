"""What purchasing is told: when to order, what to hurry, and which demand found nothing to wait for.

Everything is told once per product, reason and transaction, at its end, of how things are by then.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from bo_worker.domain.closing import plan_review
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.facts import Procurement
from bo_worker.domain.identity import derive_id
from bo_worker.domain.kinds import ENDED
from bo_worker.domain.stock import Demand
from bo_worker.domain.supply import incoming

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.facts import ProcurementKind
    from bo_worker.domain.stock import Late, Product

UNPROMISED: Final = "unpromised"
# Such supply comes into being with each order: there is nothing to hurry.
_MADE_FOR_ORDERS: Final = frozenset({"made_to_order", "drop_ship"})
# Purchasing hears again of a gap that has grown so many times since it was told.
_GROWTH: Final = 2


def count_demand(product: Product, reason: str, order_id: str, quantity: int) -> None:
    """Count units of an order that were denied, or wait without a promise."""
    if product.demand is None:
        product.demand = {}
    demand = product.demand.setdefault(reason, Demand())
    demand.quantity += quantity
    demand.order_ids.add(order_id)


def tell_purchasing(
    account: Account, product: Product, waiting: Mapping[str, int], *, switched: bool
) -> list[Procurement]:
    """Return what purchasing must hear of a product that changed; it counts as told.

    `waiting` are the units that wait by pin, needed where supply of the product was late. `switched` says that its
    backorders were closed or opened. How many orders wait, and what is needed when, is not filled in: only who has
    stored the orders of this transaction can say. While a large change is at work, what is there and what waits are
    not compared: units that came are still to be given out.
    """
    told = []
    policy = product.policy
    if policy is not None:
        told += [] if product.is_reserved else _reorder(product)
        if policy.reorder_point is None and product.reorder_told:
            _set_reorder_told(product, told=False)
        if product.is_policy_changed and product.closed_reason is not None:
            product.review_on = account.today
            product.note_purchasing()
        plan_review(product, account.today)
    told += [] if product.is_reserved else _expedite(product)
    if quantity := min(product.waiting, sum([_relied_on(product, waiting, late) for late in product.lapsed])):
        told.append(_at_risk(product, quantity, waiting, account.today))
    if switched:
        reason = f"closed_{product.closed_reason}" if product.closed_reason else "opened"
        told.append(_message("demand_signal", product, max(1, product.waiting), reason))
    return told


def demand_signals(product: Product) -> list[Procurement]:
    """Return what was asked for in vain. Of products that nobody ever described or ordered, nothing is told."""
    if product.demand is None or (product.is_new and product.policy is None and not product.supply):
        return []
    told = []
    for reason, demand in sorted(product.demand.items()):
        told.append(_message("demand_signal", product, demand.quantity, reason))
        told[-1].orders_waiting = len(demand.order_ids)
    product.demand = None
    return told


def name(account: Account, product: Product, message: Procurement) -> None:
    """Publish a message, its id derived from the last cause that touched the product."""
    if product.touched_by is not None:
        account.cause = product.touched_by
    message.procurement_id = derive_id("PR-", account.cause.name, message.kind, message.reason, message.sku)
    account.publish(message)


def _reorder(product: Product) -> list[Procurement]:
    """Ask for more at the reorder point, once until there is more again. What is sold no more is not bought."""
    policy = product.policy
    if policy is None or policy.reorder_point is None:
        return []
    # What lies there until its season begins is there, though nobody may have it yet.
    unclaimed = sum([max(0, one.on_hand - one.allocated - product.safety_stock) for one in product.stock.values()])
    position = unclaimed + incoming(product.supply.values()) - product.waiting
    is_low = position <= policy.reorder_point and not policy.discontinued and product.phase != ENDED
    if is_low == product.reorder_told:
        return []
    _set_reorder_told(product, told=is_low)
    if not is_low:
        return []
    missing = policy.reorder_point + 1 - position
    # As it is told once, what is asked for must be enough: so many times the usual quantity.
    size = policy.reorder_quantity or missing
    return [_message("reorder", product, size * -(-missing // size), "reorder_point")]


def _set_reorder_told(product: Product, *, told: bool) -> None:
    product.reorder_told = told
    product.note_purchasing()


def _expedite(product: Product) -> list[Procurement]:
    """Ask for speed when more waits than is on its way, and again when the gap has grown a lot."""
    gap = product.waiting
    if gap and product.supply:
        gap -= incoming(product.supply.values())
    if gap and (product.phase == ENDED or (product.policy and product.policy.kind in _MADE_FOR_ORDERS)):
        gap = 0
    if gap <= 0:
        if product.expedite_told:
            product.expedite_told = 0
            product.note_purchasing()
        return []
    if product.expedite_told and gap < _GROWTH * product.expedite_told:
        return []
    product.expedite_told = gap
    product.note_purchasing()
    return [_message("expedite", product, gap, "backorders_exceed_supply")]


def _relied_on(product: Product, waiting: Mapping[str, int], late: Late) -> int:
    """Return the units of late supply that lines, by pin, wait for: what earlier supply does not cover."""
    here, anywhere = waiting.get(late.location, 0), waiting.get(ANY_LOCATION, 0)
    if late.relied_on is not None:
        earlier: Counter[str] = Counter()
        for line in product.supply.values():
            if line.key != late.key and line.promised_on <= late.relied_on:
                earlier[line.location] += line.incoming
        here -= earlier.pop(late.location, 0)
        # What comes elsewhere is for those first who wait there.
        anywhere -= sum([max(0, units - waiting.get(place, 0)) for place, units in earlier.items()])
    return max(0, min(late.quantity, here + max(0, anywhere)))


def _at_risk(product: Product, quantity: int, waiting: Mapping[str, int], today: date) -> Procurement:
    """Tell of supply that is overdue or put off, and what it would change if it came today."""
    places = {late.location for late in product.lapsed}
    message = _message("expedite", product, quantity, "promise_at_risk")
    brought = 0
    for line in sorted(product.supply.values(), key=lambda line: line.promised_on):
        if line.location in places or waiting.get(ANY_LOCATION):
            brought += line.incoming
        if brought >= quantity:
            message.days_gained = max(0, (line.promised_on - today).days)
            break
    return message


def _message(kind: ProcurementKind, product: Product, quantity: int, reason: str) -> Procurement:
    return Procurement("", kind, product.sku, None, quantity, 0, None, reason)
