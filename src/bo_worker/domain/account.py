"""The account: the part of stock, claims and queues that one transaction works on, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from bo_worker.domain.cause import Cause
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.cross_dock import DockTerms
from bo_worker.domain.delay_rule import DelayTerms
from bo_worker.domain.demand import ANY_LOCATION, rank_by_placed_at
from bo_worker.domain.journal import Entry
from bo_worker.domain.payment import PaymentTerms
from bo_worker.domain.stock import Product
from bo_worker.domain.supply import PurchaseOrder
from bo_worker.domain.working_days import weekends

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.domain.commands import AmendOrder, CancelOrder, JoinWaitlist, UpdatePayment
    from bo_worker.domain.consent import Consent
    from bo_worker.domain.demand import Order, OrderLine, Rank
    from bo_worker.domain.facts import Fact
    from bo_worker.domain.journal import Change
    from bo_worker.domain.lateness import History
    from bo_worker.domain.order_supply import Loss
    from bo_worker.domain.supply import Delivery


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True, frozen=True)
class Refusal:
    """Why a well-formed message can't be applied; nothing was changed."""

    error: str
    reason: str


def refuse_version(name: str, known: tuple[int, bytes], received: tuple[int, bytes]) -> Refusal | None:
    """Refuse a version (with its digest) that is known with other content. One that is no newer has no effect."""
    if received[0] != known[0] or received[1] == known[1]:
        return None
    return Refusal("conflict", f"version {received[0]} of {name} was received before with other content")


@dataclass(slots=True, frozen=True)
class Early:
    """A message that came before its order and waits for it; `token` is the caller's own name for it."""

    cause: Cause
    command: CancelOrder | AmendOrder | UpdatePayment
    token: Any = None


@dataclass(slots=True, frozen=True)
class Terms:
    """How promises are made: they hold with probability `level`.

    A supplier without enough history counts as `default_days` late; `own_enough` deliveries of one SKU are enough
    to go by them alone. A customer hears of a promise that moved by `moved_days` or more. `dock` says what of a
    receipt may leave from the dock. `is_day_off` tells on which days nobody works in a country (ISO 3166-1), and
    `delays` what holds when a promise may be missed. `choices` says what customers are told and offered beyond what
    they must be, `payment` when money is asked for.
    """

    level: float = 0.9
    default_days: int = 0
    own_enough: int = 20
    moved_days: int = 1
    dock: DockTerms = field(default_factory=DockTerms)
    is_day_off: Callable[[str | None, date], bool] = weekends
    delays: DelayTerms = field(default_factory=DelayTerms)
    choices: ChoiceTerms = field(default_factory=ChoiceTerms)
    payment: PaymentTerms = field(default_factory=PaymentTerms)


@dataclass(slots=True)
class Account:
    """A unit of work. Facts are recorded in the order in which they happened, each with its cause.

    `cause` is the message at work; whoever applies a command sets it first.
    `now` is the instant and `today` the day (UTC) that it works on. `histories` are those of suppliers, by
    (supplier id, SKU).
    `doubted` are suppliers whose open supply is to be estimated anew, besides those with `deliveries`.
    `served_by_truck` counts units that went from a receipt of a purchase order in transit to order lines, by
    (purchase order id, order id, position).
    `early` holds messages that wait for an order of this unit of work, `refused` those of them that turned out
    to be wrong when it came. `joined` are new entries of waitlists.
    `own_supply` are lines (order id, position) for which supply of their own was asked for, `own_supply_due` the SKUs
    that need it from now on, for lines that wait already; `own_supply_lost` is what orders lost of it.
    `promised` holds new lines whose customers are told a day, `ended` whether a promised line (order id, position)
    was served whole (True) or given up by its customer, whichever came first. `undated` are lines of which customers
    heard that they wait once more, but no day.
    `consents` are those of lines (order id, position) whose customers were told of a delay, or may have to be; they
    are loaded for orders that are looked at for it, or answered for.
    """

    rank: Callable[[OrderLine], Rank] = rank_by_placed_at
    products: dict[str, Product] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    cause: Cause = field(default_factory=lambda: Cause("", ""))
    facts: list[tuple[Fact, Cause]] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    early: dict[str, list[Early]] = field(default_factory=dict)
    refused: list[tuple[Early, Refusal]] = field(default_factory=list)
    joined: list[JoinWaitlist] = field(default_factory=list)
    today: date = date.min
    now: datetime = _LONG_AGO
    terms: Terms = field(default_factory=Terms)
    purchase_orders: dict[str, PurchaseOrder] = field(default_factory=dict)
    histories: dict[tuple[str, str], History] = field(default_factory=dict)
    deliveries: dict[tuple[str, str, str], Delivery] = field(default_factory=dict)
    doubted: set[str] = field(default_factory=set)
    own_supply: list[tuple[str, int]] = field(default_factory=list)
    own_supply_due: set[str] = field(default_factory=set)
    own_supply_lost: list[Loss] = field(default_factory=list)
    promised: list[OrderLine] = field(default_factory=list)
    ended: dict[tuple[str, int], bool] = field(default_factory=dict)
    undated: list[tuple[str, int]] = field(default_factory=list)
    served_by_truck: dict[tuple[str, str, int], int] = field(default_factory=dict)
    consents: dict[tuple[str, int], Consent] = field(default_factory=dict)

    def product(self, sku: str) -> Product:
        """Return the product, a new one without policy or stock where it was never heard of."""
        found = self.products.get(sku)
        if found is None:
            found = self.products[sku] = Product(sku)
        return found

    def purchase_order(self, purchase_order_id: str) -> PurchaseOrder:
        """Return a purchase order, one that was not announced yet where it was never heard of."""
        found = self.purchase_orders.get(purchase_order_id)
        if found is None:
            found = self.purchase_orders[purchase_order_id] = PurchaseOrder(purchase_order_id)
        return found

    def publish(self, fact: Fact) -> None:
        """Record what happened."""
        self.facts.append((fact, self.cause))

    def note(
        self, change: Change, quantity: int, sku: str, location: str = "", line: OrderLine | None = None
    ) -> Entry:
        """Write an entry in the journal: what changed, by how much, where, for whom."""
        cause = self.cause
        if line is None:
            entry = Entry(cause.name, change, quantity, sku, location)
        else:
            entry = Entry(cause.name, change, quantity, sku, location, line.order.order_id, line.position)
        self.journal.append(entry)
        self.product(sku).touched_by = cause
        return entry

    def enqueue(self, product: Product, line: OrderLine) -> None:
        """Let a line wait in its product's queue at its rank."""
        product.live[line.order.order_id, line.position] = line
        product.lane(line.location or ANY_LOCATION).push(self.rank(line), line)

    def end_promise(self, line: OrderLine, *, kept: bool) -> None:
        """Note that nothing of a promised line waits any more: it was served, or else its customer gave it up."""
        self.ended.setdefault((line.order.order_id, line.position), kept)

    def forget(self) -> None:
        """Let go of what a batch leaves most of, and of orders whose lines point back at them.

        So no garbage collector has to find these.
        """
        for order in self.orders.values():
            order.lines.clear()
        self.orders.clear()
        self.products.clear()
        self.journal.clear()
        self.promised.clear()
