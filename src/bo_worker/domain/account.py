"""The account: the part of stock, claims and queues that one transaction works on, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bo_worker.domain.demand import rank_by_placed_at
from bo_worker.domain.journal import Entry
from bo_worker.domain.stock import ANY_LOCATION, Product

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.domain.commands import AmendOrder, CancelOrder
    from bo_worker.domain.demand import Order, OrderLine, Rank
    from bo_worker.domain.facts import Fact
    from bo_worker.domain.journal import Change


@dataclass(slots=True)
class Cause:
    """The message that makes something happen: its topic, its natural id, its trace.

    `name` is what the ids of its facts are derived from.
    """

    topic: str
    natural_id: str
    traceparent: str | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"{self.topic}/{self.natural_id}"


@dataclass(slots=True, frozen=True)
class Refusal:
    """Why a well-formed message can't be applied; nothing was changed."""

    error: str
    reason: str


@dataclass(slots=True, frozen=True)
class Early:
    """A message that came before its order and waits for it; `token` is the caller's own name for it."""

    cause: Cause
    command: CancelOrder | AmendOrder
    token: Any = None


@dataclass(slots=True)
class Account:
    """A unit of work. Facts are recorded in the order in which they happened, each with its cause.

    `cause` is the message at work; whoever applies a command sets it first.
    `early` holds messages that wait for an order of this unit of work, `refused` those of them that turned out
    to be wrong when it came.
    """

    rank: Callable[[OrderLine], Rank] = rank_by_placed_at
    products: dict[str, Product] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    cause: Cause = field(default_factory=lambda: Cause("", ""))
    facts: list[tuple[Fact, Cause]] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)
    early: dict[str, list[Early]] = field(default_factory=dict)
    refused: list[tuple[Early, Refusal]] = field(default_factory=list)

    def product(self, sku: str) -> Product:
        """Return the product, a new one without policy or stock where it was never heard of."""
        found = self.products.get(sku)
        if found is None:
            found = self.products[sku] = Product(sku)
        return found

    def publish(self, fact: Fact) -> None:
        """Record what happened."""
        self.facts.append((fact, self.cause))

    def note(
        self, change: Change, quantity: int, sku: str, location: str = "", line: OrderLine | None = None
    ) -> Entry:
        """Write an entry in the journal: what changed, by how much, where, for whom."""
        entry = Entry(self.cause.name, change, quantity, sku, location)
        if line is not None:
            entry.order_id, entry.position = line.order.order_id, line.position
        self.journal.append(entry)
        self.product(sku).touched_by = self.cause
        return entry

    def enqueue(self, product: Product, line: OrderLine) -> None:
        """Let a line wait in its product's queue at its rank."""
        product.lane(line.location or ANY_LOCATION).push(self.rank(line), line)

    def forget(self) -> None:
        """Let go of orders whose lines point back at them, so that no garbage collector has to find them."""
        for order in self.orders.values():
            order.lines.clear()
