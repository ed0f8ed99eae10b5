"""Who gets which units: the choice of locations (R9), and the service of the queue by level (R3, R4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bo_worker.domain.demand import ANY_LOCATION, Claim
from bo_worker.domain.missing import QueueExhaustedError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.domain.account import Account
    from bo_worker.domain.arrival import Arrivals
    from bo_worker.domain.demand import OrderLine
    from bo_worker.domain.stock import Lane, Product, Stock


def choose(product: Product, line: OrderLine) -> list[tuple[Stock, int]]:
    """Choose the locations that serve what of a line waits: as few as possible, most available first (R9).

    None do while the product is closed.
    """
    if product.is_closed:
        return []
    safety_stock = product.safety_stock
    open_quantity = line.backordered
    places = product.stock.values() if line.location is None else filter(None, [product.stock.get(line.location)])
    free = [
        (stock.allocated + safety_stock - stock.on_hand, stock.location, stock)
        for stock in places
        if stock.on_hand - stock.allocated > safety_stock
    ]
    if len(free) == 1:
        negative_units, _, stock = free[0]
        return [(stock, min(-negative_units, open_quantity))]
    free.sort(key=_most_available_first)
    chosen = []
    for negative_units, _, stock in free:
        quantity = min(-negative_units, open_quantity)
        chosen.append((stock, quantity))
        open_quantity -= quantity
        if not open_quantity:
            break
    return chosen


def _most_available_first(entry: tuple[int, str, Stock]) -> tuple[int, str]:
    return entry[:2]


def claim(
    account: Account,
    line: OrderLine,
    stock: Stock,
    quantity: int,
    change: Literal["claimed", "filled"],
    arrivals: Arrivals | None = None,
) -> None:
    """Give `quantity` free units of `stock` to a waiting line, which holds them until they are released."""
    product = account.products[line.sku]
    line.backordered -= quantity
    line.held += quantity
    line.is_changed = True
    product.waiting -= quantity
    product.is_changed = True
    product.holders[line.order.order_id, line.position] = line
    stock.allocated += quantity
    stock.is_changed = True
    if arrivals is not None and arrivals.purchase_order_id is not None and arrivals.location == stock.location:
        served = (arrivals.purchase_order_id, line.order.order_id, line.position)
        units = account.served_by_truck.get(served, 0) + arrivals.give(stock.sku, quantity)
        account.served_by_truck[served] = units
    for new in _claims(stock, quantity, arrivals):
        line.claim_count += 1
        new.number = line.claim_count
        new.entry = account.note(change, new.held, stock.sku, stock.location, line)
        line.claims.append(new)
    if line.is_promised and not line.backordered:
        account.end_promise(line, kept=True)


def _claims(stock: Stock, quantity: int, arrivals: Arrivals | None) -> list[Claim]:
    """Spread units over the receipt lines that brought them, first line first (R8)."""
    if arrivals is None or arrivals.location != stock.location:
        return [Claim(0, stock.location, quantity)]
    claims = []
    for arrival in arrivals.of(stock.sku):
        part = min(quantity, arrival.unclaimed)
        if part:
            arrival.unclaimed -= part
            quantity -= part
            new = Claim(0, stock.location, part, lot=arrival.lot)
            new.receipt_id, new.receipt_line = arrivals.receipt_id, arrival.line_id
            claims.append(new)
    if quantity:  # Units that lay here before the receipt are picked from storage.
        claims.append(Claim(0, stock.location, quantity))
    return claims


def serve_queue(
    account: Account,
    product: Product,
    locations: Iterable[str],
    arrivals: Arrivals | None = None,
    *,
    served: dict[str, None],
    may_pause: bool = False,
) -> bool:
    """Give free units at `locations` to waiting lines, in rank, until units or lines are used up.

    Adds the ids of the orders that got units to `served`. Where only the head of a lane is loaded and it is
    used up, raises QueueExhaustedError or, with `may_pause`, returns False: the rest is served later.
    """
    lanes = [product.lane(location) for location in dict.fromkeys((ANY_LOCATION, *locations))]
    while (lane := _next_lane(account, product, lanes)) is not None:
        if lane.is_used_up():
            if may_pause:
                return False
            raise QueueExhaustedError(product.sku, lane.location)
        line = lane.entries[0][2]
        product.disturb()
        for stock, quantity in choose(product, line):
            claim(account, line, stock, quantity, "filled", arrivals)
        served[line.order.order_id] = None
    return True


def _next_lane(account: Account, product: Product, lanes: list[Lane]) -> Lane | None:
    """Return the lane whose first line is next in rank, of those for which there are free units."""
    best: Lane | None = None
    for lane in lanes:
        _drop_served(account, lane)
        if (lane.entries or not lane.is_whole) and product.free_units(lane.location):
            if lane.is_used_up():
                return lane
            if best is None or lane.entries[0][0] < best.entries[0][0]:
                best = lane
    return best


def _drop_served(account: Account, lane: Lane) -> None:
    """Drop what no longer waits from the front, and what waits at another rank by now."""
    while lane.entries:
        rank, _, line = lane.entries[0]
        # A line may have been suspended since, and wait in another lane.
        if line.backordered and (line.location or ANY_LOCATION) == lane.location and account.rank(line) == rank:
            return
        lane.pop()
