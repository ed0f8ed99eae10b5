"""The jobs of the sweep, by name: everything that becomes due as time goes by."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bo_worker.service.consent import end_silences_due, tell_delays_due
from bo_worker.service.consolidation import release_consolidated
from bo_worker.service.on_track import tell_who_waits
from bo_worker.service.own_supply import order_supply_due
from bo_worker.service.payments import give_up_unpaid, renew_authorizations
from bo_worker.service.promises import lapse_supply, reestimate_supply, repeg_products
from bo_worker.service.reviews import review_closed
from bo_worker.service.seasons import turn_of_season
from bo_worker.service.waitlist import tell_waitlist

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo_worker.service.sweep import Job

JOBS: Final[Mapping[str, Job]] = MappingProxyType(
    {
        "reestimate_supply": reestimate_supply,
        "turn_of_season": turn_of_season,
        "lapse_supply": lapse_supply,
        "repeg_products": repeg_products,
        "end_silence": end_silences_due,
        "tell_delays": tell_delays_due,
        "release_consolidated": release_consolidated,
        "tell_on_track": tell_who_waits,
        "renew_authorizations": renew_authorizations,
        "give_up_unpaid": give_up_unpaid,
        "order_supply": order_supply_due,
        "review_closed": review_closed,
        "tell_waitlist": tell_waitlist,
    }
)
