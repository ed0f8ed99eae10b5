"""The waitlist: who hears, without an order, that a product can be had again. Being told reserves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.facts import BackInStock
from bo_worker.domain.identity import derive_id
from bo_worker.domain.stock import Waitlist

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import JoinWaitlist
    from bo_worker.domain.stock import Product


def join_waitlist(account: Account, command: JoinWaitlist) -> None:
    """Let a customer wait to hear of a product."""
    product = account.product(command.sku)
    if product.waitlist is None:
        product.waitlist = Waitlist()
    product.waitlist.is_asked = product.is_changed = True
    account.joined.append(command)


def follow_stock(product: Product) -> None:
    """Note, at the end of a transaction, whether the waitlist of a product begins a new round or is due."""
    waitlist = product.waitlist
    if waitlist is None:
        return
    free = product.free_units(ANY_LOCATION)
    if free and not waitlist.is_in_stock:
        waitlist.round += 1
        waitlist.told = 0
        waitlist.is_asked = True
    waitlist.is_in_stock = free > 0
    # Who was not told for want of units can only be told once there are more.
    asked = waitlist.is_due or waitlist.is_asked or free > waitlist.free_before
    waitlist.is_due = asked and free > waitlist.told


def units_to_tell(product: Product) -> int:
    """Return the units that are available now and of which nobody was told in this round."""
    if product.waitlist is None:
        return 0
    return max(0, product.free_units(ANY_LOCATION) - product.waitlist.told)


def whom_to_tell(entries: Iterable[JoinWaitlist], units: int) -> list[tuple[JoinWaitlist, int]]:
    """Return, of entries in order of joining, those who are told, and of how many of the free units each.

    Nobody is passed over: the last one is told though there may be fewer units than it asked for.
    """
    told = []
    for entry in entries:
        if units <= 0:
            break
        part = min(entry.quantity, units)
        units -= part
        told.append((entry, part))
    return told


def tell(account: Account, product: Product, entries: Iterable[JoinWaitlist]) -> list[tuple[JoinWaitlist, int]]:
    """Tell those whose turn it is, of entries in order of joining; return them, each with its part of the units."""
    told = whom_to_tell(entries, units_to_tell(product))
    for entry, part in told:
        notification_id = derive_id("N-", account.cause.name, entry.entry_id, "back_in_stock")
        account.publish(BackInStock(notification_id, entry.entry_id, entry.sku, entry.quantity, entry.customer))
        if product.waitlist is not None:
            product.waitlist.told += part
    return told
