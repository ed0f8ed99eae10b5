"""Random orders, goods, corrections, cancellations and switches: the account is true after each step."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from bo_worker.domain.allocation import choose
from bo_worker.domain.cause import Cause
from bo_worker.domain.facts import Notification, Ship
from bo_worker.domain.settle import settle
from bo_worker.domain.substitute import substitutes, switch_line
from changes import Changes, cancels, corrects, picture, sets
from story import brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.demand import Order, OrderLine
    from bo_worker.domain.facts import Fact

SKUS = ("SKU-1", "SKU-2", "SKU-3")
PLACES = ("WH1", "WH2")


class Shop(Changes):
    """A story in which each product may stand in for the others; every step checks the account and its journal."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)  # noqa: S311 - repeatable
        self.steps = self.switched = 0
        for sku in SKUS:
            self.hears(sets(sku=sku, substitutes=[other for other in SKUS if other != sku]))

    def goes_on(self) -> None:
        self.steps += 1
        happens = (self._order, self._order, self._receipt, self._less, self._switch, self._switch)
        self.chance.choice(happens)()

    def _order(self) -> None:
        lines = [
            wants(self.chance.randint(1, 4), line_id, self.chance.choice(SKUS), at=self.chance.choice((None, "WH1")))
            for line_id in "ab"
        ]
        self.order(f"SO-{self.steps}", *lines, ship_complete=self.chance.random() < 0.4)

    def _receipt(self) -> None:
        goods = brings(self.chance.randint(1, 9), sku=self.chance.choice(SKUS))
        self.receipt(f"R-{self.steps}", goods, location=self.chance.choice(PLACES))

    def _less(self) -> None:
        sku = self.chance.choice(SKUS)
        stocks = [stock for stock in self.account.product(sku).stock.values() if stock.on_hand]
        if stocks and self.chance.random() < 0.5:
            self.hears(corrects(f"ADJ-{self.steps}", -1, sku=sku, location=self.chance.choice(stocks).location))
        elif self.account.orders:
            self.hears(cancels(f"X-{self.steps}", self.chance.choice(list(self.account.orders))))

    def _switch(self) -> None:
        lines = [line for order in self.account.orders.values() for line in order.lines if line.backordered]
        if lines:
            line = self.chance.choice(lines)
            self.switch(line, self.chance.choice(SKUS))

    def switch(self, line: OrderLine, sku: str) -> list[Fact] | None:
        """Switch what waits of a line, and check what that must bring about."""
        account, order, waiting = self.account, line.order, line.backordered
        cause = account.cause = Cause("customer-response", f"RS-{self.steps}")
        can = sku in substitutes(account, line)
        before, others = picture(account), _others(order, line)
        effect = switch_line(account, order, line, sku)
        assert (effect is not None) is can
        if effect is None:
            assert picture(account) == before
            return None
        assert switch_line(account, order, line, sku) is None
        settle(account, effect)
        facts = self.facts_of(cause)
        self.switched += 1
        new = order.lines[-1]
        assert (new.sku, new.quantity, new.backordered, line.backordered) == (sku, waiting, 0, 0)
        assert max(order.lines, key=account.rank) is new
        assert _others(order, line)[: len(others)] == others or order.ship_complete
        _check_told(facts, order, new)
        return facts


def _others(order: Order, line: OrderLine) -> list[tuple[int, int, int, int]]:
    return [
        (other.position, other.backordered, other.held, other.cancelled) for other in order.lines if other is not line
    ]


def _check_told(facts: list[Fact], order: Order, new: OrderLine) -> None:
    """The units leave, and the customer hears of them once; or they are held, and nothing is said."""
    left = sum(part.quantity for fact in facts if isinstance(fact, Ship) for part in fact.lines)
    told = [fact for fact in facts if isinstance(fact, Notification)]
    if order.ship_complete and order.is_waiting():
        assert (new.held, facts) == (new.quantity, [])
        return
    assert new.released == new.quantity
    assert left >= new.quantity
    assert [(fact.kind, sum(line.quantity for line in fact.lines)) for fact in told] == [("backorder_filled", left)]


@pytest.mark.parametrize("seed", range(60))
def test_a_switch_neither_makes_nor_loses_a_unit_and_passes_nobody(seed: int) -> None:
    shop = Shop(seed)
    for _ in range(60):
        shop.goes_on()
    ids = Counter((order.order_id, line.line_id) for order in shop.account.orders.values() for line in order.lines)
    assert set(ids.values()) <= {1}
    for order in shop.account.orders.values():
        assert [line.position for line in order.lines] == list(range(1, len(order.lines) + 1))
        for line in order.lines:
            # Who waits could not have what is free: a new line took nothing that was meant for another.
            assert not (line.backordered and choose(shop.account.product(line.sku), line))


def test_switches_happen_often_enough_to_say_something() -> None:
    shops = [Shop(seed) for seed in range(10)]
    for shop in shops:
        for _ in range(60):
            shop.goes_on()
    assert sum(shop.switched for shop in shops) >= 20
