"""Which lines of whole queues another promise is right for than they have: what they are pegged to, and compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.cover import compete, cover, lanes_of
from bo_worker.domain.plan import loads_of, on_truck, truck_lines
from bo_worker.domain.repeg import move, otherwise
from bo_worker.store.pegging import find_moved, find_moved_behind, find_waiting_lanes, load_carried, load_runs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.cover import Cover
    from bo_worker.domain.plan import Load
    from bo_worker.domain.repeg import Moved
    from bo_worker.domain.stock import Product
    from bo_worker.service.work import Rules

# So many lines of each lane of a product are planned to be served by trucks.
PLANNED_LINES_MAX = 20_000

Covers = dict[str, list["Cover"]]


async def load_covers(connection: asyncpg.Connection, products: Iterable[Product], rules: Rules) -> Covers:
    """Return, by SKU, what the supply covers of the lanes in which lines wait. The products are locked.

    Where lanes want the same units, the cost follows how often lines with another pin follow each other in rank.
    """
    lanes = {product: lanes_of(product) for product in products if product.has_backlog and product.supply}
    waiting = await find_waiting_lanes(
        connection, [(product.sku, pin) for product in lanes for pin in lanes[product]]
    )
    pins = {product: waiting.get(product.sku, []) for product in lanes}
    mixed = [
        (product.sku, pin, lanes[product][pin])
        for product in lanes
        if compete(pins[product])
        for pin in pins[product]
    ]  # fmt: skip
    queues = await load_runs(connection, mixed, rules.rank_by)
    covers = {}
    for product, names in pins.items():
        queue = queues.get(product.sku)
        runs = [run for run in queue.runs if queue.end is None or run.rank <= queue.end] if queue else []
        covers[product.sku] = cover(product, names, runs)
    return covers


async def find_all_moved(
    connection: asyncpg.Connection, account: Account, covers: Covers, rules: Rules
) -> list[Moved]:
    """Return lines whose promises are other ones now, at most as many as one transaction may write.

    If there are more, the products stay due. They are locked.
    """
    room, terms = rules.fill_lines_max, (account.terms.moved_days, account.today)
    others = {sku: otherwise(account, product) for sku, product in account.products.items()}
    lanes = [lane for of_product in covers.values() for lane in of_product]
    found = await find_moved(connection, lanes, others, rules.rank_by, terms, room + 1)
    ends = [one for one in found if one.is_end]
    moved = [move(account.terms, one.sku, one.line, one.promise) for one in found]
    in_rank = sorted(filter(None, moved), key=lambda line: (line.sku, line.waiting.rank))
    if len(in_rank) <= room:
        behind = await find_moved_behind(connection, ends, others, rules.rank_by, terms, room + 1 - len(in_rank))
        in_rank += filter(None, [move(account.terms, one.sku, one.line, one.promise) for one in behind])
    for product in account.products.values():
        product.are_promises_due = len(in_rank) > room
        product.promises += 1
        product.is_changed = True
    return in_rank[:room]


async def load_loads(
    connection: asyncpg.Connection, account: Account, covers: Mapping[str, list[Cover]], rules: Rules
) -> list[Load]:
    """Return what trucks on their way bring of products that are locked. Its cost follows what they bring."""
    products = account.products
    trucks = {sku: truck_lines(products[sku]) for sku in covers}
    spans = [(lane, on_truck(lane, trucks[sku])) for sku, lanes in covers.items() if trucks[sku] for lane in lanes]
    carried = await load_carried(
        connection, [(lane, units) for lane, units in spans if units], rules.rank_by, PLANNED_LINES_MAX
    )
    return [
        load
        for sku, lines in carried.items()
        for load in loads_of(products[sku], covers[sku], lines, account.terms.dock)
    ]
