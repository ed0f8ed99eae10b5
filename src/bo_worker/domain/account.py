"""The account: the part of stock, claims and queues that one transaction works on, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.demand import rank_by_placed_at
from bo_worker.domain.stock import ANY_LOCATION, Product

if TYPE_CHECKING:
    from collections.abc import Callable

    from bo_worker.domain.demand import Order, OrderLine, Rank
    from bo_worker.domain.facts import Fact


@dataclass(slots=True, frozen=True)
class Cause:
    """The message that makes something happen: its topic, its natural id, its trace."""

    topic: str
    natural_id: str
    traceparent: str | None = None

    @property
    def name(self) -> str:
        """What ids of facts are derived from."""
        return f"{self.topic}/{self.natural_id}"


@dataclass(slots=True, frozen=True)
class Refusal:
    """Why a well-formed message can't be applied; nothing was changed."""

    error: str
    reason: str


class QueueExhaustedError(Exception):
    """More of a lane must be loaded before its product can be served."""

    def __init__(self, sku: str, location: str) -> None:
        super().__init__(f"the loaded part of lane {location!r} of {sku} is used up")
        self.sku = sku
        self.location = location


@dataclass(slots=True)
class Account:
    """A unit of work. Facts are recorded in the order in which they happened, each with its cause."""

    rank: Callable[[OrderLine], Rank] = rank_by_placed_at
    products: dict[str, Product] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    facts: list[tuple[Fact, Cause]] = field(default_factory=list)

    def product(self, sku: str) -> Product:
        """Return the product, a new one without policy or stock where it was never heard of."""
        found = self.products.get(sku)
        if found is None:
            found = self.products[sku] = Product(sku)
        return found

    def publish(self, fact: Fact, cause: Cause) -> None:
        """Record what happened."""
        self.facts.append((fact, cause))

    def enqueue(self, product: Product, line: OrderLine) -> None:
        """Let a line wait in its product's queue at its rank."""
        product.lane(line.location or ANY_LOCATION).push(self.rank(line), line)

    def forget(self) -> None:
        """Let go of orders whose lines point back at them, so that no garbage collector has to find them."""
        for order in self.orders.values():
            order.lines.clear()
