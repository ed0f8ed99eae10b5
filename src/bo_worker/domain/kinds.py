"""Kinds of products: when the stock of one serves who waits, and between which days it can be promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date

    from bo_worker.domain.commands import UpdatePolicy
    from bo_worker.domain.stock import Product

OPEN: Final = "open"
PRE_ORDER: Final = "pre_order"
NOT_BEGUN: Final = "not_begun"
ENDED: Final = "ended"
DROP_SHIP: Final = "drop_ship"

# In these phases the stock of a product serves nobody.
CLOSED: Final = frozenset({NOT_BEGUN, ENDED, DROP_SHIP})
# Each order of one of these that waits has supply of its own.
PER_ORDER: Final = frozenset({"made_to_order", "drop_ship"})
# Their lead time is nobody's promise.
WITHOUT_LEAD_TIME: Final = frozenset({"manufacturer", "indefinite"})
_RELEASED: Final = frozenset({"pre_order", "seasonal"})


def turn(product: Product, today: date) -> None:
    """Set the phase that a product is in today, and the day on which the next one begins by itself.

    A phase that changes moves promises, of lines that wait, and which units are available.
    """
    phase = phase_of(product.policy, today)
    product.next_change_on = _next_change_on(product.policy, today)
    product.is_policy_changed = product.is_changed = True
    if phase != product.phase:
        product.phase = phase
        product.is_closed = phase in CLOSED
        product.outlook = None
        product.are_promises_due |= product.waiting > 0


def phase_of(policy: UpdatePolicy | None, today: date) -> str:
    """Return the phase of a product with this policy: `OPEN` unless its kind says otherwise."""
    if policy is None:
        return OPEN
    if policy.kind == "drop_ship":
        return DROP_SHIP
    if policy.kind == "seasonal" and policy.season_ends_on is not None and policy.season_ends_on < today:
        return ENDED
    if policy.kind in _RELEASED and policy.release_on is not None and today < policy.release_on:
        return PRE_ORDER if policy.kind == "pre_order" else NOT_BEGUN
    return OPEN


def _next_change_on(policy: UpdatePolicy | None, today: date) -> date | None:
    if policy is None or policy.kind not in _RELEASED:
        return None
    last = policy.season_ends_on if policy.kind == "seasonal" else None
    days = [policy.release_on]
    if last is not None:
        days.append(_day_after(last))
    return min((day for day in days if day is not None and day > today), default=None)


def _day_after(day: date) -> date | None:
    return day.fromordinal(day.toordinal() + 1) if day != day.max else None


def goes_by_word(policy: UpdatePolicy | None) -> bool:
    """Tell whether nothing but the supplier's own word is relied on: the product is delayed upstream."""
    return policy is not None and policy.kind == "manufacturer"


def starts_on(product: Product) -> date | None:
    """Return the first day that a product can be promised for, None where that is today."""
    if product.phase in (PRE_ORDER, NOT_BEGUN) and product.policy is not None:
        return product.policy.release_on
    return None


def begins_on(product: Product, day: date) -> bool:
    """Tell whether a product is released on a day, or its season begins."""
    policy = product.policy
    is_released = policy is not None and policy.kind in _RELEASED and policy.release_on == day
    return is_released and is_in_time(product, day)


def is_in_time(product: Product, day: date) -> bool:
    """Tell whether a product can be promised for a day: not after its season, and never where nobody knows."""
    policy = product.policy
    if policy is None:
        return True
    if product.phase == ENDED or policy.kind == "indefinite":
        return False
    last = ends_on(product)
    return last is None or day <= last


def ends_on(product: Product) -> date | None:
    """Return the last day of the season of a product, None where it has none."""
    policy = product.policy
    return policy.season_ends_on if policy is not None and policy.kind == "seasonal" else None
