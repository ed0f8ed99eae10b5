"""Dates that hold, learnt from how late a supplier was before."""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence


class History(NamedTuple):
    """How late past deliveries of a supplier were, in calendar days after `expected_to`; early ones are negative.

    `own` has those of the SKU in question, `all` those of every SKU of the supplier, these included.
    """

    own: Sequence[int] = ()
    all: Sequence[int] = ()


NO_HISTORY = History()


def safe_days(late_days: Sequence[int], level: float) -> int | None:
    """Return the days within which the next delivery comes with at least the probability `level`.

    Of n deliveries and the next one, each is equally likely to be the latest, the second latest and so on. So the
    next one is no later than the k-th earliest of the n with a probability of at least k / (n + 1), whatever the
    distribution. None where even the latest of the n is not enough. Raises ValueError unless 0 < level < 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"a level lies between 0 and 1, not at {level}")
    # 100 * 0.07 is a little more than 7 in floating point, which must not ask for one delivery more.
    rank = ceil(round((len(late_days) + 1) * level, 9))
    return sorted(late_days)[rank - 1] if rank <= len(late_days) else None


def promised_on(
    expected_to: date,
    history: History,
    level: float,
    default_days: int,
    own_enough: int,
    late_so_far: int | None = None,
) -> date:
    """Return the day by which a delivery that is due on `expected_to` has come with the probability `level`.

    The history of the SKU speaks where it has at least `own_enough` deliveries, else that of the supplier; where
    neither is long enough for the level, `default_days` are added. Never earlier than the supplier's own word.

    Of a delivery that is open `late_so_far` days after it was due (before, where negative) only those past ones tell
    that were open by then. Where they are too few for the level, the latest of them speaks; where there are none, the
    whole past does, as it did before.
    """
    own, every = _not_before(history.own, late_so_far), _not_before(history.all, late_so_far)
    days = safe_days(own, level) if len(own) >= own_enough else None
    if days is None:
        days = safe_days(every, level)
    if days is None and safe_days(history.all, level) is not None:
        days = max(every) if every else safe_days(history.all, level)
    if days is None:
        days = default_days
    latest = (date.max - expected_to).days
    return expected_to + timedelta(days=min(max(0, days), latest))


def _not_before(late_days: Sequence[int], late_so_far: int | None) -> Sequence[int]:
    return late_days if late_so_far is None else [days for days in late_days if days >= late_so_far]
