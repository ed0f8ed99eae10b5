"""The contract in its plainest form, to compare the worker with: slow, obvious, and nothing counted along.

Written from the contract alone; it shares no code with the worker. It takes the data of inputs as they stand on the
wire and returns the data of the outputs, with blank ids. What it needs to know, it works out anew from what it was
told: units on hand from what came and went, what is allocated from the claims, the queue from the lines that wait.
What changes after it came (cancellations, corrections and the like) is in model_changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import shapes

Data = dict[str, Any]
Event = tuple[str, str, Data]
"""Topic, message key, data."""

NATURAL_IDS = {
    "order-created": "order_id",
    "inventory-received": "receipt_id",
    "order-cancelled": "cancellation_id",
    "order-amended": "amendment_id",
    "inventory-adjusted": "adjustment_id",
    "shipment-dispatched": "shipment_id",
}
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(eq=False)
class Claim:
    """Units of a location that belong to a line; `source` names the receipt line on whose dock they were claimed.

    `instruction` stands for the message that released them.
    """

    location: str
    quantity: int
    source: tuple[str, str] | None = None
    lot: str | None = None
    is_released: bool = False
    instruction: tuple[Any, ...] = ()


@dataclass(eq=False)
class Line:
    """A line of an order: what was asked, and what became of it."""

    order: Data
    position: int
    asked: Data
    backordered: int
    rejected: int = 0
    cancelled: int = 0
    shipped: int = 0
    claims: list[Claim] = field(default_factory=list)

    @property
    def held(self) -> int:
        return sum(claim.quantity for claim in self.claims if not claim.is_released)

    @property
    def released(self) -> int:
        return sum(claim.quantity for claim in self.claims if claim.is_released)


class Model:
    """Everything that was told, and what follows from it."""

    def __init__(self, rank_by: str = "placed_at") -> None:
        self.rank_by = rank_by
        self.known: dict[tuple[str, str], Data] = {}
        self.moves: list[tuple[str, str, int]] = []
        self.lines: list[Line] = []
        self.policies: dict[str, Data] = {}
        self.events: list[Event] = []
        self.step = 0

    def tell(self, topic: str, data: Data) -> list[Event]:
        """Let an input happen; return the outputs. A duplicate has none, a conflict only a dead letter."""
        self.events = []
        name = (topic, data[NATURAL_IDS[topic]])
        if name in self.known:
            if self.known[name] != data:
                self.events.append((f"{topic}.dlq", name[1], {"error": "conflict"}))
            return self.events
        error = self.happen(topic, data)
        if error:
            self.events = [(f"{topic}.dlq", name[1], {"error": error})]
        else:
            self.known[name] = data
        return self.events

    def happen(self, topic: str, data: Data) -> str | None:
        """Apply an input; return why it can't be."""
        if topic == "order-created":
            self.place(dict(data))
        else:
            self.receive(data)
        return None

    # What can happen.
    def place(self, order: Data) -> None:
        lines = [Line(order, place, asked, asked["quantity"]) for place, asked in enumerate(order["lines"], 1)]
        self.prepare(order, lines)
        reasons = [self.take_on(line) for line in lines]
        reason = next(filter(None, reasons), None)
        if reason and order.get("ship_complete"):
            for line in lines:
                line.backordered, line.rejected, line.claims = 0, line.asked["quantity"] - line.cancelled, []
        self.release(order)
        self.notify_if("order_rejected", order, [(line, line.rejected) for line in lines], reason=reason)
        waiting = [(line, line.backordered) for line in lines]
        why = "ship_complete" if any(line.held for line in lines) else None  # Else it would have been released.
        if not self.notify_if("order_backordered", order, waiting, reason=why):
            self.notify_if("order_confirmed", order, [(line, line.released) for line in lines])

    def prepare(self, order: Data, lines: list[Line]) -> None:
        """Nothing can have come before an order here."""

    def receive(self, receipt: Data) -> None:
        self.moves += [(line["sku"], receipt["location"], line["quantity"]) for line in receipt["lines"]]
        self.settle(receipt)
        self.put_away(receipt)

    def settle(self, receipt: Data | None = None) -> None:
        """What follows from whatever happened: free units go to those who wait, and leave."""
        self.serve(receipt)
        for order in self.orders():
            released = self.release(order, receipt)
            self.notify_if("backorder_filled", order, released, completes_order=self.is_complete(order))

    # What there is.
    def on_hand(self, sku: str, location: str) -> int:
        return sum(quantity for *place, quantity in self.moves if place == [sku, location])

    def allocated(self, sku: str, location: str) -> int:
        return sum(
            claim.quantity
            for line in self.lines
            for claim in line.claims
            if (line.asked["sku"], claim.location) == (sku, location)
        )

    def available(self, sku: str, location: str) -> int:
        safety_stock: int = self.policies.get(sku, {}).get("safety_stock", 0)
        return max(0, self.on_hand(sku, location) - self.allocated(sku, location) - safety_stock)

    def locations(self) -> list[str]:
        return sorted({location for _, location, _ in self.moves})

    def orders(self) -> list[Data]:
        return list({line.order["order_id"]: line.order for line in self.lines}.values())

    def lines_of(self, order: Data) -> list[Line]:
        return [line for line in self.lines if line.order is order]

    def is_waiting(self, order: Data) -> bool:
        return any(line.backordered for line in self.lines_of(order))

    def is_complete(self, order: Data) -> bool:
        return not any(line.backordered or line.held for line in self.lines_of(order))

    # What the tables and the shop should show.
    def line_rows(self) -> list[tuple[Any, ...]]:
        return sorted(
            (
                *(line.order["order_id"], line.position, line.backordered, line.held),
                *(line.released, line.shipped, line.cancelled, line.rejected),
            )
            for line in self.lines
        )

    def allocation_rows(self) -> list[tuple[Any, ...]]:
        units: dict[tuple[str, str, str], list[int]] = {}
        for line in self.lines:
            for claim in line.claims:
                place = (line.order["order_id"], line.asked["line_id"], claim.location)
                units.setdefault(place, [0, 0])[claim.is_released] += claim.quantity
        return sorted((*place, *quantities) for place, quantities in units.items() if any(quantities))

    def stock_rows(self) -> list[tuple[Any, ...]]:
        places = {(sku, location) for sku, location, _ in self.moves}
        rows = [(*place, self.on_hand(*place), self.allocated(*place)) for place in sorted(places)]
        return [row for row in rows if row[2]]

    def availability(self, sku: str) -> Data:
        places = [place for row_sku, place, *_ in self.stock_rows() if row_sku == sku]
        stock = [
            (self.on_hand(sku, place), self.allocated(sku, place), self.available(sku, place)) for place in places
        ]
        waiting = sum(line.backordered for line in self.lines if line.asked["sku"] == sku)
        return shapes.availability(sku, dict(zip(places, stock, strict=True)), waiting, self.policies.get(sku, {}))

    # Who gets what.
    def rank(self, line: Line) -> tuple[Any, ...]:
        order = line.order
        placed_at = datetime.fromisoformat(order["placed_at"])
        need_by = datetime.fromisoformat(order["need_by"]) if order.get("need_by") else NEVER
        by_need = (need_by,) if self.rank_by == "need_by" else ()
        return (-order.get("priority", 0), *by_need, placed_at, order["order_id"], line.position)

    def choose(self, line: Line) -> list[tuple[str, int]]:
        """The locations that serve a line, most available first; ties by name."""
        pin = line.asked.get("location")
        places = [pin] if pin else self.locations()
        free = {place: self.available(line.asked["sku"], place) for place in places}
        chosen: list[tuple[str, int]] = []
        rest = line.backordered
        for place in sorted(free, key=lambda place: (-free[place], place)):
            quantity = min(rest, free[place])
            rest -= quantity
            if quantity:
                chosen.append((place, quantity))
        return chosen

    def take_on(self, line: Line) -> str | None:
        """Claim for a line of a new order what is free; reject it where the rest may not wait, and say why."""
        self.lines.append(line)
        if not line.backordered:
            return None
        chosen = self.choose(line)
        short = line.backordered - sum(quantity for _, quantity in chosen)
        reason = self.may_not_wait(line, short) if short else None
        if reason:
            line.backordered, line.rejected = 0, line.backordered
        else:
            for location, quantity in chosen:
                line.backordered -= quantity
                line.claims.append(Claim(location, quantity))
        return reason

    def may_not_wait(self, line: Line, short: int) -> str | None:
        policy = self.policies.get(line.asked["sku"], {})
        limit = policy.get("backorder_limit")
        others = [other for other in self.lines if other is not line and other.asked["sku"] == line.asked["sku"]]
        if policy.get("discontinued"):
            return "discontinued"
        if (line.asked.get("backorder") or policy.get("backorder", "allow")) != "allow":
            return "out_of_stock"
        if limit is not None and sum(other.backordered for other in others) + short > limit:
            return "backorder_limit"
        return None

    def serve(self, receipt: Data | None = None) -> None:
        """Give free units to the first in rank that can use them, until there are none or nobody can."""
        while True:
            able = [line for line in self.lines if line.backordered and self.choose(line)]
            if not able:
                return
            line = min(able, key=self.rank)
            for location, quantity in self.choose(line):
                self.claim(line, location, quantity, receipt)

    def claim(self, line: Line, location: str, quantity: int, receipt: Data | None) -> None:
        """Claim units; those that lie on the dock come from the first line of the receipt that has some left."""
        line.backordered -= quantity
        if receipt is not None and receipt["location"] == location:
            for source in receipt["lines"]:
                if source["sku"] == line.asked["sku"]:
                    taken = min(quantity, source["quantity"] - self.claimed_of(receipt, source))
                    quantity -= taken
                    if taken:
                        name = (receipt["receipt_id"], source["line_id"])
                        line.claims.append(Claim(location, taken, name, source.get("lot")))
        if quantity:
            line.claims.append(Claim(location, quantity))

    def claimed_of(self, receipt: Data, source: Data, *, only_released: bool = False) -> int:
        """Units of a receipt line that were claimed on its dock."""
        name = (receipt["receipt_id"], source["line_id"])
        return sum(
            claim.quantity
            for line in self.lines
            for claim in line.claims
            if claim.source == name and (claim.is_released or not only_released)
        )

    # What the warehouse and the customer hear.
    def release(self, order: Data, receipt: Data | None = None) -> list[tuple[Line, int]]:
        """Release what an order holds, unless it is ship-complete and waits; return the units per line."""
        if order.get("ship_complete") and self.is_waiting(order):
            return []
        released = [(line, line.held) for line in self.lines_of(order) if line.held]
        groups: dict[tuple[str, bool], list[tuple[Data, Claim]]] = {}
        for line, _ in released:
            for claim in line.claims:
                if not claim.is_released and claim.quantity:
                    docked = claim.source is not None and claim.source[0] == (receipt or {}).get("receipt_id")
                    claim.is_released = True
                    claim.instruction = (self.step, order["order_id"], claim.location, docked)
                    groups.setdefault((claim.location, docked), []).append((line.asked, claim))
        completes = self.is_complete(order)
        for (location, docked), units in groups.items():
            quantities = [(asked, claim.lot, claim.quantity) for asked, claim in units]
            event = shapes.instruction(order, location, quantities, receipt if docked else None, completes=completes)
            self.events.append(("fulfillment", order["order_id"], event))
        return released

    def put_away(self, receipt: Data) -> None:
        """Store what did not leave from the dock."""
        rest = [
            (source, source["quantity"] - self.claimed_of(receipt, source, only_released=True))
            for source in receipt["lines"]
        ]
        if any(quantity for _, quantity in rest):
            self.events.append(("fulfillment", receipt["receipt_id"], shapes.put_away(receipt, rest)))

    def notify_if(self, kind: str, order: Data, units: list[tuple[Line, int]], **more: Any) -> bool:
        """Tell the customer about lines, if there is anything to tell."""
        about = [(line.asked, quantity) for line, quantity in units if quantity]
        if about:
            event = shapes.notification(kind, order, about, **more)
            self.events.append(("customer-notification", order["order_id"], event))
        return bool(about)
