"""What is played, in order: purchase orders and stock before the first order, then all as the shop's clock goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from bo_worker.demo.purchases import changes, delivered, expected
from bo_worker.demo.retail import RetailLine, move_to
from bo_worker.demo.supply import opening_receipts, still_to_come, trucks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from bo_worker.demo.purchases import Purchase
    from bo_worker.demo.retail import RetailOrder
    from bo_worker.demo.supply import Receipt

LONGEST_PAUSE = timedelta(minutes=15)  # the night between two days passes in no time
BROKEN_ORDER_ID = "BROKEN"


class Step(NamedTuple):
    """One message to send, at an instant of the shop's clock."""

    at: datetime
    topic: str
    key: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Some orders with the supply that fits them.

    The parts of the opening are what was ordered, its arrival, and what is expected next: the past of the suppliers
    has to be known before it can be told on which of their days to rely.
    """

    orders: Sequence[RetailOrder]
    opening: list[list[Step]]
    trading: list[Step]

    @property
    def pauses(self) -> list[timedelta]:
        """Before each step of the trading, the time since the one before it, nights left out."""
        instants = [self.trading[0].at, *(step.at for step in self.trading)]
        return [min(after - before, LONGEST_PAUSE) for before, after in pairwise(instants)]

    @property
    def seconds(self) -> float:
        """The sum of the pauses."""
        return max(1.0, sum(self.pauses, timedelta()).total_seconds())


def build_scenario(sample: Sequence[RetailOrder], number: int, first_day: date) -> Scenario:
    """Everything that is sent for the orders, with the first day of the sample on `first_day`.

    `number` keeps the supply of several scenarios apart.
    """
    orders = move_to(first_day, sample)
    stock, arrivals = list(opening_receipts(orders, number)), list(trucks(orders, number))
    ordered = [_purchased(purchase) for purchase in delivered(stock)]
    on_order = [_purchased(purchase) for purchase in expected([*arrivals, *still_to_come(orders, number)])]
    opening = [ordered, [_received(receipt) for receipt in stock], on_order]
    supply = [(change.after_orders, _purchased(change)) for change in changes(arrivals, len(orders))]
    supply += [(arrival.after_orders, _received(arrival)) for arrival in arrivals]
    return Scenario(orders, opening, list(_trading(orders, supply)))


def _trading(orders: Sequence[RetailOrder], supply: Sequence[tuple[int, Step]]) -> Iterator[Step]:
    twice, broken = len(orders) // 2, len(orders) // 4
    for index, order in enumerate(orders):
        yield from (step._replace(at=order.placed_at) for after, step in supply if after == index)
        yield _created(order)
        if index == twice:
            yield _created(orders[index // 2])._replace(at=order.placed_at)
        if index == broken:
            yield _created(_broken(order))
    yield from (step for after, step in supply if after >= len(orders))


def _broken(order: RetailOrder) -> RetailOrder:
    """An order as no shop should send it: for minus one unit."""
    return replace(order, order_id=BROKEN_ORDER_ID, lines=(RetailLine(order.lines[0].sku, -1, "1.00"),))


def _created(order: RetailOrder) -> Step:
    return Step(order.placed_at, "order-created", order.order_id, order.as_data())


def _received(receipt: Receipt) -> Step:
    return Step(receipt.received_at, "inventory-received", receipt.receipt_id, receipt.as_data())


def _purchased(purchase: Purchase) -> Step:
    return Step(purchase.updated_at, "purchase-order-updated", purchase.purchase_order_id, purchase.as_data())
