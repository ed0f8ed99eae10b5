"""What would serve a waiting line now: every answer is tried out by the core itself, on a copy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from bo_worker.domain.account import Account
from bo_worker.domain.demand import ANY_LOCATION, Order, OrderLine
from bo_worker.domain.settle import Effect, settle
from bo_worker.domain.stock import Product, Stock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bo_worker.domain.outlook import Waiting

PRIORITY_MAX: Final = 9
# Where nobody has ever kept the product, an arrival anywhere is as good.
_SOMEWHERE: Final = "somewhere"
_NOTHING_MOVES: Final[Mapping[str, int]] = {}


@dataclass(slots=True, frozen=True)
class Remedy:
    """A change that serves a waiting line whole at once; with one unit less of `quantity` it would wait on.

    `unpin`: free units lie at the locations `sources` (location, units), were the line not pinned.
    `transfer`: `quantity` units go from `sources` to `location`.
    `safety_stock`: the policy of the product asks for `quantity` units at each location; with one more it would wait.
    `priority`: its order gets `priority`, and then `quantity` units arrive at `location`.
    `arrival`: `quantity` units arrive at `location`; None is any location, where none keeps the product.
    """

    kind: Literal["unpin", "transfer", "safety_stock", "priority", "arrival"]
    quantity: int
    location: str | None = None
    sources: tuple[tuple[str, int], ...] = ()
    priority: int | None = None


def remedies(product: Product, queue: Sequence[Waiting], line: Waiting) -> list[Remedy]:
    """Return what would serve `line` now, the cheapest first: no unit bought, then the fewest units bought.

    `queue` are all lines of the product that wait. Empty where no unit serves it, because the product is closed.
    """
    if product.is_closed:
        return []
    found = []
    if line.pin != ANY_LOCATION:
        found += [*_unpin(product, queue, line), *_transfer(product, queue, line)]
    found += _lower_safety(product, queue, line)
    arrival = _arrival(product, queue, line)
    return [*found, *_priority(product, queue, line, arrival), *arrival]


def rivals(queue: Iterable[Waiting], line: Waiting) -> list[Waiting]:
    """Return the lines that rank before `line` and may take units that it waits for, in rank.

    They are pinned to its location or to none; a line that is not pinned itself competes with all.
    """
    pins = {line.pin, ANY_LOCATION}
    return sorted(
        other
        for other in queue
        if other.rank < line.rank and (line.pin == ANY_LOCATION or other.pin in pins)
    )  # fmt: skip


def serves(
    product: Product, queue: Iterable[Waiting], line: Waiting, moved: Mapping[str, int] = _NOTHING_MOVES
) -> bool:
    """Tell whether nothing of `line` waits any more after units were added to locations (or, below 0, taken away).

    Works on a copy. Lines behind it are left out: they are served after it.
    """
    ranks = {(other.order_id, other.position): other.rank for other in queue if other.rank <= line.rank}
    account = Account(lambda waiting: ranks[waiting.order.order_id, waiting.position])
    copy = account.products[product.sku] = _copy(product)
    for other in queue:
        if other.rank <= line.rank:
            account.enqueue(copy, _enter(account, product.sku, other))
    for location, units in moved.items():
        copy.stock_at(location).on_hand += units
    settle(account, Effect({product.sku: sorted(copy.stock)}))
    return not copy.live[line.order_id, line.position].backordered


def _copy(product: Product) -> Product:
    copy = Product(product.sku, product.waiting, product.policy, phase=product.phase, is_closed=product.is_closed)
    for stock in product.stock.values():
        copy.stock[stock.location] = Stock(product.sku, stock.location, stock.on_hand, stock.allocated)
    return copy


def _enter(account: Account, sku: str, waiting: Waiting) -> OrderLine:
    order = account.orders.get(waiting.order_id)
    if order is None:
        order = Order(waiting.order_id, waiting.rank[2], {}, -waiting.rank[0], ship_complete=False, need_by=None)
        account.orders[waiting.order_id] = order
    line = OrderLine(
        order, waiting.position, str(waiting.position), sku, waiting.quantity, waiting.pin or None, None, None,
        waiting.quantity,
    )  # fmt: skip
    order.lines.append(line)
    return line


def _units(product: Product, queue: Iterable[Waiting], line: Waiting, location: str) -> int:
    """Return the units that must arrive: for what is missing there, for who is ahead, and for the line."""
    stock = product.stock.get(location)
    missing = product.safety_stock + (stock.allocated - stock.on_hand if stock else 0)
    ahead = sum(other.quantity for other in queue if other.rank < line.rank and other.pin in (ANY_LOCATION, location))
    return missing + ahead + line.quantity


def _cheapest(product: Product, queue: Sequence[Waiting], line: Waiting) -> tuple[int, str] | None:
    """Return the fewest units that serve a line, and the location, once the core has agreed."""
    places = {line.pin} if line.pin != ANY_LOCATION else _places(product)
    units, location = min((_units(product, queue, line, place), place) for place in places)
    if units < 1 or not serves(product, queue, line, {location: units}):
        return None
    return None if serves(product, queue, line, {location: units - 1}) else (units, location)


def _places(product: Product) -> set[str]:
    return {*product.stock, *(supply.location for supply in product.supply.values())} or {_SOMEWHERE}


def _arrival(product: Product, queue: Sequence[Waiting], line: Waiting) -> list[Remedy]:
    found = _cheapest(product, queue, line)
    if found is None:
        return []
    is_anywhere = line.pin == ANY_LOCATION and _places(product) == {_SOMEWHERE}
    return [Remedy("arrival", found[0], None if is_anywhere else found[1])]


def _priority(product: Product, queue: Sequence[Waiting], line: Waiting, arrival: Sequence[Remedy]) -> list[Remedy]:
    """Return a higher priority of the order, if it saves units."""
    ahead = rivals(queue, line)
    priority = min(PRIORITY_MAX, 1 - min((other.rank[0] for other in ahead), default=0))
    if not ahead or not arrival or priority <= -line.rank[0]:
        return []
    raised = [
        other._replace(rank=(-priority, *other.rank[1:])) if other.order_id == line.order_id else other
        for other in queue
    ]
    jumped = line._replace(rank=(-priority, *line.rank[1:]))
    found = _cheapest(product, raised, jumped)
    if found is None or found[0] >= arrival[0].quantity:
        return []
    location = None if arrival[0].location is None else found[1]
    return [Remedy("priority", found[0], location, priority=priority)]


def _unpin(product: Product, queue: Sequence[Waiting], line: Waiting) -> list[Remedy]:
    """Return where units are free for a line that is pinned elsewhere."""
    free = line._replace(pin=ANY_LOCATION)
    unpinned = [free if (other.order_id, other.position) == free[3:] else other for other in queue]
    sources = _take(product, line.pin, line.quantity)
    if not sources or not serves(product, unpinned, free):
        return []
    return [Remedy("unpin", line.quantity, sources=sources)]


def _transfer(product: Product, queue: Sequence[Waiting], line: Waiting) -> list[Remedy]:
    """Return from where units can come that are free elsewhere."""
    units = _units(product, queue, line, line.pin)
    sources = _take(product, line.pin, units)
    if not sources or not _is_needed(product, queue, line, sources):
        return []
    return [Remedy("transfer", units, line.pin, sources)]


def _lower_safety(product: Product, queue: Sequence[Waiting], line: Waiting) -> list[Remedy]:
    """Return the most safety stock with which units that are there already serve a line."""
    places = [stock for stock in product.stock.values() if line.pin in (ANY_LOCATION, stock.location)]
    unclaimed = sum(max(0, stock.on_hand - stock.allocated) for stock in places)
    if unclaimed < line.quantity or not serves(_with_safety(product, 0), queue, line):
        return []
    serving, too_much = 0, product.safety_stock
    while too_much - serving > 1:
        units = (serving + too_much) // 2
        if serves(_with_safety(product, units), queue, line):
            serving = units
        else:
            too_much = units
    return [Remedy("safety_stock", serving)]


def _with_safety(product: Product, units: int) -> Product:
    copy = _copy(product)
    if copy.policy is not None:
        copy.policy = replace(copy.policy, safety_stock=units)
    return copy


def _is_needed(product: Product, queue: Sequence[Waiting], line: Waiting, sources: Sequence[tuple[str, int]]) -> bool:
    """Tell whether moving these units to where a line is pinned serves it, and one unit less does not."""
    units = sum(taken for _, taken in sources)
    moved = {location: -taken for location, taken in sources}
    if not serves(product, queue, line, moved | {line.pin: units}):
        return False
    last = sources[-1][0]
    return not serves(product, queue, line, moved | {last: moved[last] + 1, line.pin: units - 1})


def _take(product: Product, location: str, units: int) -> tuple[tuple[str, int], ...]:
    """Return the other locations that have `units` free together, most available first; none if too few are."""
    others = [stock for stock in product.stock.values() if stock.location != location and product.available(stock)]
    sources = []
    for stock in sorted(others, key=lambda stock: (-product.available(stock), stock.location)):
        taken = min(units, product.available(stock))
        sources.append((stock.location, taken))
        units -= taken
        if not units:
            return tuple(sources)
    return ()
