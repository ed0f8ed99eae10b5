"""A new policy of a product: it holds from now on; claims that were made stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import refuse_version
from bo_worker.domain.kinds import PER_ORDER, goes_by_word, turn
from bo_worker.domain.order_supply import has_own_supply
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account, Refusal
    from bo_worker.domain.commands import UpdatePolicy


def update_policy(account: Account, command: UpdatePolicy, digest: bytes) -> Effect | Refusal | None:
    """Set the policy if it is newer than ours; None where it is older, or the same once more."""
    product = account.product(command.sku)
    held = product.policy
    if held is not None and command.version <= held.version:
        known = (held.version, product.policy_digest)
        return refuse_version(f"the policy of {command.sku}", known, (command.version, digest))
    safety_stock = product.safety_stock
    product.policy, product.policy_digest = command, digest
    was_closed = product.is_closed
    if product.waiting and has_own_supply(product) and not (held and held.kind in PER_ORDER):
        account.own_supply_due.add(command.sku)
    turn(product, account.today)
    if held is None or _days_of(held) != _days_of(command):
        product.are_promises_due |= product.waiting > 0
    if goes_by_word(held) != goes_by_word(command):
        account.doubted.update([line.supplier_id for line in product.supply.values()])
    product.touched_by = account.cause
    product.disturb()
    effect = Effect()
    if product.safety_stock < safety_stock or (was_closed and not product.is_closed):
        for location in sorted(product.stock):
            effect.touch(command.sku, location)
    return effect


def _days_of(policy: UpdatePolicy) -> tuple[object, ...]:
    """Return what of a policy says for which days lines can be promised."""
    return policy.kind, policy.release_on, policy.season_ends_on, policy.lead_time_days
