"""Goods arrive: usable units become stock; damaged ones never do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.arrival import arrivals_of
from bo_worker.domain.settle import Effect
from bo_worker.domain.update_purchase_order import receive_supply

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import ReceiveInventory


def receive_inventory(account: Account, command: ReceiveInventory) -> Effect:
    """Put what arrived on hand; the dock serves the queue before anybody else sees it."""
    effect = Effect(arrivals=arrivals_of(account, command))
    for line in command.lines:
        if line.quantity:
            product = account.product(line.sku)
            product.is_changed = True
            stock = product.stock_at(command.location)
            stock.on_hand += line.quantity
            account.note("received", line.quantity, line.sku, command.location)
            stock.is_changed = True
            product.note_free(stock, line.quantity)
            effect.touch(line.sku, command.location)
    receive_supply(account, command)
    return effect
