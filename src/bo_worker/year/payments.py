"""The payment service: it answers what the worker asks of it, and takes the money when goods leave."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

_FAILED_SHARE: Final = 0.05
_MENDED_SHARE: Final = 0.6  # of failures; the customer gives another card a day later
_HOLDS: Final = timedelta(days=7)
_STATUSES: Final = {"void": "voided", "refund": "refunded"}


class Payments:
    """Authorizes nearly everything for a week, and gives back what is to be given back.

    `authorizations` are those in force, by order.
    """

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._requests: list[Heard] = []
        self._failed: list[str] = []
        self._left: dict[str, None] = {}
        self._paid: set[str] = set()
        self.authorizations: dict[str, str] = {}

    def note(self, orders: Iterable[Step]) -> None:
        """Know the authorizations that orders came with."""
        for step in orders:
            if payment := step.data.get("payment"):
                self.authorizations[step.data["order_id"]] = payment["authorization_id"]

    def hear(self, heard: Iterable[Heard]) -> None:
        """Note the requests, and whose goods have left."""
        for message in heard:
            if message.topic == "payment":
                self._requests.append(message)
            elif message.kind == "shipped" and message.data["order_id"] in self.authorizations:
                self._left[message.data["order_id"]] = None

    def events(self, now: datetime) -> list[Step]:
        """Return the answers to all requests so far, and what else happened since."""
        mended, self._failed = self._failed, []
        captured = [*self._captured(now)]
        events = [
            *(self._authorized(order, f"{order}-{now:%y%m%d}", now) for order in mended if order not in self._paid),
            *captured,
            *(self._answer(request, now) for request in self._requests if not self._is_needless(request)),
        ]
        self._requests = []
        return [Step("payment-updated", event) for event in events]

    def _captured(self, now: datetime) -> Iterator[dict[str, Any]]:
        """Give the captures of what has left; an order is captured once, all of it."""
        self._paid |= self._left.keys()
        for order_id in self._left:
            authorization_id = self.authorizations.pop(order_id)
            event = _event(f"PE-{order_id}-captured", order_id, "captured", now)
            yield event | {"authorization_id": authorization_id}
        self._left = {}

    def _is_needless(self, request: Heard) -> bool:
        """Tell whether an authorization is asked for that is not needed any more: the money came meanwhile."""
        return request.kind == "authorize" and request.data["order_id"] in self._paid

    def _answer(self, request: Heard, now: datetime) -> dict[str, Any]:
        request_id, order_id = request.data["payment_request_id"], request.data["order_id"]
        if request.kind != "authorize":
            event = _event(f"PE-{request_id}", order_id, _STATUSES[request.kind], now)
            return event | {"authorization_id": request.data.get("authorization_id")}
        choice = self._chance("payment", request_id)
        if choice.random() >= _FAILED_SHARE:
            return self._authorized(order_id, request_id, now)
        if choice.random() < _MENDED_SHARE:
            self._failed.append(order_id)
        return _event(f"PE-{request_id}", order_id, "failed", now)

    def _authorized(self, order_id: str, name: str, now: datetime) -> dict[str, Any]:
        self.authorizations[order_id] = f"A-{name}"
        event = _event(f"PE-{name}", order_id, "authorized", now)
        return event | {"authorization_id": f"A-{name}", "capture_before": now + _HOLDS}


def _event(event_id: str, order_id: str, status: str, now: datetime) -> dict[str, Any]:
    return {"payment_event_id": event_id, "order_id": order_id, "status": status, "occurred_at": now}
