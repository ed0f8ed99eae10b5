"""The shop as a whole: what happens at which hour of a day, given what the worker has published before."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from bo_worker.year.assortment import Assortment
from bo_worker.year.buying import Buying
from bo_worker.year.chance import chances
from bo_worker.year.customers import Customers
from bo_worker.year.days import Days
from bo_worker.year.payments import Payments
from bo_worker.year.warehouse import Warehouse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date

    from bo_worker.demo.retail import RetailOrder
    from bo_worker.year.statistics import Statistics
    from bo_worker.year.step import Heard, Step

# When the day's phases are: the worker is through with one before the next begins.
NIGHT: Final = time(0, 5)
_PURCHASING, _RECEIVING, _ANSWERING, _MORNING = time(6), time(8), time(9), time(10)
_SHIPPING, _ORDERING = time(17), time(20)
EVENING: Final = time(23, 30)


class Shop:
    """Everybody but the worker. It hears what the worker publishes after each phase, and acts on it in the next."""

    def __init__(
        self,
        sample: Sequence[RetailOrder],
        statistics: Statistics,
        days: Sequence[date],
        orders_per_day: float,
        seed: int,
    ) -> None:
        chance = chances(seed)
        self.days = days
        self.assortment = Assortment(statistics, orders_per_day, days, chance)
        self.buying = Buying(self.assortment, chance)
        self.warehouse = Warehouse(self.assortment, chance)
        self.customers = Customers(chance)
        self.payments = Payments(chance)
        self.sent: Counter[str] = Counter()
        self.units_ordered = 0
        self._demand = Days(sample, random.Random(seed), orders_per_day)

    def opening(self) -> Iterator[tuple[datetime, list[Step]]]:
        """Give what is there before the first day: policies, and a stock that suppliers have delivered."""
        day = self.days[0]
        now = at(day, time())
        ordered, received, closed = self.buying.opening(day, now)
        yield now, self._counted(self.assortment.changes(day, now) + ordered)
        self.warehouse.receive(received)
        yield now, self._counted(received)
        yield now, self._counted(closed)

    def phases(self, day: date) -> Iterator[tuple[datetime, list[Step]]]:
        """Give, one after the other, the instants of a day at which something happens, with what happens."""
        yield at(day, NIGHT), []
        for hour, act in self._acts():
            now = at(day, hour)
            yield now, self._counted(act(day, now))

    def hear(self, heard: Iterable[Heard], day: date) -> None:
        """Take note of what the worker published."""
        found = list(heard)
        self.buying.hear(found)
        self.warehouse.hear(found, day)
        self.customers.hear(found, day)
        self.payments.hear(found)

    def _acts(self) -> tuple[tuple[time, Callable[[date, datetime], list[Step]]], ...]:
        return (
            (_PURCHASING, self._purchase),
            (_RECEIVING, self._receive),
            (_ANSWERING, self._answer),
            (_MORNING, self._decide),
            (_SHIPPING, self._ship),
            (_ORDERING, self._order),
        )

    def _purchase(self, day: date, now: datetime) -> list[Step]:
        changes = [] if day == self.days[0] else self.assortment.changes(day, now)
        return changes + self.buying.news(day, now, self.warehouse.on_hand)

    def _receive(self, day: date, now: datetime) -> list[Step]:
        receipts = self.buying.receipts(day, now)
        self.warehouse.receive(receipts)
        return receipts

    def _answer(self, _day: date, now: datetime) -> list[Step]:
        """Answer by itself: what else happens then may make the worker ask once more, before the answer is in."""
        return self.customers.answers.given(now)

    def _decide(self, day: date, now: datetime) -> list[Step]:
        customers = self.customers
        cancelled = customers.cancellations(day, now)
        paid = self.payments.events(now)
        return [*cancelled, *customers.hurries(day, now), *paid, *self.warehouse.counts(day, now)]

    def _ship(self, day: date, now: datetime) -> list[Step]:
        waits = [(order_id, wait.since, wait.lines) for order_id, wait in self.customers.waits.items()]
        sent_by_suppliers = self.warehouse.drop_ships(waits, day, now)
        self.customers.receive(sent_by_suppliers)
        return self.warehouse.shipments(day, now) + sent_by_suppliers

    def _order(self, day: date, now: datetime) -> list[Step]:
        orders = self._demand.orders(day)
        self.units_ordered += sum(order.units for order in orders)
        placed = self.customers.orders(orders)
        self.payments.note(placed)
        return placed + self.customers.waitlist(day, now)

    def _counted(self, steps: list[Step]) -> list[Step]:
        self.sent.update(step.topic for step in steps)
        return steps


def at(day: date, hour: time) -> datetime:
    """Return an instant of a day, in UTC."""
    return datetime.combine(day, hour, UTC)
