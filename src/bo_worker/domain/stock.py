"""What there is: stock of a product at its locations, its policy, and the queue that waits for it."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.domain.closing import NO_CHURN
from bo_worker.domain.demand import ANY_LOCATION

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.domain.cause import Cause
    from bo_worker.domain.closing import Churn
    from bo_worker.domain.commands import UpdatePolicy
    from bo_worker.domain.demand import OrderLine, Rank
    from bo_worker.domain.outlook import Outlook, Waiting
    from bo_worker.domain.supply import SupplyLine

_NEVER = datetime.min.replace(tzinfo=UTC)
# What is stored of the supply of a product that is new.
NO_SUPPLY = (0, 0, False, None)
NO_RANK: Rank = (-(2**31), _NEVER, _NEVER, "", 0)


@dataclass(slots=True, eq=False)
class Stock:
    """Usable units of one SKU at one location, and how many of them order lines have claimed (R1)."""

    sku: str
    location: str
    on_hand: int = 0
    allocated: int = 0
    is_new: bool = True
    is_changed: bool = False


@dataclass(slots=True, eq=False)
class Lane:
    """The part of a product's queue whose lines are pinned to one location, or to none (`ANY_LOCATION`).

    A heap by rank. It may hold just the head of the lane: then `is_whole` is False, and a line that ranks
    behind `tail` may not be served before the lines that are still to be loaded.
    """

    location: str = ANY_LOCATION
    is_whole: bool = True
    tail: Rank | None = None
    entries: list[tuple[Rank, int, OrderLine]] = field(default_factory=list)
    pushes: int = 0

    def push(self, rank: Rank, line: OrderLine) -> None:
        """Let `line` wait at `rank`; what it was pushed with before becomes stale."""
        self.pushes += 1
        heapq.heappush(self.entries, (rank, self.pushes, line))

    def pop(self) -> None:
        """Drop the first line."""
        heapq.heappop(self.entries)

    def is_used_up(self) -> bool:
        """Tell whether the next line of the lane is one that was not loaded."""
        if self.is_whole:
            return False
        return not self.entries or (self.tail is not None and self.entries[0][0] > self.tail)


@dataclass(slots=True)
class Demand:
    """Units that were not sold, or not promised, for one reason, and the orders that asked for them."""

    quantity: int = 0
    order_ids: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Waitlist:
    """What is known of the waitlist of a product, but for its entries.

    A new `round` begins when units become available where none were; everybody may be told once in each. `told` are
    the units told of in this round, `is_in_stock` says that units were available after the last change. `is_due` says
    that somebody may have to be told. `free_before` are the units available when the product was loaded,
    `is_asked` says that somebody joined since, or that it must be looked at for another reason.
    """

    round: int = 0
    told: int = 0
    is_in_stock: bool = False
    is_due: bool = False
    free_before: int = 0
    is_asked: bool = False


class Late(NamedTuple):
    """Units of a supply line that were put off, and the day on which others relied before; None: it has passed."""

    key: tuple[str, str, str]
    location: str
    quantity: int
    relied_on: date | None


LossOrder = tuple[bool, "Rank"]


@dataclass(slots=True, eq=False)
class Product:
    """A SKU: its stock by location, its policy, and `waiting`, the sum of its backordered units.

    `has_backlog` tells that lines wait which were not loaded: a lane that is missing is then not known.
    `holders` are the loaded lines with claims. Where not all claims at a location were loaded, `claims_tail` has
    the first in the order of loss that may be missing; a location that is not in it was not loaded at all.
    `supply` is what is on its way and counts, `incoming_before` the units of it when the product was loaded. Where
    there is any, `queue` holds the lines that waited when the product was loaded, up to `queue_end` where there are
    more, and but for `live`, those lines of the account that wait or waited. They are in rank, and those of one pin
    that follow each other may stand as one, with the rank of the last; but none on both sides of one of the ranks
    `marks`, and each for itself where that is None. `outlook` is what the supply is promised to, up to the line at
    `outlook_end`. `are_promises_due` says that promises may have moved, `promises` counts how often they were looked
    at again, as they are once `earliest_promise_on` has passed, before which no line that waits is promised.
    `supply_stored` has what is stored of all this.
    `phase` is what its kind makes of the day, as of its last turn; while it `is_closed`, its stock serves nobody.
    `next_change_on` is the day of the next turn, known once the policy was stored or turned.
    `waitlist` is there where somebody wants to hear of it. While a large change is at work, for which the product
    `is_reserved`, neither it nor shops nor purchasing hear of the product.
    `published` is what availability was told last, `touched_by` the last cause that changed anything since.
    The sequences count the messages about the product, per topic.
    Of what purchasing hears: `reorder_told` says that it knows of the reorder point, `expedite_told` by how many
    units backorders exceeded supply when it was told (0: covered), `demand` what was asked for in vain since,
    `lapsed` the supply that became overdue or was put off. `closed_reason` says why no new line may wait, `review_on`
    when that is looked at again, `is_switched` that it changed now; `joined` and `dropped` are units that began to
    wait or were cancelled while they waited, where the policy makes them count, and `churn` has those that were
    stored before, None where they were not loaded.
    """

    sku: str
    waiting: int = 0
    policy: UpdatePolicy | None = None
    policy_digest: bytes = b""
    stock: dict[str, Stock] = field(default_factory=dict)
    lanes: dict[str, Lane] = field(default_factory=dict)
    has_backlog: bool = False
    holders: dict[tuple[str, int], OrderLine] = field(default_factory=dict)
    claims_tail: dict[str, LossOrder | None] = field(default_factory=dict)
    availability_sequence: int = 0
    procurement_sequence: int = 0
    published: tuple[object, ...] | None = None
    is_policy_changed: bool = False
    supply: dict[tuple[str, str, str], SupplyLine] = field(default_factory=dict)
    incoming_before: int = 0
    supply_stored: tuple[object, ...] = NO_SUPPLY
    queue: list[Waiting] = field(default_factory=list)
    marks: set[Rank] | None = None
    live: dict[tuple[str, int], OrderLine] = field(default_factory=dict)
    queue_end: Rank | None = None
    outlook: Outlook | None = None
    outlook_end: Rank = NO_RANK
    promises: int = 0
    are_promises_due: bool = False
    earliest_promise_on: date | None = None
    phase: str = "open"
    is_closed: bool = False
    next_change_on: date | None = None
    waitlist: Waitlist | None = None
    is_reserved: bool = False
    reorder_told: bool = False
    expedite_told: int = 0
    demand: dict[str, Demand] | None = None
    lapsed: list[Late] = field(default_factory=list)
    closed_reason: str | None = None
    review_on: date | None = None
    is_switched: bool = False
    churn: Churn | None = NO_CHURN
    joined: int = 0
    dropped: int = 0
    is_procurement_changed: bool = False
    touched_by: Cause | None = None
    is_new: bool = True
    is_changed: bool = False

    @property
    def counts_churn(self) -> bool:
        """Tell whether its policy asks how many of those who wait give up."""
        return self.policy is not None and self.policy.cancellation_rate_limit is not None

    @property
    def safety_stock(self) -> int:
        """Units that no order line claims, at every location that keeps the product."""
        return self.policy.safety_stock if self.policy else 0

    def available(self, stock: Stock) -> int:
        """Return the units at one location that an order line may claim now."""
        if self.is_closed:
            return 0
        return max(0, stock.on_hand - stock.allocated - self.safety_stock)

    def free_units(self, location: str) -> int:
        """Return the units that lines pinned to `location` (or to none) may claim now."""
        if location == ANY_LOCATION:
            return sum(self.available(stock) for stock in self.stock.values())
        stock = self.stock.get(location)
        return self.available(stock) if stock else 0

    def expect(self, line: SupplyLine, cause: Cause) -> None:
        """Note that what a purchase order line brings has changed, if only to nothing."""
        self.supply[line.key] = line
        self.touched_by = cause
        self.disturb()

    def disturb(self) -> None:
        """Note that the queue or the supply changed, other than at the end of the queue."""
        self.outlook = None
        if self.supply:
            self.doubt_promises()

    def doubt_promises(self) -> None:
        """Have promises looked at again: what a line that joined or left the queue is promised does not hold."""
        self.outlook = None
        self.are_promises_due = self.is_changed = True

    def note_purchasing(self) -> None:
        """Note that what purchasing was told has changed, or whether lines may wait."""
        self.is_procurement_changed = self.is_changed = True

    def note_promise(self, day: date) -> None:
        """Note that a line that waits is promised a day."""
        if self.earliest_promise_on is None or day < self.earliest_promise_on:
            self.earliest_promise_on = day
            self.is_changed = True

    def note_free(self, stock: Stock, quantity: int) -> None:
        """Note that `quantity` more units (negative: fewer) are free, other than by a claim of who waits.

        Supply fills up the safety stock first, so what that lacks, or lacks no more, is another's.
        """
        if self.supply:
            free = stock.on_hand - stock.allocated
            if min(free, free - quantity) < self.safety_stock:
                self.disturb()

    def stock_at(self, location: str) -> Stock:
        """Return the stock at `location`, a new one of 0 units where the product was never kept."""
        found = self.stock.get(location)
        if found is None:
            found = self.stock[location] = Stock(self.sku, location)
        return found

    def lane(self, location: str) -> Lane:
        """Return the lane of lines pinned to `location`."""
        found = self.lanes.get(location)
        if found is None:
            found = self.lanes[location] = Lane(location, is_whole=not self.has_backlog)
        return found
