"""A new policy of a product: it holds from now on; claims that were made stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.settle import Effect

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import UpdatePolicy


def update_policy(account: Account, command: UpdatePolicy, digest: bytes) -> Effect | Refusal | None:
    """Set the policy if it is newer than ours; None where it is older, or the same once more."""
    product = account.product(command.sku)
    held = product.policy
    if held is not None and command.version <= held.version:
        if command.version == held.version and digest != product.policy_digest:
            reason = (
                f"version {command.version} of the policy of {command.sku} was received before with other content"
            )
            return Refusal("conflict", reason)
        return None
    safety_stock = product.safety_stock
    product.policy, product.policy_digest = command, digest
    product.is_changed = product.is_policy_changed = True
    product.touched_by = account.cause
    product.disturb()
    effect = Effect()
    if product.safety_stock < safety_stock:
        for location in sorted(product.stock):
            effect.touch(command.sku, location)
    return effect
