"""A purchase order in a new version: what it brings replaces what the older one was to bring."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from bo_worker.domain.account import refuse_version
from bo_worker.domain.estimate import put_off, set_days
from bo_worker.domain.stock import Late
from bo_worker.domain.supply import ENDED, Delivery, PurchaseOrder, SupplyLine

if TYPE_CHECKING:
    from bo_worker.domain.account import Account, Refusal
    from bo_worker.domain.commands import ReceiveInventory, UpdatePurchaseOrder


def update_purchase_order(account: Account, command: UpdatePurchaseOrder, digest: bytes) -> Refusal | None:
    """Set a purchase order if the version is newer than ours; nothing where it is older, or the same once more."""
    order = account.purchase_order(command.purchase_order_id)
    if command.version <= order.version:
        return refuse_version(order.purchase_order_id, (order.version, order.digest), (command.version, digest))
    before = {
        key: (line.expected_to, Late(line.key, line.location, line.incoming, line.promised_on))
        for key, line in order.lines.items()
        if line.incoming
    }
    skus = {line.sku for line in order.lines.values() if line.incoming}
    order.version, order.digest, order.status = command.version, digest, command.status
    order.supplier_id, order.location = command.supplier_id, command.location
    order.is_changed = True
    _set_lines(account, order, command)
    _take_orphans(order)
    for line in order.lines.values():
        if order.status in ENDED:
            _end(account, line)
        put_off(account, line)
        if line.sku in skus or line.incoming:
            account.product(line.sku).expect(line, account.cause)
    for key, (expected_to, late) in before.items():
        line = order.lines[key]
        if line.expected_to > expected_to and late.relied_on and line.promised_on > late.relied_on:
            _note_delay(account, line, late)
    return None


def _note_delay(account: Account, line: SupplyLine, late: Late) -> None:
    """Note the units that a supplier puts off: those that were to come before, and still are to."""
    if units := min(line.incoming, late.quantity):
        account.product(line.sku).lapsed.append(late._replace(quantity=units))


def _set_lines(account: Account, order: PurchaseOrder, command: UpdatePurchaseOrder) -> None:
    """Give every line what the version says of it; what came stays counted, also of lines that are gone."""
    for line in order.lines.values():
        line.quantity = 0
        line.status, line.supplier_id, line.location = order.status, order.supplier_id, order.location
        line.is_changed = True
    for asked in command.lines:
        line = order.line(asked.line_id, asked.sku)
        line.quantity += asked.quantity
        line.expected_from, line.expected_to = asked.expected_from, asked.expected_to
        set_days(account, line)
        line.is_overdue = not line.received and line.promised_on < account.today
        line.is_changed = True


def _take_orphans(order: PurchaseOrder) -> None:
    """Count what came without a line id before the lines were known."""
    for orphan in [line for (line_id, _), line in order.lines.items() if not line_id and line.received]:
        units, orphan.received = orphan.received, 0
        order.receive(None, orphan.sku, units, orphan.last_received_on or orphan.expected_to)


def receive_supply(account: Account, command: ReceiveInventory) -> None:
    """Count a receipt against the purchase order that it names; damaged units came too."""
    if command.purchase_order_id is None:
        return
    order = account.purchase_order(command.purchase_order_id)
    on = command.received_at.date()
    for line in command.lines:
        units = line.quantity + line.damaged_quantity
        for touched in order.receive(line.purchase_order_line_id, line.sku, units, on):
            if touched.quantity and not touched.open:
                _end(account, touched)
            put_off(account, touched)
            account.product(touched.sku).expect(touched, account.cause)


def _end(account: Account, line: SupplyLine) -> None:
    """Remember how late a line was, once its last units have come."""
    if line.quantity and line.received and line.last_received_on and line.due_on != date.max:
        account.deliveries[line.key] = Delivery(*line.key, line.supplier_id, line.due_on, line.last_received_on)
