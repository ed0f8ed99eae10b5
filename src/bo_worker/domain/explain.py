"""Why an order line waits, and why it was served: from what is stored, without changing any of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bo_worker.domain.demand import ANY_LOCATION, SUSPENDED
from bo_worker.domain.kinds import DROP_SHIP, ENDED, NOT_BEGUN
from bo_worker.domain.promise import look_out
from bo_worker.domain.remedy import remedies, rivals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from bo_worker.domain.outlook import Outlook, Part, Waiting
    from bo_worker.domain.remedy import Remedy
    from bo_worker.domain.stock import Product

NAMED_MAX: Final = 5

Rule = Literal[
    "unpaid",
    "unfinished",
    "not_begun",
    "ended",
    "drop_ship",
    "safety_stock",
    "pinned",
    "claimed",
    "no_stock",
    "no_supply",
    "ship_complete",
    "closed",
]


Holding = Literal["ship_complete", "consolidation", "unpaid"]


class Expected(NamedTuple):
    """Units of a purchase order line that are for a waiting line, and the days between which they come."""

    purchase_order_id: str
    line_id: str
    location: str
    quantity: int
    expected_from: date
    expected_to: date


@dataclass(slots=True, frozen=True)
class Ahead:
    """Who ranks before a waiting line and may take its units: all together, and the first of them."""

    units: int = 0
    lines: int = 0
    orders: int = 0
    first: tuple[Waiting, ...] = ()


@dataclass(slots=True, frozen=True)
class WhyWaiting:
    """Why `units` of a line wait: the rules that hold them, the most telling first; who is ahead; what is coming.

    `uncovered` units are not covered by any supply. `starts_on` is the day on which a season begins. `remedies`
    are what would serve the line now, the cheapest first.
    """

    units: int
    rules: tuple[Rule, ...]
    ahead: Ahead
    pegged: tuple[Expected, ...]
    uncovered: int
    remedies: tuple[Remedy, ...]
    starts_on: date | None = None
    unfinished: str | None = None


class Scene(NamedTuple):
    """A product with all lines that wait for it, and the cause that is still at work on it.

    `parts` are the units on their way that each line (order id, position) is to get.
    """

    product: Product
    queue: Sequence[Waiting]
    parts: dict[tuple[str, int], tuple[Part, ...]]
    unfinished: str | None = None


def make_scene(product: Product, queue: Sequence[Waiting], unfinished: str | None = None) -> Scene:
    """Return a product with its queue; gives what is on its way to the lines in rank.

    Lines that are suspended, as their orders are not paid, are ahead of nobody.
    """
    queue = [line for line in queue if not line.pin.startswith(SUSPENDED)]
    outlook: Outlook = look_out(product)
    pegs = outlook.peg_all(queue)
    return Scene(
        product,
        queue,
        outlook.partly | {key: peg.parts for key, peg in pegs.items() if peg is not None},
        unfinished,
    )


def why_waiting(scene: Scene, line: Waiting, *, held: int = 0, waits_for_others: bool = False) -> WhyWaiting:
    """Explain a line that waits. `held` units of it wait for the rest of an order that leaves as a whole.

    `waits_for_others` tells that other lines of such an order wait as well.
    """
    product = scene.product
    parts = scene.parts.get((line.order_id, line.position), ())
    pegged = tuple(
        Expected(*part.supply[4:6], part.supply.location, part.quantity, *part.supply[2:4]) for part in parts
    )
    uncovered = line.quantity - sum(part.quantity for part in parts)
    rules = _rules(scene, line, covered=uncovered == 0)
    if held or waits_for_others:
        rules.append("ship_complete")
    if product.closed_reason is not None:
        rules.append("closed")
    found = () if scene.unfinished or "unpaid" in rules else tuple(remedies(product, scene.queue, line))
    starts = product.policy.release_on if product.phase == NOT_BEGUN and product.policy else None
    return WhyWaiting(
        line.quantity, tuple(rules), _ahead(scene, line), pegged, uncovered, found, starts, scene.unfinished
    )


def why_held(*, waits_for_others: bool, leaves_whole: bool, is_paid: bool) -> tuple[Holding, ...]:
    """Return what keeps units that an order has claimed from leaving.

    Others of its units wait, and it leaves only as a whole (`leaves_whole`), or waits for them for some days.
    """
    found: list[Holding] = []
    if leaves_whole:
        found.append("ship_complete")
    elif waits_for_others:
        found.append("consolidation")
    if not is_paid:
        found.append("unpaid")
    return tuple(found)


def _ahead(scene: Scene, line: Waiting) -> Ahead:
    ahead = rivals(scene.queue, line)
    return Ahead(
        sum(other.quantity for other in ahead),
        len(ahead),
        len({other.order_id for other in ahead}),
        tuple(ahead[:NAMED_MAX]),
    )


def _rules(scene: Scene, line: Waiting, *, covered: bool) -> list[Rule]:
    product = scene.product
    if line.pin.startswith(SUSPENDED):
        return ["unpaid"]
    if scene.unfinished:
        return ["unfinished"]
    if product.phase == NOT_BEGUN:
        return ["not_begun"]
    if product.phase == ENDED:
        return ["ended"]
    if product.phase == DROP_SHIP:
        return ["drop_ship"]
    stocks = [stock for stock in product.stock.values() if line.pin in (ANY_LOCATION, stock.location)]
    rules: list[Rule] = []
    if line.pin != ANY_LOCATION and product.free_units(ANY_LOCATION):
        rules.append("pinned")
    if any(stock.on_hand > stock.allocated for stock in stocks):
        rules.append("safety_stock")
    elif any(stock.on_hand for stock in stocks):
        rules.append("claimed")
    else:
        rules.append("no_stock")
    if not covered:
        rules.append("no_supply")
    return rules


class Given(NamedTuple):
    """An entry of the journal: a line was given units, at a place, at a moment, by a cause (topic/natural id)."""

    at: datetime
    cause: str
    change: str
    quantity: int
    location: str


class Waiter(NamedTuple):
    """A line that waits now, when its order came, and whether its order was amended."""

    waiting: Waiting
    received_at: datetime
    is_amended: bool


Passed = Literal["came_later", "amended", "changed_since"]


class Behind(NamedTuple):
    """A line that waits though it ranks before one that was served, and why that was served nevertheless."""

    waiting: Waiting
    why: Passed


@dataclass(slots=True, frozen=True)
class WhyServed:
    """Why a line was given units: the moment and cause, and how those stand who may still wait for such units.

    `kind` is what the cause was to the line: `stock_was_free` when its order came, `switch` where its customer took
    the product for another one, else what freed the units.
    `behind` lines rank after it; `before` counts those that rank before it now, of which `first` names some.
    """

    given: Given
    kind: str
    natural_id: str
    behind: int
    before: int
    first: tuple[Behind, ...]


_KINDS: Final = {
    "inventory-received": "receipt",
    "order-cancelled": "cancellation",
    "inventory-adjusted": "correction",
    "product-policy-updated": "policy",
    "order-amended": "amendment",
    "shipment-dispatched": "shipment",
}


def why_served(given: Given, rank: tuple[object, ...], waiters: Iterable[Waiter]) -> WhyServed:
    """Explain units that a line of this rank was given, against `waiters`, all that wait for the product now."""
    rivals_now = [one for one in waiters if one.waiting.pin in (ANY_LOCATION, given.location)]
    before = sorted((one for one in rivals_now if one.waiting.rank < rank), key=lambda one: one.waiting.rank)
    topic, _, natural_id = given.cause.partition("/")
    return WhyServed(
        given,
        _kind(given, topic, natural_id),
        natural_id,
        len(rivals_now) - len(before),
        len(before),
        tuple(Behind(one.waiting, _passed(one, given)) for one in before[:NAMED_MAX]),
    )


def _kind(given: Given, topic: str, natural_id: str) -> str:
    if given.change == "claimed":
        return "switch" if topic == "customer-response" else "stock_was_free"
    return "season" if topic == "sweep" and natural_id.startswith("season/") else _KINDS.get(topic, "other")


def _passed(waiter: Waiter, given: Given) -> Passed:
    """Tell why somebody who ranks before did not get the units: what is stored proves it, or tells no more."""
    if waiter.received_at >= given.at:
        return "came_later"
    return "amended" if waiter.is_amended else "changed_since"
