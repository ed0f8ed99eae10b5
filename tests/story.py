"""An account in memory and what happens to it, step by step; builders of what a step asks for and brings about.

Every step is checked. Ids of facts are checked to be unlike any other and then blanked, so that whole facts can be
compared: `F-` stands for any id of an instruction, `N-` for any id of a notification.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import LineRequest, PlaceOrder, ReceiptLine, ReceiveInventory, UpdatePolicy
from bo_worker.domain.decide import decide
from bo_worker.domain.demand import rank_by_placed_at
from bo_worker.domain.facts import (
    Availability,
    BackInStock,
    CrossDock,
    CrossDockPlan,
    Fact,
    FulfillmentLine,
    Notification,
    NotificationLine,
    Procurement,
    PutAway,
    PutAwayLine,
    Revoke,
    Ship,
)
from bo_worker.domain.payment_request import PaymentRequest
from invariants import check_account, check_receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.domain.commands import Backorder, Command
    from bo_worker.domain.demand import OrderLine, Rank

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
CUSTOMER = {"customer_id": "C-7"}
BUCKETS = ("backordered", "held", "released", "shipped", "cancelled", "rejected")


class Story:
    """The account, and what has been told of it so far."""

    def __init__(self, rank: Callable[[OrderLine], Rank] = rank_by_placed_at) -> None:
        self.account = Account(rank)
        self._ids: set[str] = set()

    def order(self, order_id: str, *lines: LineRequest, minute: int = 0, **optional: Any) -> list[Fact]:
        """Place an order, `minute` minutes after the story began; return the facts."""
        placed_at = AT + timedelta(minutes=minute)
        command = PlaceOrder(order_id, placed_at, CUSTOMER, list(lines), **optional)
        return self.tell("order-created", order_id, command)

    def receipt(
        self, receipt_id: str, *lines: ReceiptLine, location: str = "WH1", dock_door: str | None = None
    ) -> list[Fact]:
        """Receive goods at a location; return the facts."""
        command = ReceiveInventory(receipt_id, location, AT, list(lines), dock_door=dock_door)
        facts = self.tell("inventory-received", receipt_id, command)
        check_receipt(command, facts)
        return facts

    def policy(self, sku: str = "SKU-1", *, backorder: Backorder = "allow", **optional: Any) -> None:
        """Let a policy hold for a product from now on."""
        self.account.product(sku).policy = UpdatePolicy(sku, 1, AT, backorder, "standard", **optional)

    def tell(self, topic: str, natural_id: str, command: Command) -> list[Fact]:
        """Let a command happen; return its facts with blank ids."""
        cause = Cause(topic, natural_id)
        assert decide(self.account, cause, command, b"digest") is None
        return self.facts_of(cause)

    def facts_of(self, cause: Cause) -> list[Fact]:
        """Take out the facts that a cause brought about, with blank ids; check the account."""
        assert all(found == cause for _, found in self.account.facts)
        facts = [self._blanked(fact) for fact, _ in self.account.facts]
        self.account.facts.clear()
        check_account(self.account)
        return facts

    def buckets(self, order_id: str) -> list[dict[str, int]]:
        """The buckets of each line of an order that are not empty."""
        return [
            {name: getattr(line, name) for name in BUCKETS if getattr(line, name)}
            for line in self.account.orders[order_id].lines
        ]

    def claims(self, order_id: str) -> list[list[tuple[str, int]]]:
        """The locations and units of the claims of each line of an order."""
        return [
            [(claim.location, claim.held + claim.released) for claim in line.claims]
            for line in self.account.orders[order_id].lines
        ]

    def stock(self, sku: str = "SKU-1") -> dict[str, tuple[int, int]]:
        """Units on hand and allocated of a product, by location."""
        return {
            stock.location: (stock.on_hand, stock.allocated) for stock in self.account.product(sku).stock.values()
        }

    def _blanked(self, fact: Fact) -> Fact:
        match fact:
            case Ship() | CrossDock() | PutAway() | Revoke() | CrossDockPlan():
                return replace(fact, fulfillment_id=self._noted(fact.fulfillment_id, "F-"))
            case Notification() | BackInStock():
                return replace(fact, notification_id=self._noted(fact.notification_id, "N-"))
            case Procurement():
                return replace(fact, procurement_id=self._noted(fact.procurement_id, "PR-"))
            case PaymentRequest():
                return replace(fact, payment_request_id=self._noted(fact.payment_request_id, "PM-"))
            case Availability():
                return fact

    def _noted(self, found: str, prefix: str) -> str:
        assert found.startswith(prefix)
        assert found not in self._ids
        self._ids.add(found)
        return prefix


def wants(
    quantity: int,
    line_id: str = "1",
    sku: str = "SKU-1",
    *,
    at: str | None = None,
    backorder: Backorder | None = None,
) -> LineRequest:
    """A line of a new order, pinned to a location by `at`."""
    return LineRequest(line_id, sku, quantity, at, backorder)


def brings(
    quantity: int, line_id: str = "1", sku: str = "SKU-1", *, lot: str | None = None, damaged: int = 0
) -> ReceiptLine:
    """A line of a receipt."""
    return ReceiptLine(line_id, sku, quantity, damaged, lot)


def part(quantity: int, line_id: str = "1", sku: str = "SKU-1", *, lot: str | None = None) -> FulfillmentLine:
    """Units of an order line in an instruction."""
    return FulfillmentLine(line_id, sku, quantity, lot)


def ship(order_id: str, *lines: FulfillmentLine, completes: bool, location: str = "WH1", priority: int = 0) -> Ship:
    """An instruction to pick from storage."""
    return Ship("F-", order_id, location, priority, list(lines), completes)


def cross_dock(
    order_id: str,
    receipt_id: str,
    *lines: FulfillmentLine,
    completes: bool,
    location: str = "WH1",
    dock_door: str | None = None,
    priority: int = 0,
) -> CrossDock:
    """An instruction to move from the dock to the outbound door."""
    return CrossDock("F-", order_id, location, priority, receipt_id, dock_door, list(lines), completes)


def put_away(receipt_id: str, *lines: PutAwayLine, location: str = "WH1", dock_door: str | None = None) -> PutAway:
    """An instruction to store."""
    return PutAway("F-", receipt_id, location, dock_door, list(lines))


def stored(quantity: int, sku: str = "SKU-1", *, lot: str | None = None) -> PutAwayLine:
    """Units in an instruction to store."""
    return PutAwayLine(sku, quantity, lot)


def told(
    kind: str,
    order_id: str,
    *lines: tuple[str, int] | tuple[str, int, str],
    completes: bool | None = None,
    reason: str | None = None,
) -> Notification:
    """A notification about (line_id, quantity, SKU) of an order; the SKU is SKU-1 where none is given."""
    about = [NotificationLine(line[0], line[2] if len(line) > 2 else "SKU-1", line[1]) for line in lines]
    return Notification("N-", kind, order_id, CUSTOMER, about, completes, reason)


def confirmed(order_id: str, *lines: tuple[str, int] | tuple[str, int, str]) -> Notification:
    """The customer hears that nothing waits."""
    return told("order_confirmed", order_id, *lines)


def backordered(
    order_id: str, *lines: tuple[str, int] | tuple[str, int, str], reason: str | None = None
) -> Notification:
    """The customer hears what waits, and why the rest does not leave before it."""
    return told("order_backordered", order_id, *lines, reason=reason)


def rejected(order_id: str, *lines: tuple[str, int] | tuple[str, int, str], reason: str) -> Notification:
    """The customer hears what is not taken on."""
    return told("order_rejected", order_id, *lines, reason=reason)


def filled(order_id: str, *lines: tuple[str, int] | tuple[str, int, str], completes: bool) -> Notification:
    """The customer hears what of a backorder leaves."""
    return told("backorder_filled", order_id, *lines, completes=completes)
