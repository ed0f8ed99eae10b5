"""Random orders, goods, days and changes with a window: nothing is lost, and nothing waits without its reason."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from bo_worker.domain.account import Terms
from bo_worker.domain.cause import Cause
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.facts import Notification
from bo_worker.domain.settle import release_served
from changes import Changes, amends, cancels, corrects, sets
from story import brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.demand import Order
    from bo_worker.domain.facts import Fact

FIRST = date(2026, 11, 21)
WINDOW = 5
SKUS = ("SKU-1", "SKU-2", "SKU-3")


class Shop(Changes):
    """A story in which products can be had in 2 to 8 days; every step checks the account and its journal."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)  # noqa: S311 - repeatable
        self.account.today = FIRST
        self.account.terms = Terms(choices=ChoiceTerms(consolidate_days=WINDOW))
        self.steps = self.told = 0
        for lead, sku in zip((2, 4, 8), SKUS, strict=True):
            self.hears(sets(sku=sku, lead_time_days=lead))

    def goes_on(self) -> None:
        self.steps += 1
        happens = (self._order, self._order, self._receipt, self._receipt, self._less, self._amend, self._day)
        before = {order.order_id: order.hold_until for order in self.account.orders.values()}
        facts = self.chance.choice(happens)()
        for order in self.account.orders.values():
            check_hold(order, self.account.today)
        begun = {
            order.order_id
            for order in self.account.orders.values()
            if order.hold_until is not None and before.get(order.order_id) is None
        }
        told = [fact for fact in facts if isinstance(fact, Notification) and fact.reason == "consolidation"]
        assert sorted(fact.order_id for fact in told) == sorted(begun)
        self.told += len(told)

    def _order(self) -> list[Fact]:
        lines = [wants(self.chance.randint(1, 3), line_id, self.chance.choice(SKUS)) for line_id in "ab"]
        return self.order(f"SO-{self.steps}", *lines, ship_complete=self.chance.random() < 0.2)

    def _receipt(self) -> list[Fact]:
        return self.receipt(f"R-{self.steps}", brings(self.chance.randint(1, 6), sku=self.chance.choice(SKUS)))

    def _less(self) -> list[Fact]:
        sku, order_ids = self.chance.choice(SKUS), list(self.account.orders)
        stock = self.account.product(sku).stock.get("WH1")
        if stock is not None and stock.on_hand and self.chance.random() < 0.5:
            return self.hears(corrects(f"ADJ-{self.steps}", -1, sku=sku))
        return self.hears(cancels(f"X-{self.steps}", self.chance.choice(order_ids))) if order_ids else []

    def _amend(self) -> list[Fact]:
        order_ids = list(self.account.orders)
        if not order_ids:
            return []
        changed = {"ship_complete": self.chance.random() < 0.5}
        return self.hears(amends(f"AM-{self.steps}", self.chance.choice(order_ids), minute=self.steps, **changed))

    def _day(self) -> list[Fact]:
        """Let days pass; the sweep then looks at the orders whose window has passed, as its job does."""
        self.account.today += timedelta(days=self.chance.randint(1, 4))
        cause = self.account.cause = Cause("sweep", f"hold/{self.steps}")
        for order in list(self.account.orders.values()):
            if order.hold_until is not None and order.hold_until < self.account.today:
                release_served(self.account, order.order_id, None)
                order.hold_until = None
        return self.facts_of(cause)


def check_hold(order: Order, today: date) -> None:
    """What is held waits for something; unless the order leaves as a whole, that is promised within the window."""
    if any(line.held for line in order.lines):
        assert order.is_waiting()
        if not order.ship_complete:
            until = order.hold_until
            assert until is not None
            assert today <= until <= today + timedelta(days=WINDOW)
            days = [line.expected_to for line in order.lines if line.backordered and line.expected_to]
            assert min(days) <= until


@pytest.mark.parametrize("seeds", [range(first, first + 10) for first in range(0, 60, 10)], ids=str)
def test_units_wait_for_the_rest_of_their_order_only_while_it_comes_soon(seeds: range) -> None:
    shops = [Shop(seed) for seed in seeds]
    for shop in shops:
        for _ in range(60):
            shop.goes_on()
    assert sum(shop.told for shop in shops) >= 10
