"""What an explanation of an order is made from, read at one instant and without a lock."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from bo_worker.domain.demand import SUSPENDED
from bo_worker.domain.explain import Given, Scene, Waiter, make_scene, why_held, why_served, why_waiting
from bo_worker.domain.stock import Product, Stock
from bo_worker.store.products import product_of
from bo_worker.store.promises import waiting_of
from bo_worker.store.queries import QUERIES
from bo_worker.store.reports import report_order
from bo_worker.store.supply import load_supply

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from bo_worker.domain.explain import WhyServed, WhyWaiting
    from bo_worker.domain.outlook import Waiting
    from bo_worker.store.reports import Report

# Each explanation goes through a whole queue: an order of very many lines is explained in part.
LINES_MAX: Final = 50


class _Crowd:
    """Who waits for a product, and the product with its stock and supply."""

    def __init__(
        self, product: Product, unfinished: str | None, rows: Iterable[asyncpg.Record], rank_by: str
    ) -> None:
        self.line_ids = {}
        self.waiters = []
        for row in rows:
            self.line_ids[row["order_id"], row["position"]] = row["line_id"]
            self.waiters.append(Waiter(waiting_of(row, rank_by), row["received_at"], row["is_amended"]))
        self.scene: Scene = make_scene(product, [one.waiting for one in self.waiters], unfinished)


async def report_order_with_reasons(connection: asyncpg.Connection, order_id: str) -> Report | None:
    """Return what `report_order` does, and why each of the first LINES_MAX lines waits and was served (`why`)."""
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        report = await report_order(connection, order_id)
        if report is None:
            return None
        rank_by = await connection.fetchval(QUERIES["explain_rank_by"])
        lines = await connection.fetch(QUERIES["explain_lines"], order_id)
        crowds = await _load_crowds(connection, {line["sku"] for line in lines[:LINES_MAX]}, rank_by)
        given = await connection.fetch(QUERIES["explain_given"], order_id)
        is_paid = await connection.fetchval(QUERIES["explain_payment"], order_id)
    waiting = {line["position"] for line in lines if line["backordered"]}
    leaves_whole = bool(lines) and lines[0]["ship_complete"]
    held_for = why_held(
        waits_for_others=bool(waiting) and lines[0]["hold_until"] is not None,
        leaves_whole=bool(waiting) and leaves_whole,
        is_paid=is_paid is not False,
    )
    for told in report["lines"][LINES_MAX:]:
        told["why"] = None
    for told, line in zip(report["lines"][:LINES_MAX], lines[:LINES_MAX], strict=True):
        crowd, place = crowds[line["sku"]], waiting_of(line, rank_by)
        entries = [Given(*row[1:]) for row in given if row["position"] == line["position"]]
        served = [why_served(entry, place.rank, crowd.waiters) for entry in entries]
        told["why"] = {
            "waiting": _waiting(crowd, place, line["held"], leaves_whole=leaves_whole, waiting=waiting),
            "held": line["held"],
            "held_for": held_for if line["held"] else (),
            "hold_until": line["hold_until"] if line["held"] and waiting else None,
            "priority": line["priority"],
            "placed_at": line["placed_at"],
            "served": [_served(crowd, one) for one in served],
        }
    return report


async def _load_crowds(connection: asyncpg.Connection, skus: set[str], rank_by: str) -> dict[str, _Crowd]:
    rows = await connection.fetch(QUERIES["explain_products"], sorted(skus))
    unfinished = {row["sku"]: row["unfinished"] for row in rows}
    products = {sku: Product(sku) for sku in skus} | {row["sku"]: product_of(row) for row in rows}
    for sku, location, on_hand, allocated in await connection.fetch(QUERIES["load_stock"], list(products)):
        products[sku].stock[location] = Stock(sku, location, on_hand, allocated, is_new=False)
    await load_supply(connection, products.values(), ())
    crowds = {}
    for sku, product in products.items():
        queue = await connection.fetch(QUERIES["explain_queue"], sku)
        crowds[sku] = _Crowd(product, unfinished.get(sku), queue, rank_by)
    return crowds


def _waiting(
    crowd: _Crowd, place: Waiting, held: int, *, leaves_whole: bool, waiting: set[int]
) -> dict[str, Any] | None:
    if not place.quantity:
        return None
    why: WhyWaiting = why_waiting(
        crowd.scene,
        place,
        held=held if leaves_whole else 0,
        waits_for_others=leaves_whole and len(waiting) > 1,
    )
    return asdict(why) | {
        "ahead": {
            "units": why.ahead.units,
            "lines": why.ahead.lines,
            "orders": why.ahead.orders,
            "first": [_name(crowd, one) for one in why.ahead.first],
        },
        "pegged": [one._asdict() for one in why.pegged],
        "remedies": [asdict(one) | {"sources": dict(one.sources)} for one in why.remedies],
    }


def _served(crowd: _Crowd, why: WhyServed) -> dict[str, Any]:
    return why.given._asdict() | {
        "kind": why.kind,
        "natural_id": why.natural_id,
        "behind": why.behind,
        "before": why.before,
        "first": [_name(crowd, one.waiting) | {"why": one.why} for one in why.first],
    }


def _name(crowd: _Crowd, waiting: Waiting) -> dict[str, Any]:
    return {
        "order_id": waiting.order_id,
        "line_id": crowd.line_ids[waiting.order_id, waiting.position],
        "quantity": waiting.quantity,
        "location": waiting.pin.removeprefix(SUSPENDED) or None,
        "priority": -waiting.rank[0],
        "placed_at": waiting.rank[2],
    }
