"""Backorders of a product close by themselves when too many give up or wait too long, and open again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.domain.commands import UpdatePolicy
    from bo_worker.domain.stock import Product

# The days over which cancellations are counted, today included.
WINDOW_DAYS: Final = 28
# Fewer backordered units than these say nothing about a rate.
UNITS_MIN: Final = 20
# What closed at a limit opens at this share of it, so that it does not open and close by turns.
REOPENS_AT: Final = 0.8

CANCELLATION_RATE: Final = "cancellation_rate"
WAIT: Final = "wait"


@dataclass(slots=True, frozen=True)
class Churn:
    """Units of a product that began to wait in the window, and units cancelled in it while they waited."""

    backordered: int = 0
    cancelled: int = 0


NO_CHURN: Final = Churn()


@dataclass(slots=True, frozen=True)
class Queue:
    """Who waits for a product: orders, the day of the earliest need, the latest promise, the oldest order's day.

    `is_unpromised` tells that a line waits without a promise.
    """

    orders: int = 0
    needed_by: date | None = None
    promised_to: date | None = None
    is_unpromised: bool = False
    placed_on: date | None = None


NOBODY: Final = Queue()


def is_watched(product: Product) -> bool:
    """Tell whether backorders of a product can close: its policy says when."""
    policy = product.policy
    return policy is not None and (policy.cancellation_rate_limit is not None or policy.window_days is not None)


def close_for_rate(product: Product, churn: Churn) -> bool:
    """Close the backorders of a product if too many gave up; return whether it was done now."""
    policy = product.policy
    if product.closed_reason is not None or policy is None or not _gave_up(policy, churn, 1):
        return False
    product.closed_reason = CANCELLATION_RATE
    product.note_purchasing()
    return True


def count_dropped(product: Product, units: int) -> None:
    """Count units that were cancelled while they waited; close the backorders of a product if they are too many.

    That is asked at once, as the next order may be one of the same transaction, or not. Where it is not known what
    was counted before, it is asked when the transaction ends.
    """
    product.dropped += units
    churn = product.churn
    if churn is not None:
        counted = Churn(churn.backordered + product.joined, churn.cancelled + product.dropped)
        product.is_switched |= close_for_rate(product, counted)


def review(product: Product, churn: Churn, queue: Queue, today: date) -> bool:
    """Close or open the backorders of a product by what is known today; return whether that changed anything.

    Looks again tomorrow, as long as anybody waits or it is closed.
    """
    before, policy = product.closed_reason, product.policy
    reason = None
    if policy is not None:
        wait = days_waiting(queue, today)
        if _gave_up(policy, churn, REOPENS_AT if before == CANCELLATION_RATE else 1):
            reason = CANCELLATION_RATE
        elif _waits_too_long(policy, wait, REOPENS_AT if before == WAIT else 1):
            reason = WAIT
    product.closed_reason = reason
    product.review_on = None
    plan_review(product, today)
    product.note_purchasing()
    return reason != before


def plan_review(product: Product, today: date) -> None:
    """Have it looked at tomorrow whether lines may wait, where that can change."""
    if product.review_on is None and is_watched(product) and (product.waiting or product.closed_reason):
        product.review_on = today + timedelta(days=1)
        product.note_purchasing()


def days_waiting(queue: Queue, today: date) -> int:
    """Return how many days the last line will wait from today on; unpromised, how many the oldest has waited."""
    days = 0
    if queue.promised_to is not None:
        days = (queue.promised_to - today).days
    if queue.is_unpromised and queue.placed_on is not None:
        days = max(days, (today - queue.placed_on).days)
    return max(0, days)


def _gave_up(policy: UpdatePolicy, churn: Churn, share: float) -> bool:
    limit = policy.cancellation_rate_limit
    if limit is None or churn.backordered < UNITS_MIN:
        return False
    return churn.cancelled > share * limit * churn.backordered


def _waits_too_long(policy: UpdatePolicy, days: int, share: float) -> bool:
    return policy.window_days is not None and days > share * policy.window_days
