"""Sends what is played, as a shop and a warehouse would: CloudEvents in binary mode, at the pace of the scenario."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import orjson

from bo_worker.messages.record import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from bo_worker.demo.scenario import Step
    from bo_worker.kafka.publisher import Publisher

TICK_S = 0.05
SOURCES = {"order-created": "/web-shop", "inventory-received": "/warehouse", "purchase-order-updated": "/purchasing"}


class Sender:
    """Sends steps; `sent` hears how many each time."""

    def __init__(self, publisher: Publisher, sent: Callable[[int], None]) -> None:
        self._publisher = publisher
        self._sent = sent

    async def send(self, steps: Sequence[Step]) -> None:
        """Send them all at once."""
        now = datetime.now(UTC)
        await self._publisher.publish([_message(step, now) for step in steps])
        self._sent(len(steps))

    async def play(self, steps: Sequence[Step], pauses: Sequence[timedelta], speed: float) -> None:
        """Send each after its pause, which is `speed` times as short as in the shop."""
        loop = asyncio.get_running_loop()
        began, due, position = loop.time(), 0.0, 0
        while position < len(steps):
            first = position
            while position < len(steps) and due + pauses[position].total_seconds() / speed <= loop.time() - began:
                due += pauses[position].total_seconds() / speed
                position += 1
            if position > first:
                await self.send(steps[first:position])
            else:
                await asyncio.sleep(TICK_S)


def _message(step: Step, now: datetime) -> Message:
    version = step.data.get("version")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": f"{step.key}.{version}" if version else step.key,
        "ce_source": SOURCES[step.topic],
        "ce_type": f"com.example.{step.topic}",
        "ce_time": now.isoformat(),
        "content-type": "application/json",
    }
    value = orjson.dumps(step.data, option=orjson.OPT_UTC_Z)
    return Message(step.topic, step.key.encode(), value, [(name, text.encode()) for name, text in headers.items()])
