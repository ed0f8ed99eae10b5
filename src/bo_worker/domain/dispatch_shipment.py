"""Goods leave the building: stock and claims go down together, and the customer gets the tracking."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.demand import Claim
from bo_worker.domain.facts import NotificationLine, ShippedNotification
from bo_worker.domain.identity import derive_id
from bo_worker.domain.kinds import DROP_SHIP
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import DispatchShipment
    from bo_worker.domain.demand import Order, OrderLine


def dispatch_shipment(account: Account, order: Order, command: DispatchShipment) -> Effect | Refusal | None:
    """Ship released units; a shipment of anything else is refused as a whole (R5).

    What a supplier ships to the customer itself was never released: it waited until it left.
    """
    lines = {line.line_id: line for line in order.lines}
    asked: dict[tuple[str, str], int] = {}
    for leaving in command.lines:
        place = (leaving.line_id, leaving.location)
        asked[place] = asked.get(place, 0) + leaving.quantity
    direct: dict[str, int] = {}
    for (line_id, location), quantity in asked.items():
        refusal = _check(account, order, lines.get(line_id), (line_id, location, quantity), direct)
        if refusal is not None:
            return refusal
    followed = _followed(order, asked)
    for (line_id, location), quantity in asked.items():
        line = lines[line_id]
        stored = min(quantity, _released(line, location))
        if stored:
            _ship(account, line, location, stored, followed)
        if quantity > stored:
            _ship_direct(account, line, location, quantity - stored)
    _tell(account, order, command, lines)
    # What was waited for may have left now: a ship-complete order may follow.
    return Effect(orders={order.order_id: None}) if direct else None


def _check(
    account: Account, order: Order, line: OrderLine | None, asked: tuple[str, str, int], direct: dict[str, int]
) -> Refusal | None:
    """Say why units may not leave; count in `direct`, by line, those that a supplier ships itself."""
    line_id, location, quantity = asked
    if line is None:
        return Refusal("unknown_line", f"order {order.order_id} has no line {line_id}")
    released = _released(line, location)
    if quantity <= released:
        return None
    if account.product(line.sku).phase == DROP_SHIP:
        direct[line_id] = direct.get(line_id, 0) + quantity - released
        if direct[line_id] <= line.backordered:
            return None
    return Refusal(
        "not_released",
        f"{quantity} units of line {line_id} of order {order.order_id} left {location}, "
        f"but {released} are released there",
    )


def _released(line: OrderLine, location: str) -> int:
    return sum(claim.released for claim in line.claims if claim.location == location)


def _followed(order: Order, asked: dict[tuple[str, str], int]) -> str | None:
    """Return the oldest instruction of which just these units are left; None if there is none.

    A shipment does not name its instruction. To revoke units later, it is to be known which one they are still of.
    """
    left: dict[str | None, dict[tuple[str, str], int]] = {}
    for line in order.lines:
        for claim in line.claims:
            if claim.released:
                units = left.setdefault(claim.fulfillment_id, {})
                place = (line.line_id, claim.location)
                units[place] = units.get(place, 0) + claim.released
    return next((fulfillment_id for fulfillment_id, units in left.items() if units == asked), None)


def _ship_direct(account: Account, line: OrderLine, location: str, quantity: int) -> None:
    """Let waiting units leave from a supplier's own place: no stock is touched."""
    product = account.product(line.sku)
    product.waiting -= quantity
    product.is_changed = True
    product.disturb()
    line.backordered -= quantity
    line.shipped += quantity
    line.is_changed = True
    line.claim_count += 1
    line.claims.append(Claim(line.claim_count, location, 0, shipped=quantity))
    account.note("drop_shipped", quantity, line.sku, line=line)
    if line.is_promised and not line.backordered:
        account.end_promise(line, kept=True)


def _ship(account: Account, line: OrderLine, location: str, quantity: int, followed: str | None) -> None:
    """Take released units off the claims of an instruction, else off the oldest, and off allocated and on hand."""
    product = account.product(line.sku)
    product.is_changed = True
    stock = product.stock_at(location)
    stock.on_hand -= quantity
    stock.allocated -= quantity
    stock.is_changed = True
    line.released -= quantity
    line.shipped += quantity
    line.is_changed = True
    for claim in line.claims:
        is_meant = claim.location == location and followed in (None, claim.fulfillment_id)
        part = min(quantity, claim.released) if is_meant else 0
        if part:
            claim.released -= part
            claim.shipped += part
            claim.is_changed = True
            quantity -= part
            account.note("shipped", part, line.sku, location, line).fulfillment_id = claim.fulfillment_id


def _tell(account: Account, order: Order, command: DispatchShipment, lines: dict[str, OrderLine]) -> None:
    """Tell the customer what is on its way, per line, and how to follow it."""
    units: dict[str, int] = {}
    for leaving in command.lines:
        units[leaving.line_id] = units.get(leaving.line_id, 0) + leaving.quantity
    shipped = [NotificationLine(line_id, lines[line_id].sku, quantity) for line_id, quantity in units.items()]
    account.publish(
        ShippedNotification(
            derive_id("N-", account.cause.name, order.order_id, "shipped"),
            "shipped",
            order.order_id,
            order.customer,
            shipped,
            shipment_id=command.shipment_id,
            carrier=command.carrier,
            tracking_number=command.tracking_number,
            tracking_url=command.tracking_url,
        )
    )
