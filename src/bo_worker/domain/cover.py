"""What the supply covers of the lanes of a queue, without looking at their lines one by one."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.demand import ANY_LOCATION
from bo_worker.domain.outlook import Part, Waiting
from bo_worker.domain.promise import look_out
from bo_worker.domain.stock import NO_RANK

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bo_worker.domain.stock import Product


class Cover(NamedTuple):
    """What is on its way for the lines with one pin: they get the units of `parts` one after the other, in rank.

    A line is promised the day of the part that has its last unit; who is behind all parts is not covered. At most
    `units` can be for these lines, whoever else waits.
    """

    sku: str
    pin: str
    units: int
    parts: tuple[Part, ...]


def lanes_of(product: Product) -> dict[str, int]:
    """Return the pins that what is on its way can serve, and with how many units."""
    lanes = {ANY_LOCATION: 0}
    for line in product.supply.values():
        lanes[ANY_LOCATION] += line.incoming
        lanes[line.location] = lanes.get(line.location, 0) + line.incoming
    return {pin: units for pin, units in lanes.items() if units}


def compete(pins: Collection[str]) -> bool:
    """Tell whether lines may want the same units that wait in these lanes, all of which `lanes_of` has."""
    return ANY_LOCATION in pins and len(pins) > 1


def cover(product: Product, pins: Collection[str], runs: Iterable[Waiting] = ()) -> list[Cover]:
    """Hand the supply out to the lanes of a queue, which have these pins; return what each gets.

    Where lanes compete, `runs` are the lines that wait in them, in rank; those of one pin that follow each other may
    stand as one.
    """
    units = lanes_of(product)
    if not compete(pins):
        runs = [Waiting(NO_RANK, pin, units[pin], "", 0) for pin in pins]
    outlook = look_out(product)
    lanes: dict[str, list[Part]] = {pin: [] for pin in pins}
    for run in runs:
        lane = lanes[run.pin]
        for part in outlook.take(run.pin, run.quantity):
            if lane and lane[-1].supply is part.supply:
                lane[-1] = Part(part.supply, lane[-1].quantity + part.quantity)
            else:
                lane.append(part)
    return [Cover(product.sku, pin, units[pin], tuple(parts)) for pin, parts in lanes.items()]


class Slices:
    """Cuts the parts of a lane into those of its lines."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = parts
        self._ends = list(accumulate(part.quantity for part in parts))

    def cut(self, ahead: int, quantity: int) -> list[Part]:
        """Return the parts of `quantity` units behind the first `ahead`, as far as they reach."""
        found = []
        number = bisect_right(self._ends, ahead)
        while quantity and number < len(self._parts):
            taken = min(quantity, self._ends[number] - ahead)
            found.append(Part(self._parts[number].supply, taken))
            ahead += taken
            quantity -= taken
            number += 1
        return found
