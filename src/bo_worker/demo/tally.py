"""Counts over the messages read back, and the proof that none of the worker's is missing."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from statistics import quantiles
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bo_worker.demo.seen import Seen

ANSWERS_KEPT = 500
DEAD_LETTERS = "dead letters"


@dataclass(slots=True)
class Outage:
    """The time without a worker; `takeovers` is how often workers had taken over partitions before."""

    takeovers: int
    began_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long it was, None while it is not over."""
        return (self.ended_at - self.began_at).total_seconds() if self.ended_at else None

    def touches(self, began_at: datetime, ended_at: datetime) -> bool:
        """Whether any of that time lies in it."""
        return self.began_at <= ended_at and (self.ended_at is None or began_at <= self.ended_at)


class Tally:
    """What went over the topics so far; a message of the worker that came again counts once."""

    def __init__(self) -> None:
        self.messages: Counter[str] = Counter()
        self.units: Counter[str] = Counter()
        self.orders_sent: set[str] = set()
        self.orders_again = 0
        self.repeated = 0
        self.faults: list[str] = []
        self.shop_time: datetime | None = None
        self.outage: Outage | None = None
        self._ids: dict[tuple[str, str], list[str]] = {}
        self._unanswered: dict[str, datetime] = {}
        self._answers_ms: deque[float] = deque(maxlen=ANSWERS_KEPT)

    def note(self, seen: Seen) -> bool:
        """Count a message; False when it is one that came again."""
        if seen.sequence and not self._is_new(seen):
            self.repeated += 1
            return False
        self.messages[DEAD_LETTERS if seen.is_dead_letter else seen.topic] += 1
        match seen.topic:
            case "order-created" if seen.data:
                self._note_order(seen)
            case "inventory-received" if seen.data:
                self.units["received"] += seen.units
                self.units["damaged"] += sum(line.get("damaged_quantity") or 0 for line in seen.lines)
            case "purchase-order-updated":
                pass
            case _:
                self.units[seen.kind] += seen.units
                self._note_answer(seen)
        return True

    @property
    def keys(self) -> int:
        """Pairs of output topic and message key that were seen."""
        return len(self._ids)

    @property
    def answer_ms(self) -> tuple[float, float] | None:
        """Median and 95th percentile of the time from sending an order to reading its first event, outages aside."""
        if len(self._answers_ms) < 2:
            return None
        cuts = quantiles(self._answers_ms, n=20, method="inclusive")
        return cuts[9], cuts[18]

    def _note_order(self, seen: Seen) -> None:
        order_id = seen.data["order_id"]
        if order_id in self.orders_sent:
            self.orders_again += 1
            return
        self.orders_sent.add(order_id)
        self.shop_time = datetime.fromisoformat(seen.data["placed_at"])
        self._unanswered[order_id] = seen.sent_at

    def _note_answer(self, seen: Seen) -> None:
        sent_at = self._unanswered.pop(seen.key, None)
        if sent_at is None or not seen.sequence:
            return
        if self.outage is None or not self.outage.touches(sent_at, seen.read_at):
            self._answers_ms.append((seen.read_at - sent_at).total_seconds() * 1000)

    def _is_new(self, seen: Seen) -> bool:
        """Whether this is the next of its key; a gap, or another message under a known number, is a fault."""
        ids = self._ids.setdefault((seen.topic, seen.key), [])
        if seen.sequence == len(ids) + 1:
            ids.append(seen.event_id)
            return True
        if seen.sequence > len(ids) or ids[seen.sequence - 1] != seen.event_id:
            self.faults.append(f"{seen.topic} {seen.key}: number {seen.sequence} after {len(ids)}")
        return False
