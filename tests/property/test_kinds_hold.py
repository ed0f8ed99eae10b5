"""Random orders, goods, shipments, policies of all kinds and days: the account is true after each step."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING, get_args

import pytest

from bo_worker.domain.cause import Cause
from bo_worker.domain.kinds import CLOSED, phase_of, turn
from bo_worker.domain.settle import Effect, settle
from bo_worker.messages.product_models import ProductPolicyUpdated
from changes import Changes, cancels, corrects, dispatches, sets
from story import brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.facts import Fact

KINDS = get_args(ProductPolicyUpdated.__annotations__["kind"])
FIRST = date(2026, 11, 21)


class Anything(Changes):
    """A story in which anything happens, some of it refused; every step checks the account and its journal."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)  # noqa: S311 - repeatable
        self.account.today = FIRST
        self.steps = 0

    def goes_on(self) -> list[Fact]:
        self.steps += 1
        happens = (self._order, self._order, self._receipt, self._shipment, self._policy, self._day, self._less)
        return self.chance.choice(happens)()

    def _order(self) -> list[Fact]:
        lines = [wants(self.chance.randint(1, 4), line_id) for line_id in "ab"]
        return self.order(f"SO-{self.steps}", *lines, ship_complete=self.chance.random() < 0.3)

    def _receipt(self) -> list[Fact]:
        return self.receipt(f"R-{self.steps}", brings(self.chance.randint(1, 6)))

    def _shipment(self) -> list[Fact]:
        for order in self.account.orders.values():
            for line in order.lines:
                direct = self.account.product("SKU-1").phase == "drop_ship"
                if line.released or (direct and line.backordered):
                    leaves = (line.line_id, line.released or 1, "WH1")
                    return self.hears(dispatches(f"S-{self.steps}", order.order_id, leaves))
        return []

    def _policy(self) -> list[Fact]:
        start = FIRST + timedelta(days=self.chance.randint(-5, 25))
        end = start + timedelta(days=self.chance.randint(0, 15))
        kind = self.chance.choice(KINDS)
        return self.hears(sets(self.steps, kind=kind, release_on=start, season_ends_on=end, lead_time_days=3))

    def _day(self) -> list[Fact]:
        self.account.today += timedelta(days=self.chance.randint(1, 5))
        product = self.account.product("SKU-1")
        if product.next_change_on is not None and product.next_change_on <= self.account.today:
            turn(product, self.account.today)
            self.account.cause = Cause("sweep", f"season/{self.steps}")
            settle(self.account, Effect({"SKU-1": sorted(product.stock)}))
            return self.facts_of(self.account.cause)
        return []

    def _less(self) -> list[Fact]:
        stock = self.account.product("SKU-1").stock.get("WH1")
        if stock is not None and stock.on_hand:
            return self.hears(corrects(f"ADJ-{self.steps}", -1))
        order_ids = list(self.account.orders)
        return self.hears(cancels(f"X-{self.steps}", self.chance.choice(order_ids))) if order_ids else []


@pytest.mark.parametrize("seed", range(60))
def test_units_are_neither_lost_nor_idle_whatever_kind_a_product_is(seed: int) -> None:
    story = Anything(seed)
    for _ in range(60):
        story.goes_on()
        product = story.account.product("SKU-1")
        if product.next_change_on is None or product.next_change_on > story.account.today:
            assert product.phase == phase_of(product.policy, story.account.today)
            assert product.is_closed == (product.phase in CLOSED)
