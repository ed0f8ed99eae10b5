"""What is played, in order: receipts before the first order, then orders and trucks as the shop's clock goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from bo_worker.demo.retail import RetailLine
from bo_worker.demo.supply import opening_receipts, trucks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

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
    """Some orders with the supply that fits them."""

    orders: Sequence[RetailOrder]
    opening: Sequence[Step]
    trading: Sequence[Step]

    @property
    def pauses(self) -> list[timedelta]:
        """Before each step of the trading, the time since the one before it, nights left out."""
        instants = [self.trading[0].at, *(step.at for step in self.trading)]
        return [min(after - before, LONGEST_PAUSE) for before, after in pairwise(instants)]

    @property
    def seconds(self) -> float:
        """The sum of the pauses."""
        return max(1.0, sum(self.pauses, timedelta()).total_seconds())


def build_scenario(orders: Sequence[RetailOrder], number: int) -> Scenario:
    """Everything that is sent for the orders; `number` keeps the receipts of several scenarios apart."""
    opening = [_received(receipt) for receipt in opening_receipts(orders, number)]
    return Scenario(orders, opening, list(_trading(orders, list(trucks(orders, number)))))


def _trading(orders: Sequence[RetailOrder], arrivals: Sequence[Receipt]) -> Iterator[Step]:
    twice, broken = len(orders) // 2, len(orders) // 4
    for index, order in enumerate(orders):
        yield from (_received(receipt) for receipt in arrivals if receipt.after_orders == index)
        yield _created(order)
        if index == twice:
            yield _created(orders[index // 2])._replace(at=order.placed_at)
        if index == broken:
            yield _created(_broken(order))
    yield from (_received(receipt) for receipt in arrivals if receipt.after_orders >= len(orders))


def _broken(order: RetailOrder) -> RetailOrder:
    """An order as no shop should send it: for minus one unit."""
    return replace(order, order_id=BROKEN_ORDER_ID, lines=(RetailLine(order.lines[0].sku, -1, "1.00"),))


def _created(order: RetailOrder) -> Step:
    return Step(order.placed_at, "order-created", order.order_id, order.as_data())


def _received(receipt: Receipt) -> Step:
    return Step(receipt.received_at, "inventory-received", receipt.receipt_id, receipt.as_data())
