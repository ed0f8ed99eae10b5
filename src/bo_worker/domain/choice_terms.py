"""What customers are told and offered while they wait beyond what they must be, as a merchant sets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class ChoiceTerms:
    """Numbers of notices and of days; 0 is never.

    Compensation is offered with the notice of a delay of that number, and with all later ones, or where the delay
    lasts so many days. Every `on_track_days` a customer hears that a day still holds. Units wait up to
    `consolidate_days` for what else is promised to their order by then.
    """

    compensation_from_notice: int = 0
    compensation_from_days: int = 0
    on_track_days: int = 0
    consolidate_days: int = 0
