"""The queue is served to where it is loaded and no further; what was not loaded may never be passed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bo_worker.domain.account import Account
from bo_worker.domain.allocation import choose, serve_queue
from bo_worker.domain.demand import ANY_LOCATION, Order, OrderLine
from bo_worker.domain.missing import QueueExhaustedError
from bo_worker.domain.stock import Lane, Product
from story import AT, CUSTOMER


def waiting_line(account: Account, minute: int, quantity: int = 1, *, pin: str | None = None) -> OrderLine:
    """A line of an order of its own that has waited since `minute`."""
    order = Order(f"SO-{minute}", AT + timedelta(minutes=minute), CUSTOMER, 0, ship_complete=False, need_by=None)
    line = OrderLine(order, 1, "1", "SKU-1", quantity, pin, None, None, quantity)
    order.lines = [line]
    account.orders[order.order_id] = order
    return line


def loaded(account: Account, product: Product, pin: str, *lines: OrderLine, is_whole: bool) -> None:
    """Load these lines as the head of a lane."""
    lane = Lane(pin, is_whole=is_whole)
    for line in lines:
        lane.push(account.rank(line), line)
    if lines and not is_whole:
        lane.tail = account.rank(lines[-1])
    product.lanes[pin] = lane
    product.waiting += sum(line.backordered for line in lines)


def stored(account: Account, **quantities: int) -> Product:
    """A product with units on hand at locations, by name."""
    product = account.product("SKU-1")
    for location, quantity in quantities.items():
        product.stock_at(location).on_hand = quantity
    return product


def test_a_line_without_a_pin_is_offered_only_locations_with_free_units() -> None:
    account = Account()
    product = stored(account, WH1=3, WH2=0, WH3=5)
    product.stock_at("WH3").allocated = 3
    line = waiting_line(account, 1, 9)
    assert [(stock.location, quantity) for stock, quantity in choose(product, line)] == [("WH1", 3), ("WH3", 2)]


@pytest.mark.parametrize(("pin", "chosen"), [("WH1", [("WH1", 3)]), ("WH2", []), ("WH4", [])])
def test_a_pinned_line_is_offered_its_location_or_nothing(pin: str, chosen: list[tuple[str, int]]) -> None:
    account = Account()
    product = stored(account, WH1=3, WH2=0, WH3=5)
    line = waiting_line(account, 1, 9, pin=pin)
    assert [(stock.location, quantity) for stock, quantity in choose(product, line)] == chosen


def test_a_lane_that_is_used_up_stops_the_service_until_more_of_it_is_loaded() -> None:
    account = Account()
    product = stored(account, WH1=5)
    loaded(account, product, ANY_LOCATION, *(waiting_line(account, minute) for minute in (1, 2)), is_whole=False)
    served: dict[str, None] = {}
    with pytest.raises(QueueExhaustedError) as raised:
        serve_queue(account, product, ["WH1"], served=served)
    assert (raised.value.sku, raised.value.location) == ("SKU-1", ANY_LOCATION)
    assert list(served) == ["SO-1", "SO-2"]


def test_a_lane_that_is_used_up_pauses_a_service_that_may_pause() -> None:
    account = Account()
    product = stored(account, WH1=5)
    loaded(account, product, ANY_LOCATION, waiting_line(account, 1), is_whole=False)
    served: dict[str, None] = {}
    assert serve_queue(account, product, ["WH1"], served=served, may_pause=True) is False
    loaded(account, product, ANY_LOCATION, waiting_line(account, 2), is_whole=True)
    assert serve_queue(account, product, ["WH1"], served=served, may_pause=True) is True
    assert list(served) == ["SO-1", "SO-2"]
    assert product.stock_at("WH1").allocated == 2


def test_a_new_line_may_not_pass_lines_of_its_lane_that_were_not_loaded() -> None:
    account = Account()
    product = stored(account, WH1=5)
    loaded(account, product, ANY_LOCATION, waiting_line(account, 1), is_whole=False)
    product.lane(ANY_LOCATION).push(account.rank(new := waiting_line(account, 9)), new)
    served: dict[str, None] = {}
    assert serve_queue(account, product, ["WH1"], served=served, may_pause=True) is False
    assert list(served) == ["SO-1"]
    assert new.backordered == 1


def test_no_lane_is_asked_for_more_once_the_units_are_gone() -> None:
    account = Account()
    product = stored(account, WH1=2)
    loaded(account, product, ANY_LOCATION, waiting_line(account, 1), is_whole=False)
    loaded(account, product, "WH1", waiting_line(account, 2, pin="WH1"), is_whole=True)
    product.lane(ANY_LOCATION).push(account.rank(new := waiting_line(account, 0)), new)
    served: dict[str, None] = {}
    assert serve_queue(account, product, ["WH1"], served=served) is True
    assert list(served) == ["SO-0", "SO-1"]


def test_a_product_of_which_lines_wait_that_are_not_loaded_is_never_served_blindly() -> None:
    account = Account()
    product = stored(account, WH1=1)
    product.has_backlog = True
    with pytest.raises(QueueExhaustedError):
        serve_queue(account, product, ["WH1"], served={})
