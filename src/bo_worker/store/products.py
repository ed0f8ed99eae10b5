"""Products with their stock and the heads of their queues, in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.domain.availability import snapshot
from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.kinds import CLOSED
from bo_worker.domain.stock import Lane, Product, Stock
from bo_worker.domain.supply import incoming
from bo_worker.store.policies import load_policy, save_policies
from bo_worker.store.procurement import save_procurement
from bo_worker.store.queries import QUERIES, ranked
from bo_worker.store.rows import execute_rows
from bo_worker.store.supply import load_supply
from bo_worker.store.waitlist import save_waitlists, waitlist_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import asyncpg

    from bo_worker.domain.account import Account
    from bo_worker.domain.supply import PurchaseOrder

LaneName = tuple[str, str]
LaneHead = tuple[str, int, int]
_SUPPLY_COLUMNS = ("incoming", "promises", "promises_due", "earliest_promise_on")


class UnfinishedCauseError(Exception):
    """A product waits for the rest of an earlier cause, which must be settled first."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"{cause} is unfinished")
        self.cause = cause


class TooManyLinesError(Exception):
    """More lines are to be served than one transaction may take."""


async def lock_products(
    connection: asyncpg.Connection,
    skus: Collection[str],
    *,
    settling: str | None = None,
    purchase_orders: Collection[PurchaseOrder] = (),
) -> dict[str, Product]:
    """Lock products in order and load their stock and supply. SKUs that are new are left out.

    Lines of `purchase_orders`, which are locked, are shared with them.

    Raises:
        UnfinishedCauseError: a product is reserved for a cause other than `settling`.
    """
    products: dict[str, Product] = {}
    if not skus:
        return products
    for row in await connection.fetch(QUERIES["lock_products"], list(skus)):
        if row["unfinished"] is not None and row["unfinished"] != settling:
            raise UnfinishedCauseError(row["unfinished"])
        products[row["sku"]] = product_of(row)
    for sku, location, on_hand, allocated in await connection.fetch(QUERIES["load_stock"], list(products)):
        products[sku].stock[location] = Stock(sku, location, on_hand, allocated, is_new=False)
    await load_supply(connection, products.values(), purchase_orders)
    for product in products.values():
        product.published = snapshot(product)
        if product.waitlist is not None:
            product.waitlist.free_before = product.free_units(ANY_LOCATION)
    return products


def product_of(row: asyncpg.Record) -> Product:
    """Return a product as it is stored, without stock, supply and queue."""
    product = Product(row["sku"], row["waiting"], has_backlog=row["waiting"] > 0, is_new=False)
    product.availability_sequence = row["availability_sequence"]
    product.procurement_sequence = row["procurement_sequence"]
    product.churn = None
    product.incoming_before = row["incoming"]
    product.reorder_told = row["reorder_told"]
    product.expedite_told = row["expedite_told"]
    product.closed_reason = row["closed_reason"]
    product.review_on = row["review_on"]
    product.promises = row["promises"]
    product.are_promises_due = row["promises_due"]
    product.earliest_promise_on = row["earliest_promise_on"]
    product.supply_stored = tuple(row[name] for name in _SUPPLY_COLUMNS)
    product.phase = row["phase"]
    product.is_closed = product.phase in CLOSED
    product.is_reserved = row["unfinished"] is not None
    product.waitlist = waitlist_of(row)
    if row["policy"] is not None:
        product.policy = load_policy(row["policy"])
        product.policy_digest = row["policy_digest"]
    return product


async def load_lane_heads(
    connection: asyncpg.Connection, lanes: Mapping[LaneName, int], rank_by: str, lines_max: int, total_max: int
) -> dict[LaneName, list[LaneHead]]:
    """Return (order_id, position, backordered) of the first lines of lanes, enough for the units wanted of each.

    Raises:
        TooManyLinesError: it would be more than `total_max` lines in all.
    """
    heads: dict[LaneName, list[LaneHead]] = {lane: [] for lane in lanes}
    rows = await connection.fetch(
        QUERIES[ranked("load_lane_heads", rank_by)],
        [sku for sku, _ in lanes],
        [pin for _, pin in lanes],
        list(lanes.values()),
        lines_max,
        total_max + 1,
    )
    if len(rows) > total_max:
        raise TooManyLinesError
    for sku, pin, order_id, position, backordered in rows:
        heads[sku, pin].append((order_id, position, backordered))
    return heads


def fill_lanes(
    account: Account, lanes: Mapping[LaneName, int], heads: Mapping[LaneName, Sequence[LaneHead]], lines_max: int
) -> None:
    """Let the loaded lines wait in their lanes; a lane is whole where all of it was loaded."""
    lines = {(line.order.order_id, line.position): line for order in account.orders.values() for line in order.lines}
    for (sku, pin), head in heads.items():
        units = sum(backordered for _, _, backordered in head)
        lane = Lane(pin, is_whole=units < lanes[sku, pin] and len(head) < lines_max)
        ranks = []
        for order_id, position, _ in head:
            line = lines[order_id, position]
            ranks.append(account.rank(line))
            lane.push(ranks[-1], line)
        if ranks and not lane.is_whole:
            lane.tail = ranks[-1]
        account.products[sku].lanes[pin] = lane


async def save_products(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write new products and stock in order of their ids, and of others what changed."""
    changed = sorted((product for product in products if product.is_changed), key=lambda product: product.sku)
    new = [(product.sku, product.waiting, product.availability_sequence) for product in changed if product.is_new]
    if new:
        await connection.copy_records_to_table(
            "product", schema_name="bo_worker", columns=("sku", "waiting", "availability_sequence"), records=new
        )
    old = [product for product in changed if not product.is_new]
    if old:
        await connection.execute(
            QUERIES["update_products"],
            [product.sku for product in old],
            [product.waiting for product in old],
            [product.availability_sequence for product in old],
        )
    await save_policies(connection, changed)
    await _save_supply_of(connection, changed)
    await save_waitlists(connection, changed)
    await save_procurement(connection, changed)
    await _save_stock(connection, [stock for product in changed for stock in product.stock.values()])


async def _save_stock(connection: asyncpg.Connection, stocks: list[Stock]) -> None:
    rows = sorted(
        (stock.sku, stock.location, stock.on_hand, stock.allocated, stock.is_new)
        for stock in stocks
        if stock.is_changed
    )
    new = [row[:4] for row in rows if row[4]]
    if new:
        await connection.copy_records_to_table(
            "stock",
            schema_name="bo_worker",
            columns=("sku", "location", "on_hand", "allocated"),
            records=new,
        )
    old = [row[:4] for row in rows if not row[4]]
    await execute_rows(connection, "update_stock", old)


async def _save_supply_of(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write what is on its way, and what is known of promises, where it is not as it was stored."""
    rows = [
        (product.sku, *stored) for product in products if (stored := _supply_of(product)) != product.supply_stored
    ]
    await execute_rows(connection, "update_product_supply", rows)


def _supply_of(product: Product) -> tuple[object, ...]:
    units = incoming(product.supply.values()) if product.supply else 0
    return units, product.promises, product.are_promises_due, product.earliest_promise_on
