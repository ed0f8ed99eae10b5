"""What waiting lines must be promised, by the plainest arithmetic: unit by unit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Days = tuple[date | None, date | None]
    Fetch = Callable[[str], Awaitable[list[Any]]]

COUNTED: Final = "status in ('confirmed', 'in_transit') and quantity > received and not is_overdue"
DAYS: Final = "select order_id, line_id, expected_from, expected_to from bo_worker.backorder_queue"
NO_DAYS: Final = (None, None)
_KINDS: Final = """
    select sku, phase, policy::jsonb ->> 'kind' as kind, (policy::jsonb ->> 'lead_time_days')::integer as lead_time,
        (policy::jsonb ->> 'release_on')::date as release_on,
        (policy::jsonb ->> 'season_ends_on')::date as season_ends_on
    from bo_worker.product
"""


@dataclass(frozen=True)
class Kind:
    """Between which days a product can be promised, and after how many days without supply."""

    start: date = date.min
    end: date = date.max
    lead_time: int | None = None
    from_supply: bool = True
    released_on: date | None = None

    def on(self, day: date) -> date | None:
        """The day on which what comes on a day can be had."""
        day = max(self.start, day)
        return day if day <= self.end else None


async def promised_days(fetch: Fetch) -> dict[tuple[str, str], Days]:
    """The days of the last unit that each waiting line is handed."""
    queue = await fetch("select order_id, line_id, backordered from bo_worker.order_line where backordered > 0")
    left = {(row["order_id"], row["line_id"]): row["backordered"] for row in queue}
    days: dict[tuple[str, str], Days] = dict.fromkeys(left, NO_DAYS)
    for arrival, row in await _handed_out(fetch):
        key = row["order_id"], row["line_id"]
        left[key] -= 1
        if not left[key]:
            days[key] = (arrival["expected_from"], arrival["expected_to"])
    return days


async def days_without_supply(fetch: Fetch, today: date) -> dict[tuple[str, str], set[Days]]:
    """The days that a waiting line may have of which no supply brings the last unit: of its product's kind.

    None where it waited before the kind was known. The day may have been counted from before midnight.
    """
    kinds = await _kinds(fetch)
    incoming = {row["sku"] for row in await fetch(f"select sku from bo_worker.supply where {COUNTED}")}  # noqa: S608 - ours
    found: dict[tuple[str, str], set[Days]] = {}
    for row in await fetch("select order_id, line_id, sku from bo_worker.order_line where backordered > 0"):
        kind = kinds[row["sku"]]
        days: set[date | None] = set()
        if kind.lead_time is not None:
            days = {kind.on(day + timedelta(days=kind.lead_time)) for day in (today, today - timedelta(days=1))}
        elif kind.start > date.min and row["sku"] not in incoming:
            days = {kind.on(kind.start)}
        elif kind.released_on == today:
            days = {today}  # It was promised before, and has not passed yet.
        found[row["order_id"], row["line_id"]] = {NO_DAYS, *((day, day) for day in days)}
    return found


async def planned_units(fetch: Fetch) -> Counter[tuple[str, str, int]]:
    """The units that trucks on their way bring for waiting lines: by purchase order, order and position."""
    return Counter(
        (arrival["purchase_order_id"], row["order_id"], row["position"])
        for arrival, row in await _handed_out(fetch)
        if arrival["status"] == "in_transit"
    )


async def _kinds(fetch: Fetch) -> dict[str, Kind]:
    """What the kinds of products make of the days."""
    found = {}
    for row in await fetch(_KINDS):
        kind, phase = row["kind"], row["phase"]
        start = row["release_on"] if phase in ("pre_order", "not_begun") else date.min
        end = (kind == "seasonal" and row["season_ends_on"]) or date.max
        if phase == "ended" or kind == "indefinite":
            end = date.min
        lead_time = None if kind in ("manufacturer", "indefinite") else row["lead_time"]
        released_on = row["release_on"] if kind in {"pre_order", "seasonal"} else None
        found[row["sku"]] = Kind(start, end, lead_time, phase != "drop_ship", released_on)
    return found


async def _arrivals(fetch: Fetch) -> list[dict[str, Any]]:
    """What is on its way for those who wait, in the order of time."""
    kinds = await _kinds(fetch)
    rows = await fetch(
        "select purchase_order_id, line_id, status, sku, location, quantity - received as units, expected_from,"  # noqa: S608 - ours
        f" promised_on from bo_worker.supply where {COUNTED}"
    )
    found = []
    for row in rows:
        kind = kinds[row["sku"]]
        day = kind.on(row["promised_on"])
        if kind.from_supply and day is not None:
            found.append({**row, "expected_from": max(kind.start, row["expected_from"]), "expected_to": day})
    names = ("expected_to", "expected_from", "purchase_order_id", "line_id")
    return sorted(found, key=lambda arrival: [arrival[name] for name in names])


async def _handed_out(fetch: Fetch) -> list[tuple[Any, Any]]:
    """Hand out what is on its way unit by unit, in the order of time, each to the first who may have it."""
    queue = await fetch(
        "select order_id, line_id, position, sku, pin, backordered from bo_worker.order_line where backordered > 0"
        " order by priority desc, placed_at, order_id, position"
    )
    missing = await _missing(fetch)
    left = {(row["order_id"], row["line_id"]): row["backordered"] for row in queue}
    handed = []
    for arrival in await _arrivals(fetch):
        place = arrival["sku"], arrival["location"]
        for _ in range(arrival["units"]):
            if missing.get(place, 0) > 0:
                missing[place] -= 1
                continue
            for row in queue:
                key = row["order_id"], row["line_id"]
                if left[key] and row["sku"] == arrival["sku"] and row["pin"] in ("", arrival["location"]):
                    left[key] -= 1
                    handed.append((arrival, row))
                    break
    return handed


async def _missing(fetch: Fetch) -> dict[tuple[str, str], int]:
    """Units of the safety stock that are not there, by SKU and location that keeps or gets the product."""
    rows = await fetch(
        "select sku, location,"
        " coalesce(product.safety_stock, 0) + coalesce(stock.allocated - stock.on_hand, 0) as units"
        " from (select sku, location from bo_worker.stock union select sku, location from bo_worker.supply) as place"
        " left join bo_worker.stock using (sku, location) left join bo_worker.product using (sku)"
    )
    return {(row["sku"], row["location"]): row["units"] for row in rows}
