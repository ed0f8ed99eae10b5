"""From claims to warehouse instructions: what of an order may leave, in few instructions (R9, R12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.authorize import is_held_back
from bo_worker.domain.consolidation import end_hold, keep_together
from bo_worker.domain.facts import CrossDock, FulfillmentLine, NotificationLine, Ship
from bo_worker.domain.identity import derive_id

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.arrival import Arrivals
    from bo_worker.domain.demand import Claim, Order, OrderLine

SHIP = "ship"
CROSS_DOCK = "cross_dock"
Held = tuple["OrderLine", "Claim"]


def release(
    account: Account, order: Order, arrivals: Arrivals | None = None, *, at_once: bool = False
) -> list[NotificationLine]:
    """Release every held claim of an order that may leave.

    It may not while it waits and is ship-complete, while more of it comes soon, or while its money is not there. That
    of what an order can have `at_once`, when it is placed, counts as there.

    Publishes one instruction per location and kind: `cross_dock` for units that `arrivals` brought, `ship`
    for all others. Returns the units released per line, empty where nothing may leave.
    """
    is_waiting = order.is_waiting()
    if is_waiting and (order.ship_complete or keep_together(account, order)):
        return []
    if order.payment is not None and is_held_back(account, order, at_once=at_once):
        return []
    if order.hold_until is not None:
        end_hold(order)
    limited = arrivals is not None and not account.terms.dock.let_all_leave
    docked = _docked(account, order, arrivals) if arrivals is not None and limited else frozenset()
    groups: dict[tuple[str, str], list[Held]] = {}
    released: list[NotificationLine] = []
    for line in order.lines:
        if line.held:
            released.append(NotificationLine(line.line_id, line.sku, line.held))
            _group(line, groups, arrivals if not limited or line.position in docked else None)
            line.released += line.held
            line.held = 0
            line.is_changed = True
    for location, kind in sorted(groups) if len(groups) > 1 else groups:
        _instruct(
            account,
            order,
            groups[location, kind],
            arrivals if kind == CROSS_DOCK else None,
            completes=not is_waiting,
        )
    return released


def _docked(account: Account, order: Order, arrivals: Arrivals) -> frozenset[int]:
    """Return the positions of the lines whose units may leave from the dock; count the order if there are any."""
    terms = account.terms.dock
    units = {
        line.position: sum(claim.held for claim in line.claims if claim.receipt_id == arrivals.receipt_id)
        for line in order.lines
        if line.held
    }
    waiting = {line.position: line.backordered for line in order.lines}
    docked = frozenset(
        position
        for position, quantity in units.items()
        if quantity and terms.fits_share(quantity, quantity + waiting[position])
    )
    if not docked or not terms.fits_hours(order.need_by, arrivals.received_at):
        return frozenset()
    if terms.orders_max and arrivals.orders >= terms.orders_max:
        return frozenset()
    arrivals.orders += 1
    return docked


def _group(line: OrderLine, groups: dict[tuple[str, str], list[Held]], arrivals: Arrivals | None) -> None:
    """Sort the held claims of a line by the instruction that will carry them."""
    for claim in line.claims:
        if claim.held:
            docked = arrivals is not None and claim.receipt_id == arrivals.receipt_id
            key = (claim.location, CROSS_DOCK if docked else SHIP)
            group = groups.get(key)
            if group is None:
                group = groups[key] = []
            group.append((line, claim))


def _instruct(
    account: Account, order: Order, held: list[Held], arrivals: Arrivals | None, *, completes: bool
) -> None:
    """Publish the instruction for claims of one location, from the dock where `arrivals` brought them."""
    location = held[0][1].location
    fulfillment_id = derive_id("F-", account.cause.name, order.order_id, location, CROSS_DOCK if arrivals else SHIP)
    lines = _release_claims(account, fulfillment_id, held, arrivals)
    if arrivals is None:
        account.publish(Ship(fulfillment_id, order.order_id, location, order.priority, lines, completes))
        return
    account.publish(
        CrossDock(
            fulfillment_id,
            order.order_id,
            location,
            order.priority,
            arrivals.receipt_id,
            arrivals.dock_door,
            lines,
            completes,
        )
    )


def _release_claims(
    account: Account, fulfillment_id: str, held: list[Held], arrivals: Arrivals | None
) -> list[FulfillmentLine]:
    """Turn held claims into released ones; return the instruction's lines, one per order line and lot."""
    lines: dict[tuple[int, str | None], FulfillmentLine] = {}
    for line, claim in held:
        quantity, claim.held = claim.held, 0
        claim.released += quantity
        claim.fulfillment_id = fulfillment_id
        claim.pending_cause = None
        claim.is_changed = True
        if arrivals is not None:
            claim.lot = arrivals.dock(claim.receipt_line, quantity)
        entry = claim.entry
        if entry is None or entry.cause != account.cause.name:
            entry = account.note("released", quantity, line.sku, claim.location, line)
        entry.fulfillment_id = fulfillment_id
        entry.via = CROSS_DOCK if arrivals else SHIP
        found = lines.get((line.position, claim.lot))
        if found is None:
            lines[line.position, claim.lot] = FulfillmentLine(line.line_id, line.sku, quantity, claim.lot)
        else:
            found.quantity += quantity
    return list(lines.values())
