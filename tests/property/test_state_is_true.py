"""Random policies, supply, orders and days: what a shop hears of the next unit is what becomes of an order for it."""

from __future__ import annotations

import copy
import random
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, get_args

import pytest

from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import PlaceOrder, PurchaseOrderLine, ReceiveInventory, UpdatePurchaseOrder
from bo_worker.domain.decide import decide
from bo_worker.domain.estimate import lapse
from bo_worker.domain.kinds import turn
from bo_worker.domain.promise import day_without_supply
from bo_worker.domain.settle import Effect, settle
from bo_worker.messages.product_models import ProductPolicyUpdated
from changes import Changes, sets, shop_view
from story import AT, CUSTOMER, brings, wants

if TYPE_CHECKING:
    from bo_worker.domain.commands import Command
    from bo_worker.domain.facts import Availability

KINDS = get_args(ProductPolicyUpdated.__annotations__["kind"])
FIRST = date(2026, 11, 21)
PLACES = {"PO-1": "WH1", "PO-2": "WH2"}
BECOMES = {
    "in_stock": "claimed",
    "backorderable": "waits",
    "pre_order": "waits",
    "out_of_stock": "rejected",
    "discontinued": "rejected",
}


class Shop(Changes):
    """A story of one product, of which anything is decided that has to do with who may wait for it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.chance = random.Random(seed)  # noqa: S311 - repeatable
        self.account.today = FIRST
        self.steps = 0

    def goes_on(self) -> None:
        self.steps += 1
        happens = (self._order, self._order, self._supply, self._supply, self._policy, self._receipt)
        if self.chance.random() < 0.2:
            self._day()
        else:
            self._apply(self.chance.choice(happens)())
        product = self.account.product("SKU-1")
        product.supply = {key: line for key, line in product.supply.items() if line.incoming}
        product.outlook = None

    def says(self) -> Availability:
        return shop_view(self.account.product("SKU-1"), self.account.today)

    @property
    def day_without_supply(self) -> date | None:
        return day_without_supply(self.account.product("SKU-1"), self.account.today)

    def becomes(self, quantity: int) -> tuple[str, date | None]:
        """What would become of an order that came now, and its day; it is placed on a copy."""
        other = copy.deepcopy(self.account)
        decide(other, Cause("order-created", "next"), self._placed("next", quantity), b"")
        line = other.orders["next"].lines[0]
        if line.backordered:
            return "waits", line.expected_to
        return "rejected" if line.rejected else "claimed", None

    def _apply(self, command: Command) -> None:
        decide(self.account, Cause("any", f"{self.steps}"), command, b"%d" % self.steps)

    def _placed(self, order_id: str, quantity: int) -> PlaceOrder:
        return PlaceOrder(order_id, AT + timedelta(hours=self.steps), CUSTOMER, [wants(quantity)])

    def _order(self) -> Command:
        return self._placed(f"SO-{self.steps}", self.chance.randint(1, 4))

    def _receipt(self) -> Command:
        purchase_order_id, place = self.chance.choice([*PLACES.items(), (None, "WH1")])
        at = datetime.combine(self.account.today, time.min, UTC)
        lines = [brings(self.chance.randint(1, 5))]
        return ReceiveInventory(f"R-{self.steps}", place, at, lines, purchase_order_id=purchase_order_id)

    def _supply(self) -> Command:
        purchase_order_id, place = self.chance.choice(list(PLACES.items()))
        day = self._some_day()
        status: Any = self.chance.choice(("confirmed", "confirmed", "in_transit", "draft", "cancelled"))
        line = PurchaseOrderLine("1", "SKU-1", self.chance.randint(1, 8), day, day)
        return UpdatePurchaseOrder(purchase_order_id, self.steps, "SUP-1", place, AT, status, [line])

    def _policy(self) -> Command:
        one_of = self.chance.choice
        optional: dict[str, Any] = {
            "window_days": one_of((None, 5, 20, 60)),
            "lead_time_days": one_of((None, 3, 30)),
            "release_on": one_of((None, self._some_day())),
            "season_ends_on": one_of((None, self._some_day())),
            "backorder_limit": one_of((None, None, 5)),
            "safety_stock": one_of((0, 0, 2)),
        }
        backorder: Any = one_of(("allow", "deny", "if_promised", "if_promised"))
        return sets(self.steps, kind=one_of(KINDS), backorder=backorder, **optional)

    def _day(self) -> None:
        account, product = self.account, self.account.product("SKU-1")
        account.today += timedelta(days=self.chance.randint(1, 10))
        account.cause = Cause("sweep", f"{self.steps}")
        if product.next_change_on is not None and product.next_change_on <= account.today:
            turn(product, account.today)
            settle(account, Effect({"SKU-1": sorted(product.stock)}))
        lapse(account)

    def _some_day(self) -> date:
        return self.account.today + timedelta(days=self.chance.randint(0, 60))


@pytest.mark.parametrize("seed", range(150))
def test_the_state_says_what_becomes_of_an_order_for_one_unit(seed: int) -> None:
    shop = Shop(seed)
    for _ in range(12):
        shop.goes_on()
        found = shop.says()
        assert BECOMES[found.state] == shop.becomes(1)[0], found


@pytest.mark.parametrize("seed", range(150))
def test_units_available_to_promise_are_promised_for_their_day(seed: int) -> None:
    """As many as can be promised from a day on are promised for it to who takes them all, and one more is not."""
    shop = Shop(seed)
    for _ in range(12):
        shop.goes_on()
        for one in shop.says().available_to_promise:
            became, day = shop.becomes(one.quantity)
            assert became != "waits" or day == one.day or one.day < shop.account.today
            became, day = shop.becomes(one.quantity + 1)
            assert became != "waits" or day != one.day or day == shop.day_without_supply
