"""What waiting lines must be promised, by the plainest arithmetic: unit by unit."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import date

    Days = tuple[date | None, date | None]

COUNTED: Final = "status in ('confirmed', 'in_transit') and quantity > received and not is_overdue"
DAYS: Final = "select order_id, line_id, expected_from, expected_to from bo_worker.backorder_queue"


async def promised_days(fetch: Callable[[str], Awaitable[list[Any]]]) -> dict[tuple[str, str], Days]:
    """The days of the last unit that each waiting line is handed."""
    queue = await fetch("select order_id, line_id, backordered from bo_worker.order_line where backordered > 0")
    left = {(row["order_id"], row["line_id"]): row["backordered"] for row in queue}
    days: dict[tuple[str, str], Days] = dict.fromkeys(left, (None, None))
    for arrival, row in await _handed_out(fetch):
        key = row["order_id"], row["line_id"]
        left[key] -= 1
        if not left[key]:
            days[key] = (arrival["expected_from"], arrival["promised_on"])
    return days


async def planned_units(fetch: Callable[[str], Awaitable[list[Any]]]) -> Counter[tuple[str, str, int]]:
    """The units that trucks on their way bring for waiting lines: by purchase order, order and position."""
    return Counter(
        (arrival["purchase_order_id"], row["order_id"], row["position"])
        for arrival, row in await _handed_out(fetch)
        if arrival["status"] == "in_transit"
    )


async def _handed_out(fetch: Callable[[str], Awaitable[list[Any]]]) -> list[tuple[Any, Any]]:
    """Hand out what is on its way unit by unit, in the order of time, each to the first who may have it."""
    queue = await fetch(
        "select order_id, line_id, position, sku, pin, backordered from bo_worker.order_line where backordered > 0"
        " order by priority desc, placed_at, order_id, position"
    )
    supply = await fetch(
        f"select purchase_order_id, status, sku, location, quantity - received as units, expected_from, promised_on"  # noqa: S608 - ours
        f" from bo_worker.supply where {COUNTED} order by promised_on, expected_from, purchase_order_id, line_id"
    )
    missing = await _missing(fetch)
    left = {(row["order_id"], row["line_id"]): row["backordered"] for row in queue}
    handed = []
    for arrival in supply:
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


async def _missing(fetch: Callable[[str], Awaitable[list[Any]]]) -> dict[tuple[str, str], int]:
    """Units of the safety stock that are not there, by SKU and location that keeps or gets the product."""
    rows = await fetch(
        "select sku, location,"
        " coalesce(product.safety_stock, 0) + coalesce(stock.allocated - stock.on_hand, 0) as units"
        " from (select sku, location from bo_worker.stock union select sku, location from bo_worker.supply) as place"
        " left join bo_worker.stock using (sku, location) left join bo_worker.product using (sku)"
    )
    return {(row["sku"], row["location"]): row["units"] for row in rows}
