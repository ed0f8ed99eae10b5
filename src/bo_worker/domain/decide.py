"""One command against the account: the only door to the core."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.account import Refusal
from bo_worker.domain.commands import PlaceOrder, ReceiveInventory
from bo_worker.domain.place_order import place_order
from bo_worker.domain.receive_inventory import receive_inventory
from bo_worker.domain.settle import Effect, settle

if TYPE_CHECKING:
    from bo_worker.domain.account import Account, Cause
    from bo_worker.domain.commands import Command

NOTHING = Effect()


def change(account: Account, cause: Cause, command: Command, digest: bytes) -> Effect | Refusal:
    """Apply a command but serve no queue yet; return what is left to settle, or why it can't be applied."""
    match command:
        case PlaceOrder():
            place_order(account, cause, command, digest)
            return NOTHING
        case ReceiveInventory():
            return receive_inventory(account, command)
        case _:
            return Refusal("unsupported", "this topic is not served yet")


def decide(account: Account, cause: Cause, command: Command, digest: bytes) -> Refusal | None:
    """Apply a command and settle what follows from it; a refusal leaves the account as it was."""
    effect = change(account, cause, command, digest)
    if isinstance(effect, Refusal):
        return effect
    if effect is not NOTHING:
        settle(account, cause, effect)
    return None
