"""The payment service: it answers what the worker asks of it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

_FAILED_SHARE: Final = 0.05
_HOLDS_DAYS: Final = 7
_STATUSES: Final = {"void": "voided", "refund": "refunded"}


class Payments:
    """Authorizes nearly everything for a week, and gives back what is to be given back."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._requests: list[Heard] = []

    def hear(self, heard: Iterable[Heard]) -> None:
        """Note the requests."""
        self._requests += [message for message in heard if message.topic == "payment"]

    def events(self, now: datetime) -> list[Step]:
        """Return the answers to all requests that were not answered yet."""
        requests, self._requests = self._requests, []
        return [Step("payment-updated", self._answer(request, now)) for request in requests]

    def _answer(self, request: Heard, now: datetime) -> dict[str, Any]:
        request_id = request.data["payment_request_id"]
        event: dict[str, Any] = {
            "payment_event_id": f"PE-{request_id}",
            "order_id": request.data["order_id"],
            "status": _STATUSES.get(request.kind, "authorized"),
            "occurred_at": now,
        }
        if request.kind != "authorize":
            return event | {"authorization_id": request.data.get("authorization_id")}
        if self._chance("payment", request_id).random() < _FAILED_SHARE:
            return event | {"status": "failed"}
        return event | {"authorization_id": f"A-{request_id}", "capture_before": now + timedelta(days=_HOLDS_DAYS)}
