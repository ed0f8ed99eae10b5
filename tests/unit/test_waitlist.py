"""Who on a waitlist is told, and when it is due: the pure part."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bo_worker.domain.account import Account
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import JoinWaitlist
from bo_worker.domain.facts import BackInStock
from bo_worker.domain.stock import Product, Waitlist
from bo_worker.domain.waitlist import follow_stock, join_waitlist, tell, units_to_tell, whom_to_tell

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def entry(number: int, quantity: int = 1) -> JoinWaitlist:
    return JoinWaitlist(f"W-{number}", "SKU-1", {"customer_id": "C-8"}, AT, quantity)


def stocked(units: int, waitlist: Waitlist | None = None) -> Product:
    product = Product("SKU-1", waitlist=waitlist)
    product.stock_at("WH1").on_hand = units
    return product


@pytest.mark.parametrize(
    ("quantities", "units", "parts"),
    [
        ([1, 1, 1], 2, [1, 1]),
        ([1, 1], 5, [1, 1]),
        ([2, 3, 1], 5, [2, 3]),
        ([2, 3, 1], 3, [2, 1]),
        ([100, 1], 1, [1]),
        ([1], 0, []),
        ([], 3, []),
    ],
)
def test_as_many_are_told_in_turn_as_there_are_units(quantities: list[int], units: int, parts: list[int]) -> None:
    entries = [entry(number, quantity) for number, quantity in enumerate(quantities)]
    assert whom_to_tell(entries, units) == list(zip(entries, parts, strict=False))


def test_who_is_told_hears_of_all_that_was_asked_for() -> None:
    account = Account(cause=Cause("sweep", "waitlist/SKU-1/1"))
    product = account.products["SKU-1"] = stocked(3, Waitlist(round=1))
    assert tell(account, product, [entry(1, 5), entry(2)]) == [(entry(1, 5), 3)]
    [(fact, _)] = account.facts
    assert isinstance(fact, BackInStock)
    assert (fact.key, fact.quantity) == ("W-1", 5)
    assert units_to_tell(product) == 0


def test_who_joins_is_kept_and_has_the_waitlist_looked_at() -> None:
    account = Account()
    join_waitlist(account, entry(1))
    product = account.products["SKU-1"]
    assert account.joined == [entry(1)]
    follow_stock(product)
    assert product.waitlist is not None
    assert not product.waitlist.is_due
    product.stock_at("WH1").on_hand = 1
    follow_stock(product)
    assert (product.waitlist.is_due, product.waitlist.round) == (True, 1)


def test_a_new_round_begins_only_when_units_come_where_there_were_none() -> None:
    waitlist = Waitlist(round=1, told=4, is_in_stock=True, free_before=4)
    product = stocked(7, waitlist)
    follow_stock(product)
    assert (waitlist.round, waitlist.told, waitlist.is_due) == (1, 4, True)
    product.stock_at("WH1").on_hand = 0
    follow_stock(product)
    assert (waitlist.round, waitlist.is_in_stock, waitlist.is_due) == (1, False, False)
    product.stock_at("WH1").on_hand = 2
    follow_stock(product)
    assert (waitlist.round, waitlist.told, waitlist.is_due) == (2, 0, True)


def test_a_sale_makes_nothing_due() -> None:
    waitlist = Waitlist(round=1, told=1, is_in_stock=True, free_before=9)
    follow_stock(stocked(8, waitlist))
    assert not waitlist.is_due


def test_units_below_what_was_told_leave_nothing_to_tell() -> None:
    assert units_to_tell(stocked(2, Waitlist(round=1, told=5))) == 0
    assert units_to_tell(stocked(2)) == 0
