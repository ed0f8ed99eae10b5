"""How a worker serves and promises, from its settings."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bo_worker.delay_rules import is_day_off, load_delay_terms
from bo_worker.domain.account import Terms
from bo_worker.domain.choice_terms import ChoiceTerms
from bo_worker.domain.cross_dock import DockTerms
from bo_worker.domain.payment import PaymentTerms
from bo_worker.service.work import Rules

if TYPE_CHECKING:
    from bo_worker.config import Settings


def rules_of(settings: Settings) -> Rules:
    """Return how a worker with these settings serves and promises."""
    terms = Terms(
        settings.promise_level,
        settings.supplier_delay_days,
        settings.own_deliveries_min,
        settings.promise_moved_days,
        DockTerms(
            settings.cross_dock_orders_max,
            settings.cross_dock_share_min,
            settings.cross_dock_hours_min,
            settings.cross_dock_hours_max,
            settings.cross_dock_shelf_days_min,
        ),
        is_day_off,
        load_delay_terms(settings.notice_days, settings.respond_days, silence_cancels=settings.silence == "cancel"),
        choices=ChoiceTerms(
            settings.compensation_from_notice,
            settings.compensation_from_days,
            settings.on_track_days,
            settings.consolidate_days,
        ),
        payment=PaymentTerms(
            timedelta(hours=settings.payment_renew_hours),
            timedelta(hours=settings.payment_grace_hours),
            settings.payment_authorize == "shipment",
            timedelta(days=settings.payment_cancel_days) or None,
        ),
    )
    secret = settings.token_secret.get_secret_value().encode() if settings.token_secret else None
    return Rules(settings.rank_by, settings.fill_lines_max, settings.topic_prefix, terms, secret)
