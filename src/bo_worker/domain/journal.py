"""The journal: one entry per change of stock, of a claim, or of what waits, and the message that caused it.

The counters of the account are sums of its entries, which is what an audit recomputes (R10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# On hand: received and adjusted (signed) add, shipped takes. Allocated: claimed (at once) and filled (from the
# queue) add; returned (by a cancellation), lost (to a correction) and shipped take. Waiting: backordered and lost
# add; filled, dropped (by a cancellation) and drop_shipped (by the supplier) take. The others tell where units went
# and change no counter.
Change = Literal[
    "received",
    "adjusted",
    "claimed",
    "filled",
    "released",
    "returned",
    "lost",
    "shipped",
    "backordered",
    "dropped",
    "drop_shipped",
    "rejected",
    "put_away",
]


@dataclass(slots=True, eq=False)
class Entry:
    """`quantity` units changed; `fulfillment_id` names the instruction that carries or loses them."""

    cause: str
    change: Change
    quantity: int
    sku: str
    location: str = ""
    order_id: str | None = None
    position: int | None = None
    fulfillment_id: str | None = None
    via: str | None = None
