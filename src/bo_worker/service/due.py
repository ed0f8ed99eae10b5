"""The jobs of the sweep, by name: everything that becomes due as time goes by."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from bo_worker.service.promises import lapse_supply, repeg_products
from bo_worker.service.reviews import review_closed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bo_worker.service.sweep import Job

JOBS: Final[Mapping[str, Job]] = MappingProxyType(
    {"lapse_supply": lapse_supply, "repeg_products": repeg_products, "review_closed": review_closed}
)
