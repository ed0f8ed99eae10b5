"""Who waits already for what is on its way, so that new orders can be promised what is left."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from bo_worker.domain.commands import PlaceOrder, UpdatePurchaseOrder
from bo_worker.domain.cover import lanes_of
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.outlook import Waiting
from bo_worker.domain.place_order import open_order
from bo_worker.messages.inbound import Decoded
from bo_worker.store.pegging import LANE_LINES_MAX, find_queue_ends, load_runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    import asyncpg

    from bo_worker.domain.demand import Rank
    from bo_worker.domain.stock import Product
    from bo_worker.messages.inbound import Refused
    from bo_worker.service.work import Rules, Work

# The same where lines must be known one by one.
SINGLE_LINES_MAX: Final = 20_000


async def load_waiting(
    connection: asyncpg.Connection,
    work: Work,
    items: Iterable[Decoded | Refused],
    rules: Rules,
    one_by_one: Collection[str],
) -> None:
    """Load the queues that the new orders of a batch join, but for the lines that the account has already.

    The products are locked. Where nobody has a pin and all new lines rank last, which is known without reading the
    queue, all others stand as one. Else those do that follow each other, with one pin and no new line between, unless
    they are wanted `one_by_one`.
    """
    products = work.account.products
    backlog = {sku: product for sku, product in products.items() if product.has_backlog}
    coming = _coming(items) if backlog else {}
    wanted = {sku: product for sku, product in backlog.items() if product.supply or sku in coming}
    if not wanted:
        return
    ranks = _new_ranks(items, wanted, rules)
    ends = await find_queue_ends(connection, [sku for sku in ranks if sku not in one_by_one], rules.rank_by)
    mixed = {sku: products[sku] for sku in ranks}
    for sku, (end, has_pins) in ends.items():
        if not has_pins and end < min(ranks[sku]):
            _add_up(mixed.pop(sku), end)
    single = {sku: mixed.pop(sku) for sku in one_by_one if sku in mixed}
    await _load_runs(connection, work, mixed, ranks, coming, rules, LANE_LINES_MAX)
    await _load_runs(connection, work, single, ranks, coming, rules, SINGLE_LINES_MAX, one_by_one=True)


def _coming(items: Iterable[Decoded | Refused]) -> dict[str, Counter[str]]:
    """Return the units, by SKU and pin that they can serve, of purchase orders that the batch itself may bring."""
    coming: dict[str, Counter[str]] = {}
    for item in items:
        command = item.command if isinstance(item, Decoded) else None
        if isinstance(command, UpdatePurchaseOrder):
            for line in command.lines:
                coming.setdefault(line.sku, Counter()).update(
                    {ANY_LOCATION: line.quantity, command.location: line.quantity}
                )
    return coming


def _new_ranks(items: Iterable[Decoded | Refused], products: Collection[str], rules: Rules) -> dict[str, list[Rank]]:
    """Return, by SKU, the ranks of the lines that new orders have for products."""
    ranks: dict[str, list[Rank]] = {}
    for item in items:
        command = item.command if isinstance(item, Decoded) else None
        if isinstance(command, PlaceOrder) and any(line.sku in products for line in command.lines):
            for line in open_order(command, b"").lines:
                if line.sku in products:
                    ranks.setdefault(line.sku, []).append(rules.rank(line))
    return ranks


def _add_up(product: Product, end: Rank) -> None:
    units = product.waiting - sum(line.backordered for line in product.live.values())
    product.queue = [Waiting(end, ANY_LOCATION, units, "", 0)] if units else []
    product.marks = set()


async def _load_runs(
    connection: asyncpg.Connection,
    work: Work,
    products: dict[str, Product],
    ranks: dict[str, list[Rank]],
    coming: dict[str, Counter[str]],
    rules: Rules,
    lines_max: int,
    *,
    one_by_one: bool = False,
) -> None:
    account = work.account
    queues = await load_runs(
        connection,
        [
            (sku, pin, units)
            for sku, product in products.items()
            for pin, units in (Counter(lanes_of(product)) + coming.get(sku, Counter())).items()
        ],
        rules.rank_by,
        lines_max,
        without=account.orders,
        marks=[] if one_by_one else [(sku, rank) for sku in products for rank in ranks[sku]],
        one_by_one=one_by_one,
    )
    for sku, (runs, end) in queues.items():
        product = products[sku]
        product.queue, product.queue_end = runs, end
        if not one_by_one:
            product.marks = {*ranks[sku], *(account.rank(line) for line in product.live.values())}
