"""Which waiting orders a truck will serve: what was planned is compared with what is pegged to it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.cover import Slices
from bo_worker.domain.facts import CrossDockPlan, FulfillmentLine
from bo_worker.domain.identity import derive_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from bo_worker.domain.account import Account
    from bo_worker.domain.cover import Cover
    from bo_worker.domain.cross_dock import DockTerms
    from bo_worker.domain.demand import Order
    from bo_worker.domain.facts import PlanStatus
    from bo_worker.domain.outlook import Part, Waiting
    from bo_worker.domain.promise import Promised
    from bo_worker.domain.stock import Product

PlanKey = tuple[str, str]


class PlannedLine(NamedTuple):
    """Units of an order line that a truck is to bring; `served` of them have come."""

    position: int
    sku: str
    quantity: int
    expected_from: date
    expected_to: date
    line_id: str = ""
    served: int = 0

    @property
    def open(self) -> int:
        """Return the units that are still to come."""
        return max(0, self.quantity - self.served)


@dataclass(slots=True, eq=False)
class Plan:
    """What the truck of a purchase order is to bring for an order; `revision` counts what was told of it.

    Without lines it is planned no more, and only remembers its revision.
    """

    purchase_order_id: str
    order_id: str
    location: str
    revision: int = 0
    lines: tuple[PlannedLine, ...] = ()

    @property
    def key(self) -> PlanKey:
        """Return what tells the plan from any other."""
        return (self.purchase_order_id, self.order_id)


class Load(NamedTuple):
    """What a truck brings for one order line."""

    plan: PlanKey
    location: str
    waiting: Waiting
    line: PlannedLine


class Carried(NamedTuple):
    """A waiting line that gets units of a truck, and how many units wait ahead of it in its lane."""

    line: Promised
    ahead: int


def truck_lines(product: Product) -> set[PlanKey]:
    """Return the lines of purchase orders that are on their way: purchase order and line id."""
    return {key[:2] for key, line in product.supply.items() if line.status == "in_transit" and line.incoming}


def on_truck(cover: Cover, trucks: Collection[PlanKey]) -> list[tuple[int, int]]:
    """Return which units of a lane trucks bring: behind the first so many, up to so many, in order."""
    spans = []
    begin = 0
    for supply, quantity in cover.parts:
        if (supply.purchase_order_id, supply.line_id) in trucks:
            spans.append((begin, begin + quantity))
        begin += quantity
    return spans


def loads_of(product: Product, covers: Iterable[Cover], lines: Iterable[Carried], terms: DockTerms) -> list[Load]:
    """Return what trucks on their way bring of a product for lines, in rank, where it may leave from the dock."""
    trucks = truck_lines(product)
    slices = {cover.pin: Slices(cover.parts) for cover in covers}
    loads: list[Load] = []
    for line, ahead in sorted(lines, key=lambda carried: carried.line.waiting.rank):
        waiting = line.waiting
        parts = slices[waiting.pin].cut(ahead, waiting.quantity)
        carried = [part for part in parts if (part.supply.purchase_order_id, part.supply.line_id) in trucks]
        loads += [
            load
            for load in _by_truck(product.sku, waiting, carried)
            if terms.fits_share(load.line.quantity, waiting.quantity)
            and terms.may_fit_hours(line.need_by, load.line.expected_from, load.line.expected_to)
        ]
    return loads


def _by_truck(sku: str, waiting: Waiting, parts: Iterable[Part]) -> list[Load]:
    loads: dict[str, Load] = {}
    for supply, quantity in parts:
        key = (supply.purchase_order_id, waiting.order_id)
        line = PlannedLine(waiting.position, sku, quantity, supply.expected_from, supply.expected_to)
        if found := loads.get(supply.purchase_order_id):
            line = line._replace(
                quantity=quantity + found.line.quantity,
                expected_from=min(line.expected_from, found.line.expected_from),
                expected_to=max(line.expected_to, found.line.expected_to),
            )
        loads[supply.purchase_order_id] = Load(key, supply.location, waiting, line)
    return list(loads.values())


def admit(loads: Iterable[Load], planned: Mapping[str, Collection[str]], orders_max: int) -> list[Load]:
    """Return the loads of the best-ranked orders, at most `orders_max` orders a truck; 0 is no limit.

    `planned` are the orders that have a place on a truck already, by purchase order.
    """
    if not orders_max:
        return list(loads)
    places = {purchase_order_id: set(order_ids) for purchase_order_id, order_ids in planned.items()}
    admitted = []
    for load in sorted(loads, key=lambda load: load.waiting.rank):
        purchase_order_id, order_id = load.plan
        taken = places.setdefault(purchase_order_id, set())
        if order_id in taken or len(taken) < orders_max:
            taken.add(order_id)
            admitted.append(load)
    return admitted


def is_as_planned(plan: Plan, skus: Collection[str], lines: Iterable[PlannedLine]) -> bool:
    """Tell whether `lines` are what is left to come of a plan's lines of these SKUs."""
    return _content(_left(plan, skus)) == _content(lines)


def is_settled(plan: Plan, skus: Collection[str], lines: Iterable[PlannedLine]) -> bool:
    """Tell whether nothing of a plan has to be told or stored: it is as planned, and nothing of it came."""
    return is_as_planned(plan, skus, lines) and not any(line.served for line in plan.lines if line.sku in skus)


def revise(
    account: Account,
    order: Order,
    plan: Plan,
    skus: Collection[str],
    lines: Iterable[PlannedLine],
    location: str | None = None,
) -> PlanStatus | None:
    """Let `lines` replace those of a plan that are of these SKUs; tell it if they are not what was left to come.

    It is told too if the truck goes to another `location` by now, where that is given.
    """
    new = sorted(lines)
    left = _left(plan, skus)
    names = {line.position: line.line_id for line in order.lines} | {line.position: line.line_id for line in left}
    kept = tuple(line for line in plan.lines if line.sku not in skus)
    as_planned = is_as_planned(plan, skus, new) and location in (None, plan.location)
    plan.location = location or plan.location
    plan.lines = (*kept, *(line._replace(line_id=names[line.position]) for line in new))
    if as_planned:
        return None
    to_come = [line for line in plan.lines if line.open]
    status: PlanStatus = "planned" if to_come else "withdrawn"
    plan.revision += 1
    _tell(account, order, plan, to_come or left, status)
    return status


def serve(plan: Plan, position: int, quantity: int) -> None:
    """Count units that came with the truck for a line of the plan."""
    plan.lines = tuple(
        line._replace(served=line.served + quantity) if line.position == position else line for line in plan.lines
    )


def _left(plan: Plan, skus: Collection[str]) -> list[PlannedLine]:
    return [line._replace(quantity=line.open, served=0) for line in plan.lines if line.sku in skus and line.open]


def _content(lines: Iterable[PlannedLine]) -> list[PlannedLine]:
    return sorted(line._replace(line_id="", served=0) for line in lines)


def _tell(account: Account, order: Order, plan: Plan, lines: list[PlannedLine], status: PlanStatus) -> None:
    told = [
        FulfillmentLine(line.line_id, line.sku, line.open) for line in sorted(lines, key=lambda line: line.position)
    ]
    fulfillment_id = derive_id("F-", account.cause.name, plan.order_id, plan.purchase_order_id, "cross_dock_plan")
    account.publish(
        CrossDockPlan(
            fulfillment_id,
            plan.order_id,
            plan.location,
            order.priority,
            plan.purchase_order_id,
            min(line.expected_from for line in lines),
            max(line.expected_to for line in lines),
            plan.revision,
            told,
            status,
        )
    )
