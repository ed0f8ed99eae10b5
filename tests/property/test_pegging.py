"""What holds for any supply and any queue: no unit is promised twice, nobody is passed, and none gets lost."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.outlook import Outlook, Peg, Supply, Waiting

LOCATIONS = ("A", "B", "C")
PLACED_AT = datetime(2026, 11, 1, tzinfo=UTC)
FIRST_DAY = date(2026, 12, 1)

Key = tuple[str, int]


class Served(NamedTuple):
    """What a queue gets, counted unit by unit."""

    units: dict[Key, Counter[Supply]]
    covered_by: dict[Key, Supply]
    filled: int
    left: Counter[Supply]


def waiting(number: int, priority: int, pin: str, quantity: int) -> Waiting:
    order_id = f"SO-{number // 2:02}"
    return Waiting((-priority, PLACED_AT, PLACED_AT, order_id, number % 2), pin, quantity, order_id, number % 2)


def supply(number: int, location: str, quantity: int, day: int, span: int) -> Supply:
    expected_to = FIRST_DAY + timedelta(days=day)
    return Supply(location, quantity, expected_to - timedelta(days=span), expected_to, "PO-1", f"{number:02}")


PLACES = st.tuples(st.sampled_from(LOCATIONS), st.integers(0, 6), st.integers(0, 8), st.integers(0, 3))
SUPPLIES = st.lists(PLACES, max_size=10).map(lambda found: [supply(n, *one) for n, one in enumerate(found)])
WISHES = st.tuples(st.integers(0, 2), st.sampled_from((ANY_LOCATION, *LOCATIONS)), st.integers(1, 7))
QUEUES = st.lists(WISHES, max_size=10).map(lambda found: [waiting(n, *one) for n, one in enumerate(found)])
SHORTFALLS = st.dictionaries(st.sampled_from(LOCATIONS), st.integers(0, 5))


def in_time(one: Supply) -> tuple[date, date, str, str]:
    return one.expected_to, one.expected_from, one.purchase_order_id, one.line_id


def key_of(line: Waiting) -> Key:
    return line.order_id, line.position


def serve(supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting]) -> Served:
    """Let every unit come, and give it to whom a receipt would give it."""
    lines = sorted(queue)
    served = Served({key_of(line): Counter() for line in lines}, {}, 0, Counter())
    missing = dict(shortfalls)
    for arrival in sorted(supplies, key=in_time):
        for _ in range(arrival.quantity):
            if missing.get(arrival.location, 0):
                missing[arrival.location] -= 1
            else:
                give(arrival, lines, served)
    return served._replace(filled=sum(shortfalls.values()) - sum(missing.values()))


def give(arrival: Supply, lines: list[Waiting], served: Served) -> None:
    for line in lines:
        taken = served.units[key_of(line)]
        if line.pin in {ANY_LOCATION, arrival.location} and taken.total() < line.quantity:
            taken[arrival] += 1
            if taken.total() == line.quantity:
                served.covered_by[key_of(line)] = arrival
            return
    served.left[arrival] += 1


def date_of(peg: Peg | None) -> tuple[date, date]:
    return (peg.expected_to, peg.expected_from) if peg else (date.max, date.max)


def taken_by(pegs: dict[Key, Peg | None]) -> dict[Key, Counter[Supply]]:
    """The units of the lines that are covered."""
    return {
        key: Counter({part.supply: part.quantity for part in peg.parts})
        for key, peg in pegs.items()
        if peg is not None
    }


def left_of(outlook: Outlook, supplies: list[Supply]) -> Counter[Supply]:
    """The units that are left, by the supply that they belong to."""
    whole = {in_time(one): one for one in supplies}
    return Counter({whole[in_time(one)]: one.quantity for one in outlook.left()})


@given(SUPPLIES, SHORTFALLS, QUEUES)
def test_every_line_is_pegged_to_the_units_that_a_receipt_would_give_it(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting]
) -> None:
    outlook = Outlook(supplies, shortfalls)
    pegs = outlook.peg_all(queue)
    served = serve(supplies, shortfalls, queue)
    assert pegs.keys() == served.units.keys()
    assert taken_by(pegs) == {key: served.units[key] for key in served.covered_by}
    assert {key: date_of(peg) for key, peg in pegs.items() if peg} == {
        key: (one.expected_to, one.expected_from) for key, one in served.covered_by.items()
    }
    assert left_of(outlook, supplies) == served.left
    assert list(map(in_time, outlook.left())) == sorted(map(in_time, served.left))


@given(SUPPLIES, SHORTFALLS, QUEUES)
def test_no_unit_is_promised_twice_and_none_gets_lost(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting]
) -> None:
    """Pegged, taken by lines that are not covered, in the safety stock, or left: nothing else, nothing more."""
    outlook = Outlook(supplies, shortfalls)
    pegs = outlook.peg_all(queue)
    served = serve(supplies, shortfalls, queue)
    pegged = sum(taken_by(pegs).values(), Counter[Supply]())
    kept = sum((served.units[key] for key, peg in pegs.items() if peg is None), Counter[Supply]())
    left = left_of(outlook, supplies)
    assert all((pegged + kept + left)[one] <= one.quantity for one in supplies)
    total = pegged.total() + kept.total() + left.total() + served.filled
    assert total == sum(one.quantity for one in supplies)


@given(SUPPLIES, SHORTFALLS, QUEUES)
def test_of_two_lines_with_one_pin_the_one_ahead_is_covered_first(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting]
) -> None:
    pegs = Outlook(supplies, shortfalls).peg_all(queue)
    for pin in (ANY_LOCATION, *LOCATIONS):
        dates = [date_of(pegs[key_of(line)]) for line in sorted(queue) if line.pin == pin]
        assert dates == sorted(dates)


@given(SUPPLIES, SHORTFALLS, QUEUES)
def test_appending_lines_in_rank_is_the_same_as_pegging_them_all(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting]
) -> None:
    one_by_one, at_once = Outlook(supplies, shortfalls), Outlook(supplies, shortfalls)
    pegs = {key_of(line): one_by_one.append(line) for line in sorted(queue)}
    assert pegs == at_once.peg_all(queue)
    assert one_by_one.left() == at_once.left()


@given(SUPPLIES, SHORTFALLS, QUEUES, WISHES)
def test_a_line_added_behind_is_pegged_as_if_from_the_start_and_moves_nobody(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting], wish: tuple[int, str, int]
) -> None:
    last = waiting(99, -1, *wish[1:])
    outlook = Outlook(supplies, shortfalls)
    before = outlook.peg_all(queue)
    afresh = Outlook(supplies, shortfalls)
    assert afresh.peg_all([last, *queue]) == {**before, key_of(last): outlook.append(last)}
    assert outlook.left() == afresh.left()


@given(SUPPLIES, SHORTFALLS, QUEUES, PLACES)
def test_more_supply_never_makes_a_date_later(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting], more: tuple[str, int, int, int]
) -> None:
    before = Outlook(supplies, shortfalls).peg_all(queue)
    after = Outlook([*supplies, supply(99, *more)], shortfalls).peg_all(queue)
    assert [key for key, peg in after.items() if date_of(peg) > date_of(before[key])] == []


@given(SUPPLIES, SHORTFALLS, QUEUES, st.integers(0, 9))
def test_a_line_that_leaves_makes_no_date_later(
    supplies: list[Supply], shortfalls: dict[str, int], queue: list[Waiting], leaving: int
) -> None:
    stayed = queue[:leaving] + queue[leaving + 1 :]
    before, after = (Outlook(supplies, shortfalls).peg_all(lines) for lines in (queue, stayed))
    assert [key for key, peg in after.items() if date_of(peg) > date_of(before[key])] == []
