"""Chance that does not depend on what was asked before: the same question always has the same answer."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Chance = Callable[..., random.Random]


def chances(seed: int) -> Chance:
    """Return a function that gives each question (a name and what it is about) a generator of its own."""

    def chance(*question: object) -> random.Random:
        return random.Random("/".join(map(str, (seed, *question))))

    return chance


def late_days(choice: random.Random, mean: float) -> int:
    """Return days that are few mostly and seldom many (geometric)."""
    return int(choice.expovariate(1 / mean))
