"""The data of outputs as the contract shows them, with blank ids. The model's own: no code of the worker is used."""

from __future__ import annotations

from typing import Any

Data = dict[str, Any]


def notification(kind: str, order: Data, units: list[tuple[Data, int]], **more: Any) -> Data:
    """What a customer hears of lines of an order, as they were asked for, and of how many units of each."""
    lines = [
        {
            "line_id": asked["line_id"],
            "sku": asked["sku"],
            "quantity": quantity,
            "expected_from": None,
            "expected_to": None,
        }
        for asked, quantity in units
    ]
    return {
        "notification_id": "N-",
        "kind": kind,
        "order_id": order["order_id"],
        "customer": order["customer"],
        "lines": lines,
        "completes_order": None,
        "reason": None,
        "options": [],
        "respond_by": None,
        **more,
    }


def instruction(
    order: Data, location: str, units: list[tuple[Data, str | None, int]], receipt: Data | None, *, completes: bool
) -> Data:
    """Units (line, lot, quantity) that leave a location: from the dock of a receipt, or without one from storage."""
    lines: dict[tuple[str, str | None], Data] = {}
    for asked, lot, quantity in units:
        new = {"line_id": asked["line_id"], "sku": asked["sku"], "quantity": 0, "lot": lot}
        lines.setdefault((asked["line_id"], lot), new)["quantity"] += quantity
    dock = receipt and {"receipt_id": receipt["receipt_id"], "dock_door": receipt.get("dock_door")}
    return {
        "fulfillment_id": "F-",
        "kind": "cross_dock" if receipt else "ship",
        "order_id": order["order_id"],
        "location": location,
        "priority": order.get("priority", 0),
        "lines": list(lines.values()),
        "completes_order": completes,
        **(dock or {}),
    }


def revocation(order: Data, location: str, units: list[tuple[Data, str | None, int]], reason: str) -> Data:
    """Units (line, lot, quantity) of one instruction that must not leave."""
    shape = instruction(order, location, units, None, completes=False)
    return {
        **{name: shape[name] for name in ("fulfillment_id", "order_id", "location", "lines")},
        "kind": "revoke",
        "reason": reason,
        "revokes": "F-",
    }


def put_away(receipt: Data, units: list[tuple[Data, int]]) -> Data:
    """Units of receipt lines that are stored."""
    lines = [
        {"sku": source["sku"], "quantity": quantity, "lot": source.get("lot")}
        for source, quantity in units
        if quantity
    ]
    return {
        "fulfillment_id": "F-",
        "kind": "put_away",
        "receipt_id": receipt["receipt_id"],
        "location": receipt["location"],
        "dock_door": receipt.get("dock_door"),
        "lines": lines,
    }


def availability(sku: str, stock: dict[str, tuple[int, int, int]], waiting: int, policy: Data | None = None) -> Data:
    """The state of a product: (on hand, allocated, available) by location, and what waits."""
    names = ("on_hand", "allocated", "available")
    locations: list[Data] = [
        {"location": place, **dict(zip(names, quantities, strict=True))} for place, quantities in stock.items()
    ]
    sums = {name: sum(row[name] for row in locations) for name in names}
    return {
        "sku": sku,
        "state": "in_stock" if sums["available"] else _state_without_stock(waiting, policy or {}),
        **sums,
        "backordered": waiting,
        "incoming": 0,
        "available_to_promise": [],
        "next_receipt_on": None,
        "locations": locations,
    }


def _state_without_stock(waiting: int, policy: Data) -> str:
    limit = policy.get("backorder_limit")
    if policy.get("discontinued"):
        return "discontinued"
    if policy.get("backorder", "allow") != "allow" or (limit is not None and waiting >= limit):
        return "out_of_stock"
    return "backorderable"
