"""A story in which orders and stock change after they came; builders of such changes and of what they bring about.

The journal is checked after every step: the counters of the account are its sums. A refusal must leave no trace.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from bo_worker.domain.account import Refusal
from bo_worker.domain.availability import availability, snapshot
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    CancelLine,
    CancelOrder,
    Command,
    DispatchLine,
    DispatchShipment,
    UpdatePolicy,
)
from bo_worker.domain.decide import decide
from bo_worker.domain.facts import NotificationLine, Revoke, ShippedNotification
from bo_worker.domain.identity import derive_id
from story import AT, CUSTOMER, Story, brings, told

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.commands import Backorder
    from bo_worker.domain.facts import Availability, Fact, FulfillmentLine, Notification
    from bo_worker.domain.stock import Product

Units = tuple[str, int] | tuple[str, int, str]

TOPICS: Final[dict[type, tuple[str, tuple[str, ...]]]] = {
    CancelOrder: ("order-cancelled", ("cancellation_id",)),
    AmendOrder: ("order-amended", ("amendment_id",)),
    AdjustInventory: ("inventory-adjusted", ("adjustment_id",)),
    DispatchShipment: ("shipment-dispatched", ("shipment_id",)),
    UpdatePolicy: ("product-policy-updated", ("sku", "version")),
}
# What an entry of the journal does to the counters of stock and to what waits.
ON_HAND: Final = {"received": 1, "adjusted": 1, "shipped": -1}
ALLOCATED: Final = {"claimed": 1, "filled": 1, "returned": -1, "lost": -1, "shipped": -1}
WAITING: Final = {"backordered": 1, "lost": 1, "filled": -1, "dropped": -1, "drop_shipped": -1}


class Changes(Story):
    """The account; `causes` names what brought about the facts of the last step, fact by fact."""

    causes: list[str]

    def stores(self, **quantities: int) -> None:
        """Put units of SKU-1 into locations, by name."""
        for location, quantity in quantities.items():
            self.receipt(f"first-{location}", brings(quantity), location=location)

    def hears(self, command: Command) -> list[Fact]:
        """Let a change happen; return its facts with blank ids."""
        cause = cause_of(command)
        assert decide(self.account, cause, command, repr(command).encode()) is None
        facts = self.facts_of(cause)
        assert set(self.causes) <= {cause.name}
        return facts

    def refuses(self, command: Command) -> Refusal:
        """Return why a change can't happen; nothing of the account may have changed."""
        before = picture(self.account)
        refusal = decide(self.account, cause_of(command), command, repr(command).encode())
        assert isinstance(refusal, Refusal)
        assert picture(self.account) == before
        return refusal

    def facts_of(self, cause: Cause) -> list[Fact]:
        """Take out the facts of a step; those of messages that waited for it have causes of their own."""
        facts = self.account.facts
        self.causes = [found.name for _, found in facts]
        facts[:] = [(fact, cause) for fact, _ in facts]
        check_journal(self.account)
        return super().facts_of(cause)


def check_journal(account: Account) -> None:
    """Assert that the counters of stock, and what waits for each product, are sums of the journal."""
    on_hand, allocated, waiting = Counter[Any](), Counter[Any](), Counter[Any]()
    for entry in account.journal:
        on_hand[entry.sku, entry.location] += ON_HAND.get(entry.change, 0) * entry.quantity
        allocated[entry.sku, entry.location] += ALLOCATED.get(entry.change, 0) * entry.quantity
        waiting[entry.sku] += WAITING.get(entry.change, 0) * entry.quantity
    stocks = [stock for product in account.products.values() for stock in product.stock.values()]
    assert on_hand == Counter({(stock.sku, stock.location): stock.on_hand for stock in stocks})
    assert allocated == Counter({(stock.sku, stock.location): stock.allocated for stock in stocks})
    assert waiting == Counter({product.sku: product.waiting for product in account.products.values()})


def picture(account: Account) -> list[Any]:
    """Everything that an account tells of orders and stock. A product of which nothing is known is none."""
    orders = [
        (
            (order.order_id, order.priority, order.ship_complete, order.need_by, dict(order.amended), line.position),
            (line.backordered, line.held, line.released, line.shipped, line.cancelled, line.rejected),
            [astuple(claim) for claim in line.claims],
        )
        for order in account.orders.values()
        for line in order.lines
    ]
    products = [
        (product.sku, product.waiting, product.policy, sorted(map(astuple, product.stock.values())))
        for product in account.products.values()
        if product.stock or product.waiting or product.policy
    ]
    counts = [len(account.facts), len(account.journal), len(account.early), len(account.refused)]
    return [orders, products, counts]


def shop_view(product: Product, today: date | None = None) -> Availability:
    """What a shop would be told of a product."""
    return availability(product, snapshot(product), today)


def cause_of(command: Command) -> Cause:
    """The message that brings a change."""
    topic, names = TOPICS[type(command)]
    return Cause(topic, "/".join(str(getattr(command, name)) for name in names))


def cancels(cancellation_id: str, order_id: str, *lines: tuple[str, int], reason: str | None = None) -> CancelOrder:
    """A cancellation of (line_id, quantity) of an order; without any, of the whole order."""
    asked = [CancelLine(line_id, quantity) for line_id, quantity in lines]
    return CancelOrder(cancellation_id, order_id, AT, reason, asked or None)


def amends(amendment_id: str, order_id: str, *, minute: int = 0, **changed: Any) -> AmendOrder:
    """An amendment of an order, made `minute` minutes after the story began."""
    return AmendOrder(amendment_id, order_id, AT + timedelta(minutes=minute), **changed)


def corrects(
    adjustment_id: str, delta: int, *, sku: str = "SKU-1", location: str = "WH1", reason: str = "miscount"
) -> AdjustInventory:
    """A correction of the count at a location."""
    return AdjustInventory(adjustment_id, sku, location, delta, reason, AT)


def dispatches(
    shipment_id: str, order_id: str, *lines: tuple[str, int] | tuple[str, int, str], **carriage: str
) -> DispatchShipment:
    """A shipment of (line_id, quantity, location) of an order; the location is WH1 where none is given."""
    left = [DispatchLine(line[0], line[2] if len(line) > 2 else "WH1", line[1]) for line in lines]
    return DispatchShipment(shipment_id, order_id, AT, left, **carriage)


def sets(
    version: int = 1, *, sku: str = "SKU-1", backorder: Backorder = "allow", kind: str = "standard", **optional: Any
) -> UpdatePolicy:
    """A version of a product's policy."""
    return UpdatePolicy(sku, version, AT, backorder, kind, **optional)


def revoke(
    order_id: str,
    *lines: FulfillmentLine,
    of: str,
    kind: Literal["ship", "cross_dock"] = "ship",
    location: str = "WH1",
    reason: str = "cancelled",
) -> Revoke:
    """An instruction to leave units here, which takes them back from the one that the cause `of` gave."""
    return Revoke("F-", order_id, location, reason, derive_id("F-", of, order_id, location, kind), list(lines))


def lost(order_id: str, *lines: FulfillmentLine, of: str, **optional: Any) -> Revoke:
    """The same where a correction has taken the units."""
    return revoke(order_id, *lines, of=of, reason="allocation_lost", **optional)


def cancelled(order_id: str, *lines: Units, reason: str | None = None) -> Notification:
    """The customer hears what was cancelled."""
    return told("order_cancelled", order_id, *lines, reason=reason)


def allocation_lost(order_id: str, *lines: Units) -> Notification:
    """The customer hears what will come later than it seemed."""
    return told("allocation_lost", order_id, *lines)


def shipped(shipment_id: str, order_id: str, *lines: Units, **carriage: str) -> ShippedNotification:
    """The customer hears what is on its way."""
    about = [NotificationLine(line[0], line[2] if len(line) > 2 else "SKU-1", line[1]) for line in lines]
    return ShippedNotification(
        "N-", "shipped", order_id, CUSTOMER, about, shipment_id=shipment_id, **dict[str, Any](carriage)
    )
