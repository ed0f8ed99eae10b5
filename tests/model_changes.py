"""The rest of the contract in its plainest form: what changes orders, stock and policies after they came.

Written from the contract alone, as the model it extends. Each change is followed by the same step, which looks at
everything: who waits and could be served, what is held and could leave.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import shapes
from model import Claim, Data, Event, Line, Model

if TYPE_CHECKING:
    from collections.abc import Iterable

TERMS = ("priority", "need_by", "ship_complete")
Revoked = dict[tuple[Any, ...], list[tuple[Line, Claim, int]]]


class WholeModel(Model):
    """Everything that can happen. `early` are messages that wait for their order."""

    def __init__(self, rank_by: str = "placed_at") -> None:
        super().__init__(rank_by)
        self.early: dict[str, list[tuple[str, Data]]] = defaultdict(list)
        self.amended: dict[tuple[str, str], tuple[datetime, str]] = {}

    def tell(self, topic: str, data: Data) -> list[Event]:
        self.step += 1
        if topic == "product-policy-updated":
            self.events = []
            self.set_policy(data)
            return self.events
        return super().tell(topic, data)

    def happen(self, topic: str, data: Data) -> str | None:
        match topic:
            case "inventory-adjusted":
                return self.adjust(data)
            case "order-created" | "inventory-received":
                return super().happen(topic, data)
        order = self.order(data["order_id"])
        match topic:
            case "shipment-dispatched":
                return self.dispatch(order, data) if order else "unknown_order"
            case "order-cancelled" if order:
                return self.cancel(order, data)
            case "order-amended" if order:
                self.amend(order, data)
                self.settle()
            case _:
                self.early[data["order_id"]].append((topic, data))
        return None

    def order(self, order_id: str) -> Data | None:
        return next((order for order in self.orders() if order["order_id"] == order_id), None)

    def prepare(self, order: Data, lines: list[Line]) -> None:
        """What came before the order acts before it asks for stock."""
        for topic, data in self.early.pop(order["order_id"], []):
            if topic == "order-amended":
                self.amend(order, data)
            elif self.unknown_lines(lines, data):
                self.events.append(("order-cancelled.dlq", data["cancellation_id"], {"error": "unknown_line"}))
                del self.known["order-cancelled", data["cancellation_id"]]
            else:
                gone = [(line, self.drop(line, quantity)) for line, quantity in self.asked_of(lines, data)]
                self.notify_if("order_cancelled", order, gone, reason=data.get("reason"))

    # Cancellations and amendments.
    def cancel(self, order: Data, data: Data) -> str | None:
        lines = self.lines_of(order)
        if self.unknown_lines(lines, data):
            return "unknown_line"
        revoked: Revoked = defaultdict(list)
        gone = [(line, self.give_up(line, quantity, revoked)) for line, quantity in self.asked_of(lines, data)]
        self.revoke(revoked, "cancelled")
        self.notify_if("order_cancelled", order, gone, reason=data.get("reason"))
        self.settle()
        return None

    def unknown_lines(self, lines: list[Line], data: Data) -> bool:
        known = {line.asked["line_id"] for line in lines}
        return any(asked["line_id"] not in known for asked in data.get("lines") or [])

    def asked_of(self, lines: list[Line], data: Data) -> list[tuple[Line, int]]:
        """The lines to cancel, in the order asked, with how many units at most."""
        if not data.get("lines"):
            return [(line, line.asked["quantity"]) for line in lines]
        by_id = {line.asked["line_id"]: line for line in lines}
        return [(by_id[asked["line_id"]], asked["quantity"]) for asked in data["lines"]]

    def drop(self, line: Line, quantity: int) -> int:
        """Cancel waiting units."""
        gone = min(quantity, line.backordered)
        line.backordered -= gone
        line.cancelled += gone
        return gone

    def give_up(self, line: Line, quantity: int, revoked: Revoked) -> int:
        """Cancel waiting units, then held, then released ones: of the smallest claim first, ties by last name."""
        left = quantity - self.drop(line, quantity)
        for is_released in (False, True):
            claims = [claim for claim in line.claims if claim.is_released is is_released and claim.quantity]
            units: dict[str, int] = defaultdict(int)
            for claim in claims:
                units[claim.location] += claim.quantity
            last_first = sorted(enumerate(claims), key=lambda one: (one[1].location, one[0]), reverse=True)
            for _, claim in sorted(last_first, key=lambda one: units[one[1].location]):
                part = min(left, claim.quantity)
                self.take(line, claim, part, revoked)
                line.cancelled += part
                left -= part
        return quantity - left

    def take(self, line: Line, claim: Claim, quantity: int, revoked: Revoked) -> None:
        """Take units of a claim; where an instruction was given for them, it must be revoked."""
        claim.quantity -= quantity
        if claim.is_released and quantity:
            revoked[claim.instruction].append((line, claim, quantity))

    def revoke(self, revoked: Revoked, reason: str) -> None:
        for units in revoked.values():
            order, location = units[0][0].order, units[0][1].location
            in_order = sorted(units, key=lambda unit: (unit[0].position, unit[1].lot or ""))
            parts = [(line.asked, claim.lot, quantity) for line, claim, quantity in in_order]
            event = shapes.revocation(order, location, parts, reason)
            self.events.append(("fulfillment", order["order_id"], event))

    def amend(self, order: Data, data: Data) -> None:
        """Per field the latest holds."""
        version = (datetime.fromisoformat(data["amended_at"]), data["amendment_id"])
        for term in TERMS:
            place = (order["order_id"], term)
            if data.get(term) is not None and (place not in self.amended or version > self.amended[place]):
                self.amended[place] = version
                order[term] = data[term]

    # Stock and policies.
    def adjust(self, data: Data) -> str | None:
        sku, location, delta = data["sku"], data["location"], data["quantity_delta"]
        if self.on_hand(sku, location) + delta < 0:
            return "below_zero"
        self.moves.append((sku, location, delta))
        waited = {line: line.backordered for line in self.lines}
        lost: dict[Line, int] = defaultdict(int)
        revoked: Revoked = defaultdict(list)
        for line, claim in self.giving_way(sku, location):
            part = min(claim.quantity, max(0, self.allocated(sku, location) - self.on_hand(sku, location)))
            self.take(line, claim, part, revoked)
            line.backordered += part
            lost[line] += part if claim.is_released else 0
        self.revoke(revoked, "allocation_lost")
        self.serve()
        missing = {line: max(0, min(units, line.backordered - waited[line])) for line, units in lost.items()}
        for order in self.orders():
            lines = self.lines_of(order)
            self.notify_if("allocation_lost", order, [(line, missing.get(line, 0)) for line in lines])
            news = [(line, units - lost[line] + missing.get(line, 0)) for line, units in self.release(order)]
            self.notify_if("backorder_filled", order, news, completes_order=self.is_complete(order))
        return None

    def giving_way(self, sku: str, location: str) -> Iterable[tuple[Line, Claim]]:
        """Held claims before released ones, the lowest rank first, of a line the newest first."""
        claims = [
            (claim.is_released, line, number, claim)
            for line in self.lines
            for number, claim in enumerate(line.claims)
            if (line.asked["sku"], claim.location) == (sku, location)
        ]
        claims.sort(key=lambda one: (not one[0], self.rank(one[1]), one[2]), reverse=True)
        return [(line, claim) for _, line, _, claim in claims]

    def dispatch(self, order: Data, data: Data) -> str | None:
        by_id = {line.asked["line_id"]: line for line in self.lines_of(order)}
        leaving: dict[tuple[str, str], int] = defaultdict(int)
        shipped: dict[str, int] = defaultdict(int)
        for part in data["lines"]:
            leaving[part["line_id"], part["location"]] += part["quantity"]
            shipped[part["line_id"]] += part["quantity"]
        for (line_id, location), quantity in leaving.items():
            if line_id not in by_id:
                return "unknown_line"
            if quantity > sum(claim.quantity for claim in self.released_at(by_id[line_id], location)):
                return "not_released"
        left: dict[tuple[Any, ...], dict[tuple[str, str], int]] = defaultdict(lambda: defaultdict(int))
        for line in by_id.values():
            for claim in line.claims:
                if claim.is_released and claim.quantity:
                    left[claim.instruction][line.asked["line_id"], claim.location] += claim.quantity
        followed = next((instruction for instruction, units in left.items() if units == leaving), None)
        for (line_id, location), quantity in leaving.items():
            self.ship(by_id[line_id], location, quantity, followed)
        about = [(by_id[line_id], quantity) for line_id, quantity in shipped.items()]
        carriage = ("shipment_id", "carrier", "tracking_number", "tracking_url")
        self.notify_if("shipped", order, about, **{name: data.get(name) for name in carriage})
        return None

    def released_at(self, line: Line, location: str) -> list[Claim]:
        return [claim for claim in line.claims if claim.is_released and claim.location == location]

    def ship(self, line: Line, location: str, quantity: int, followed: tuple[Any, ...] | None) -> None:
        """The instruction that is followed, else the oldest first."""
        self.moves.append((line.asked["sku"], location, -quantity))
        line.shipped += quantity
        for claim in self.released_at(line, location):
            part = min(quantity, claim.quantity) if followed in {None, claim.instruction} else 0
            claim.quantity -= part
            quantity -= part

    def set_policy(self, data: Data) -> None:
        """The larger version holds; the same one with other content is a conflict."""
        held = self.policies.get(data["sku"])
        if held is None or data["version"] > held["version"]:
            self.policies[data["sku"]] = data
            self.settle()
        elif data["version"] == held["version"] and data != held:
            version = f"{data['sku']}/{data['version']}"
            self.events.append(("product-policy-updated.dlq", version, {"error": "conflict"}))
