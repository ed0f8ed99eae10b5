"""What covers whom: supply in order of time, lines in rank, pins and shortfalls kept."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.outlook import Outlook, Part, Peg, Supply, Waiting

PLACED_AT = datetime(2026, 11, 1, tzinfo=UTC)


def comes(
    day: int, quantity: int, location: str = "A", purchase_order_id: str = "PO-1", line_id: str = "1"
) -> Supply:
    """Supply that comes between the first and a day of December."""
    return Supply(location, quantity, date(2026, 12, 1), date(2026, 12, day), purchase_order_id, line_id)


def waits(number: int, quantity: int, pin: str = ANY_LOCATION, priority: int = 0) -> Waiting:
    """The line of an order; of one priority, a smaller number goes first."""
    order_id = f"SO-{number}"
    return Waiting((-priority, PLACED_AT, PLACED_AT, order_id, 1), pin, quantity, order_id, 1)


def days(pegs: dict[tuple[str, int], Peg | None]) -> dict[str, int | None]:
    """The day in December by which each order is covered."""
    return {order_id: peg and peg.expected_to.day for (order_id, _), peg in pegs.items()}


def test_a_line_waits_for_its_last_unit_and_not_for_the_first_arrival() -> None:
    first, second = comes(5, 3), comes(9, 3, purchase_order_id="PO-2")
    outlook = Outlook([first, second])
    assert outlook.append(waits(1, 5)) == Peg(
        second.expected_from, second.expected_to, (Part(first, 3), Part(second, 2))
    )
    assert outlook.left() == [second._replace(quantity=1)]


def test_what_is_for_one_line_is_not_promised_to_the_next() -> None:
    outlook = Outlook([comes(5, 4), comes(9, 4)])
    assert days(outlook.peg_all([waits(1, 3), waits(2, 1), waits(3, 1)])) == {"SO-1": 5, "SO-2": 5, "SO-3": 9}


def test_lines_are_served_in_rank_whatever_order_they_come_in() -> None:
    lines = [waits(3, 2), waits(1, 2), waits(2, 2, priority=1)]
    assert days(Outlook([comes(5, 2), comes(7, 2), comes(9, 2)]).peg_all(lines)) == {"SO-2": 5, "SO-1": 7, "SO-3": 9}


def test_a_line_with_a_pin_is_covered_by_its_location_alone() -> None:
    outlook = Outlook([comes(5, 2, "B"), comes(9, 2, "A")])
    assert days(outlook.peg_all([waits(1, 1, "A"), waits(2, 1, "C"), waits(3, 3)])) == {
        "SO-1": 9,
        "SO-2": None,
        "SO-3": 9,
    }
    assert outlook.left() == []


def test_a_line_that_is_not_covered_keeps_the_units_it_took() -> None:
    """At the receipt it gets them too, so nobody behind it may be told that they come for him."""
    outlook = Outlook([comes(5, 3)])
    assert days(outlook.peg_all([waits(1, 4, "A"), waits(2, 1)])) == {"SO-1": None, "SO-2": None}
    assert outlook.left() == []


def test_units_fill_up_the_safety_stock_of_their_location_first() -> None:
    supply = [comes(9, 5, "A"), comes(5, 2, "A"), comes(7, 2, "B")]
    outlook = Outlook(supply, {"A": 3, "B": 0, "C": 9})
    assert outlook.left() == [supply[2], supply[0]._replace(quantity=4)]
    assert days(outlook.peg_all([waits(1, 2), waits(2, 1)])) == {"SO-1": 7, "SO-2": 9}


def test_a_shortfall_below_zero_is_none_and_empty_supply_is_nothing() -> None:
    assert Outlook([comes(5, 1), comes(6, 0), comes(7, -2)], {"A": -4}).left() == [comes(5, 1)]


@pytest.mark.parametrize("turn", [1, -1])
def test_supply_of_one_day_is_taken_in_the_order_of_its_ids(turn: int) -> None:
    first, second = comes(5, 1, line_id="1"), comes(5, 1, line_id="2")
    third = comes(5, 1, purchase_order_id="PO-2")
    earlier = third._replace(expected_from=date(2026, 11, 30))
    assert Outlook([first, second, third, earlier][::turn]).left() == [earlier, first, second, third]


def test_an_earlier_line_of_an_order_goes_before_a_later_one() -> None:
    line = waits(1, 2)
    later = Waiting((*line.rank[:4], 2), line.pin, 2, line.order_id, 2)
    pegs = Outlook([comes(5, 2), comes(9, 2)]).peg_all([later, line])
    assert {key: peg and peg.expected_to.day for key, peg in pegs.items()} == {("SO-1", 1): 5, ("SO-1", 2): 9}


def test_without_supply_or_without_lines_nothing_is_pegged() -> None:
    assert days(Outlook([]).peg_all([waits(1, 1)])) == {"SO-1": None}
    assert Outlook([comes(5, 1)]).peg_all([]) == {}
    assert Outlook([]).append(waits(1, 1)) is None
