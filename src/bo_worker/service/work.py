"""The part of the account that one transaction works on: locked and loaded in a fixed order, saved as a whole.

The lock order is always: positions or cause, keys in order, purchase orders in order, products in order, suppliers in
order. Orders that are found in a queue, when products are locked already, are taken without waiting or not at all.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import asyncpg

from bo_worker.domain.account import Account, Terms
from bo_worker.domain.authorize import set_due
from bo_worker.domain.availability import availability, snapshot
from bo_worker.domain.demand import rank_by_need_by, rank_by_placed_at
from bo_worker.domain.facts import Availability, Procurement
from bo_worker.domain.missing import ClaimsExhaustedError, QueueUndividedError
from bo_worker.domain.pay_back import pay_back
from bo_worker.domain.waitlist import follow_stock
from bo_worker.messages.outbound import encode
from bo_worker.service.procurement import close_backorders, publish_procurement
from bo_worker.service.telling import instant, pack_rows
from bo_worker.store.consent import save_consents
from bo_worker.store.journal import append_journal
from bo_worker.store.keys import Key, lock_keys, save_keys
from bo_worker.store.losses import find_losing_claims, set_tails
from bo_worker.store.orders import load_orders, save_orders
from bo_worker.store.outbox import append_outbox
from bo_worker.store.plans import count_served
from bo_worker.store.products import fill_lanes, load_lane_heads, save_products
from bo_worker.store.promises import save_promises
from bo_worker.store.supply import save_deliveries, save_purchase_orders
from bo_worker.store.waitlist import save_joined

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from bo_worker.domain.cause import Cause
    from bo_worker.domain.demand import OrderLine, Rank
    from bo_worker.domain.facts import Fact
    from bo_worker.domain.missing import NotLoadedError
    from bo_worker.domain.settle import Effect
    from bo_worker.messages.record import Event, Message
    from bo_worker.store.losses import Place
    from bo_worker.store.products import LaneName

# What counts units of goods, by kind of fact.
_COUNTED = {
    "ship": "ship",
    "cross_dock": "cross_dock",
    "put_away": "put_away",
    "order_backordered": "backordered",
}
_FIRST_UNITS = 16
_GROWTH = 4


class OrdersBusyError(Exception):
    """Orders found in a queue are locked by somebody else: try again with them locked first."""

    def __init__(self, order_ids: Collection[str]) -> None:
        super().__init__(f"{len(order_ids)} orders of a queue are locked elsewhere")
        self.order_ids = order_ids


@dataclass(slots=True, frozen=True)
class Rules:
    """How this worker serves: the rank of waiting lines, and how many lines one transaction may serve.

    `token_secret` signs the tokens of notices; without one the database has it.
    """

    rank_by: str
    fill_lines_max: int
    topic_prefix: str = ""
    terms: Terms = field(default_factory=Terms)
    token_secret: bytes | None = field(default=None, repr=False)

    @property
    def rank(self) -> Callable[[OrderLine], Rank]:
        """Return the function that ranks waiting lines."""
        return rank_by_need_by if self.rank_by == "need_by" else rank_by_placed_at

    def new_account(self, now: datetime) -> Account:
        """Return an account with nothing loaded."""
        return Account(self.rank, today=now.date(), now=now, terms=self.terms)


@dataclass(slots=True)
class Lessons:
    """What failed attempts have taught: orders to lock first, how much to load, and to serve in steps.

    `lanes` and `claims` are the units for which more of a queue, or of the claims at a place, must be loaded. The
    queues of the SKUs `one_by_one` must be known line by line.
    """

    order_ids: set[str] = field(default_factory=set)
    lanes: dict[Place, int] = field(default_factory=dict)
    claims: dict[Place, int] = field(default_factory=dict)
    one_by_one: set[str] = field(default_factory=set)
    in_steps: bool = False

    def learn(self, missing: NotLoadedError) -> None:
        """Ask for more of what was used up: first for a little, then for ever more."""
        if isinstance(missing, QueueUndividedError):
            self.one_by_one.add(missing.sku)
            return
        units = self.claims if isinstance(missing, ClaimsExhaustedError) else self.lanes
        place = (missing.sku, missing.location)
        units[place] = max(_FIRST_UNITS, _GROWTH * units.get(place, 0))


@dataclass(slots=True)
class Work:
    """What is locked, and what came of it.

    `messages` are the events of the facts, and dead letters; `units` counts the units of goods by what became of
    them. `begun` are changes that are settled in later steps, which is asked for with `in_steps`.
    """

    account: Account
    in_steps: bool = False
    keys: dict[str, Key] = field(default_factory=dict)
    messages: list[Event | Message] = field(default_factory=list)
    units: Counter[str] = field(default_factory=Counter)
    begun: list[tuple[Cause, Effect]] = field(default_factory=list)

    def encode_facts(self, at: bytes) -> None:
        """Number the facts so far per topic and key, without gaps, and make events of them, stamped with `at`.

        Done after each decision, while its facts are at hand, it takes less time than for a whole batch at once.
        """
        facts, messages, units = self.account.facts, self.messages, self.units
        for fact, cause in facts:
            messages.append(encode(fact, sequence=self._next_number(fact), at=at, traceparent=cause.traceparent))
            counted_as = _COUNTED.get(fact.kind)
            if counted_as is not None:
                for line in fact.lines:  # type: ignore[union-attr]  # these kinds have lines
                    units[counted_as] += line.quantity
        facts.clear()

    def _next_number(self, fact: Fact) -> int:
        topic = fact.topic
        if topic == Availability.topic:
            product = self.account.products[fact.key]
            product.availability_sequence += 1
            return product.availability_sequence
        if topic == Procurement.topic:
            product = self.account.products[fact.key]
            product.procurement_sequence += 1
            product.note_purchasing()  # Nothing else of it need have changed, and the number must be stored.
            return product.procurement_sequence
        return self.keys[fact.key].next_number(topic)

    def forget(self) -> None:
        """Let go of what takes long to throw away."""
        self.account.forget()
        self.messages.clear()

    def hold_lines(self) -> None:
        """Let products know the loaded lines that wait for them or have claims on them."""
        for order in self.account.orders.values():
            for line in order.lines:
                product = self.account.products.get(line.sku)
                if product is not None and line.claims:
                    product.holders[order.order_id, line.position] = line
                if product is not None and line.backordered:
                    product.live[order.order_id, line.position] = line


async def load_lanes(
    connection: asyncpg.Connection,
    work: Work,
    lanes: Mapping[LaneName, int],
    rank_by: str,
    lines_max: int,
    total_max: int,
) -> None:
    """Load the heads of lanes with the orders that wait there. Their products are locked.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
        TooManyLinesError: more than `total_max` lines.
    """
    if not lanes:
        return
    heads = await load_lane_heads(connection, lanes, rank_by, lines_max, total_max)
    await load_found(connection, work, {order_id for head in heads.values() for order_id, *_ in head}, whole=False)
    fill_lanes(work.account, lanes, heads, lines_max)


async def load_losses(
    connection: asyncpg.Connection, work: Work, places: Mapping[Place, int], rank_by: str, claims_max: int
) -> None:
    """Load the claims that a correction may take, with their orders. Their products are locked.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
        TooManyLinesError: more than `claims_max` claims at a place.
    """
    if not places:
        return
    found = await find_losing_claims(connection, places, rank_by, claims_max)
    await load_found(connection, work, {order_id for claims in found.values() for order_id, *_ in claims}, whole=True)
    set_tails(work.account, places, found)


async def load_found(connection: asyncpg.Connection, work: Work, order_ids: set[str], *, whole: bool) -> None:
    """Lock and load orders that were found in a queue. Products are locked already.

    Raises:
        OrdersBusyError: an order is locked elsewhere.
    """
    await lock_found(connection, work, order_ids - work.keys.keys())
    work.account.orders.update(await load_orders(connection, order_ids - work.account.orders.keys(), whole=whole))


async def lock_found(connection: asyncpg.Connection, work: Work, order_ids: Collection[str]) -> None:
    """Lock keys that were found when products are locked already.

    Raises:
        OrdersBusyError: one is locked elsewhere.
    """
    if not order_ids:
        return
    try:
        work.keys.update(await lock_keys(connection, order_ids, nowait=True))
    except asyncpg.LockNotAvailableError as error:
        raise OrdersBusyError(order_ids) from error


def reserve(account: Account, effect: Effect) -> None:
    """Note that products are about to be reserved for a change that is settled in steps."""
    for sku in effect.locations:
        account.product(sku).is_reserved = True


async def save_work(connection: asyncpg.Connection, work: Work, now: datetime) -> int:
    """Write what changed, and last of all the messages that tell of it; return how many messages."""
    account, messages = work.account, work.messages
    at = instant(now)
    for _, effect in work.begun:
        reserve(account, effect)
    await close_backorders(connection, account)
    _follow_payments(account)
    _publish_availability(account)
    _follow_waitlists(account)
    work.encode_facts(at)
    await save_keys(connection, work.keys.values())
    await save_orders(connection, account.orders.values(), now)
    await save_promises(connection, account)
    if account.consents:
        await save_consents(connection, account.consents.values(), now)
    await save_purchase_orders(connection, account.purchase_orders.values())
    await publish_procurement(connection, account)
    work.encode_facts(at)
    await save_products(connection, account.products.values())
    await save_joined(connection, account.joined)
    await save_deliveries(connection, account.deliveries.values(), account.doubted)
    await count_served(connection, account.served_by_truck)
    # Postgres takes longer over the journal than we do: what comes next is made ready meanwhile.
    packing = asyncio.create_task(pack_rows(messages))
    await append_journal(connection, account.journal, now)
    for count, body in await packing:
        await append_outbox(connection, count, body)
    return len(messages)


def _publish_availability(account: Account) -> None:
    """Tell the state of each product that changed, once for the whole transaction; the last cause stands for all.

    Of a large change the outcome is told when it is done: what is free meanwhile is not for who comes now.
    """
    for product in account.products.values():
        if product.is_reserved or not product.is_changed or not product.touched_by:
            continue
        if (found := snapshot(product)) != product.published:
            account.cause = product.touched_by
            account.publish(availability(product, found, account.today))


def _follow_payments(account: Account) -> None:
    """Ask back what is still to be asked back, whatever gave it up, and note when payments are due."""
    for order in account.orders.values():
        if order.payment is not None:
            pay_back(account, order)
            set_due(account, order)


def _follow_waitlists(account: Account) -> None:
    """Let waitlists know of the stock that is left; that of products with a large change at work when it is done."""
    for product in account.products.values():
        if product.waitlist is not None and product.is_changed and not product.is_reserved:
            follow_stock(product)
