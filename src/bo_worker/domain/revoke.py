"""Taking back units of instructions that were published: one revocation per instruction that loses units."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.facts import FulfillmentLine, Revoke
from bo_worker.domain.identity import derive_id

if TYPE_CHECKING:
    from bo_worker.domain.account import Account
    from bo_worker.domain.demand import Claim, Order, OrderLine


@dataclass(slots=True, eq=False)
class Revocations:
    """The units that instructions of one order lose, by instruction and its location."""

    lines: dict[tuple[str, str], dict[tuple[int, str | None], FulfillmentLine]] = field(default_factory=dict)

    def add(self, line: OrderLine, claim: Claim, quantity: int) -> None:
        """Note that the instruction of a released claim loses units."""
        lost = self.lines.setdefault((claim.fulfillment_id or "", claim.location), {})
        found = lost.get((line.position, claim.lot))
        if found is None:
            lost[line.position, claim.lot] = FulfillmentLine(line.line_id, line.sku, quantity, claim.lot)
        else:
            found.quantity += quantity

    def publish(self, account: Account, order: Order, reason: str) -> None:
        """Publish them, in the order of locations."""
        for (revoked_id, location), lines in sorted(self.lines.items(), key=lambda item: item[0][::-1]):
            fulfillment_id = derive_id("F-", account.cause.name, "revoke", revoked_id)
            ordered = [lines[key] for key in sorted(lines, key=lambda key: (key[0], key[1] or ""))]
            account.publish(Revoke(fulfillment_id, order.order_id, location, reason, revoked_id, ordered))
