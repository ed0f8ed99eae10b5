"""What customers answer when they are told of a delay: keep waiting, take another product, cancel, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bo_worker.year.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from bo_worker.year.chance import Chance
    from bo_worker.year.step import Heard

_KEEP, _SWITCH = 0.55, 0.7  # of answers: keep, switch where it is offered, else cancel
_SILENT_SHARE: Final = 0.25

Place = tuple[str, str]


class Answers:
    """Knows the latest notice of each line, by order and line, and the best that was offered instead."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._notices: dict[Place, Heard] = {}
        self._offers: dict[Place, str] = {}

    def hear(self, heard: Iterable[Heard]) -> None:
        """Note who is asked. A notice that comes later stands in place of the one before."""
        for message in heard:
            places = [(message.data["order_id"], line["line_id"]) for line in message.lines]
            if message.kind == "delay_notice":
                self._forget(places)
                self._notices |= dict.fromkeys(places, message)
            elif message.kind == "order_cancelled":
                self._forget(places)
            elif message.kind == "substitute_offered":
                for offer in reversed(message.data["substitutes"]):  # the best is the first
                    self._offers[message.data["order_id"], offer["line_id"]] = offer["sku"]

    def given(self, now: datetime) -> list[Step]:
        """Return the answers to what was asked since the last ones; some customers say nothing."""
        steps = [step for place, notice in self._notices.items() for step in self._answer(place, notice, now)]
        self._notices, self._offers = {}, {}
        return steps

    def _forget(self, places: Iterable[Place]) -> None:
        for place in places:
            self._notices.pop(place, None)
            self._offers.pop(place, None)

    def _answer(self, place: Place, notice: Heard, now: datetime) -> Iterator[Step]:
        order_id, line_id = place
        choice = self._chance("answer", notice.data["notification_id"], line_id)
        if choice.random() < _SILENT_SHARE:
            return
        said, substitute = choice.random(), self._offers.get(place)
        answer: dict[str, Any] = {
            "response_id": f"RS-{notice.data['notification_id']}-{line_id}",
            "order_id": order_id,
            "line_id": line_id,
            "choice": "keep" if said < _KEEP else "cancel",
            "token": notice.data["token"],
            "responded_at": now,
        }
        if _KEEP <= said < _SWITCH and substitute:
            answer |= {"choice": "switch", "substitute_sku": substitute}
        yield Step("customer-response", answer)
