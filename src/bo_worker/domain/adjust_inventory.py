"""A correction of the count: found units are offered to the queue; where too few are left, claims give way (R6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.missing import ClaimsExhaustedError
from bo_worker.domain.revoke import Revocations
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import AdjustInventory
    from bo_worker.domain.demand import Claim, OrderLine, Rank
    from bo_worker.domain.stock import Product, Stock


def adjust_inventory(account: Account, command: AdjustInventory) -> Effect | Refusal:
    """Set right what is on hand. The physical truth is never refused, unless it is below zero."""
    product = account.product(command.sku)
    stock = product.stock.get(command.location)
    on_hand = stock.on_hand if stock else 0
    if on_hand + command.quantity_delta < 0:
        return Refusal(
            "below_zero",
            f"{command.sku} at {command.location}: {on_hand} on hand, "
            f"a correction by {command.quantity_delta} would leave {on_hand + command.quantity_delta}",
        )
    stock = product.stock_at(command.location)
    stock.on_hand += command.quantity_delta
    stock.is_changed = product.is_changed = True
    product.note_free(stock, command.quantity_delta)
    account.note("adjusted", command.quantity_delta, command.sku, command.location)
    effect = Effect()
    if stock.allocated > stock.on_hand:
        _take_claims(account, product, stock, effect)
        # Who lost units waits again, and may be served from elsewhere.
        effect.locations[command.sku] = []
    elif command.quantity_delta > 0:
        effect.touch(command.sku, command.location)
    return effect


def _take_claims(account: Account, product: Product, stock: Stock, effect: Effect) -> None:
    """Take claims, held before released, lowest rank first, until what is allocated is on hand again."""
    revocations: dict[str, Revocations] = {}
    for order_of_loss, line, claim in _candidates(account, product, stock.location):
        deficit = stock.allocated - stock.on_hand
        if not deficit:
            break
        _require_loaded(product, stock.location, order_of_loss)
        _lose(account, line, claim, stock, min(deficit, claim.held or claim.released), effect, revocations)
    if stock.allocated > stock.on_hand:
        raise ClaimsExhaustedError(product.sku, stock.location)
    for order_id, revoked in revocations.items():
        revoked.publish(account, account.orders[order_id], "allocation_lost")


def _candidates(
    account: Account, product: Product, location: str
) -> list[tuple[tuple[bool, Rank], OrderLine, Claim]]:
    """Return the claims at a location in the order in which they give way."""
    found = [
        ((claim.held > 0, account.rank(line)), claim.number, line, claim)
        for line in product.holders.values()
        for claim in line.claims
        if claim.location == location and (claim.held or claim.released)
    ]
    found.sort(key=lambda entry: entry[:2], reverse=True)
    return [(order_of_loss, line, claim) for order_of_loss, _, line, claim in found]


def _require_loaded(product: Product, location: str, order_of_loss: tuple[bool, Rank]) -> None:
    """Make sure that no claim that was not loaded has to give way before this one."""
    if product.stock[location].is_new:
        return
    if location not in product.claims_tail:
        raise ClaimsExhaustedError(product.sku, location)
    tail = product.claims_tail[location]
    if tail is not None and order_of_loss < tail:
        raise ClaimsExhaustedError(product.sku, location)


def _lose(
    account: Account,
    line: OrderLine,
    claim: Claim,
    stock: Stock,
    quantity: int,
    effect: Effect,
    revocations: dict[str, Revocations],
) -> None:
    """Take units of one claim; its line waits for them again, at its old rank."""
    lost = effect.lost.setdefault((line.order.order_id, line.position), [line.backordered, 0])
    if claim.held:
        claim.held -= quantity
        line.held -= quantity
    else:
        claim.released -= quantity
        line.released -= quantity
        lost[1] += quantity
        revocations.setdefault(line.order.order_id, Revocations()).add(line, claim, quantity)
    claim.is_changed = line.is_changed = True
    stock.allocated -= quantity
    product = account.product(line.sku)
    product.waiting += quantity
    product.doubt_promises()  # The line still has the day from when it waited before.
    line.backordered += quantity
    account.enqueue(product, line)
    account.note("lost", quantity, line.sku, stock.location, line).fulfillment_id = claim.fulfillment_id
