"""Which waiting line is covered by which supply on its way, unit by unit and in rank."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from bo_worker.domain.demand import ANY_LOCATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from bo_worker.domain.demand import Rank

_NO_SHORTFALLS: Final[Mapping[str, int]] = MappingProxyType({})
_IN_RANK: Final = attrgetter("rank")
_IN_TIME: Final = attrgetter("expected_to", "expected_from", "purchase_order_id", "line_id")


class Supply(NamedTuple):
    """Units of one SKU that a purchase order line brings to a location, and the days between which they come."""

    location: str
    quantity: int
    expected_from: date
    expected_to: date
    purchase_order_id: str
    line_id: str


class Waiting(NamedTuple):
    """Units, at least one, that an order line waits for; `pin` is `ANY_LOCATION` where any location may serve it."""

    rank: Rank
    pin: str
    quantity: int
    order_id: str
    position: int


class Part(NamedTuple):
    """Units of one supply that are for one waiting line."""

    supply: Supply
    quantity: int


class Peg(NamedTuple):
    """The supply that covers a waiting line as a whole, with the dates of the one that brings its last unit."""

    expected_from: date
    expected_to: date
    parts: tuple[Part, ...]


@dataclass(slots=True, eq=False)
class _Arrival:
    supply: Supply
    left: int


class Outlook:
    """The supply on its way for one SKU, given to waiting lines before it is there.

    A receipt serves the lines pinned to its location or to none, in rank, some of them in part. So a line gets
    the earliest units that it may have and that no line ahead of it takes; hence the lines are gone through one
    by one, and one that ranks last never changes what those ahead of it get.

    `shortfalls` says by location how many units of the safety stock are not there now: they are filled up first.
    `partly` has what those lines took, by order id and position, that are covered in part only.
    """

    def __init__(self, supply: Iterable[Supply], shortfalls: Mapping[str, int] = _NO_SHORTFALLS) -> None:
        self._anywhere: deque[_Arrival] = deque()
        self._at: dict[str, deque[_Arrival]] = {}
        self._left = 0
        self.partly: dict[tuple[str, int], tuple[Part, ...]] = {}
        missing = dict(shortfalls)
        for one in sorted(supply, key=_IN_TIME):
            filled = min(one.quantity, max(0, missing.get(one.location, 0)))
            if filled:
                missing[one.location] -= filled
            if one.quantity > filled:
                arrival = _Arrival(one, one.quantity - filled)
                self._anywhere.append(arrival)
                self._at.setdefault(one.location, deque()).append(arrival)
                self._left += arrival.left

    def peg_all(self, waiting: Iterable[Waiting]) -> dict[tuple[str, int], Peg | None]:
        """Give units to lines in rank, whatever order they come in, behind all lines that got some before.

        Returns the peg of each line by order id and position, None where its last unit is not covered.
        """
        lines = sorted(waiting, key=_IN_RANK)
        pegs: dict[tuple[str, int], Peg | None] = {(line.order_id, line.position): None for line in lines}
        for line in lines:
            if not self._left:
                break
            pegs[line.order_id, line.position] = self.append(line)
        return pegs

    def append(self, waiting: Waiting) -> Peg | None:
        """Give units to a line that ranks behind all others; None where its last unit is not covered.

        A line that is not covered keeps what it took: nobody behind it may have these units.
        """
        parts = self.take(waiting.pin, waiting.quantity)
        if not parts or sum([part.quantity for part in parts]) < waiting.quantity:
            if parts:
                self.partly[waiting.order_id, waiting.position] = tuple(parts)
            return None
        last = parts[-1].supply
        return Peg(last.expected_from, last.expected_to, tuple(parts))

    def take_all(self, waiting: Iterable[Waiting]) -> None:
        """Give units to lines in rank as `peg_all` does, where nobody asks who got which."""
        for line in sorted(waiting, key=_IN_RANK):
            if not self._left:
                break
            self.take(line.pin, line.quantity)

    def take(self, pin: str, quantity: int) -> list[Part]:
        """Give up to so many units to one or more lines with a pin, which rank behind all others.

        Lines of one pin that nobody else ranks between get the same units together as one by one. An arrival that
        is used up is dropped as soon as it is met, so the cost follows the arrivals that are taken from.
        """
        arrivals = self._anywhere if pin == ANY_LOCATION else self._at.get(pin)
        parts = []
        while quantity and arrivals:
            arrival = arrivals[0]
            taken = min(quantity, arrival.left)
            if taken:
                parts.append(Part(arrival.supply, taken))
                arrival.left -= taken
                self._left -= taken
                quantity -= taken
            if not arrival.left:
                arrivals.popleft()
        return parts

    def left(self) -> list[Supply]:
        """Return the supply that no line took and no shortfall swallows, in order of time."""
        return [arrival.supply._replace(quantity=arrival.left) for arrival in self._anywhere if arrival.left]
