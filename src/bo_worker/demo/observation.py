"""Looks at the worker from outside: reads its topics and its account, and keeps the stage up to date."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo_worker.demo.figures import Account
from bo_worker.demo.watcher import Watcher
from bo_worker.messages.inbound import INPUT_TOPICS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bo_worker.config import Settings
    from bo_worker.demo.seen import Seen
    from bo_worker.demo.stage import Stage

POLL_S = 0.2
# What the account says was announced: events by topic; and what is not published, or not looked at again, yet.
ANNOUNCED = """
select
    coalesce(sum(notifications), 0)::bigint as notifications, coalesce(sum(fulfillments), 0)::bigint as fulfillments,
    (select count(*) from bo_worker.outbox) + (select count(*) from bo_worker.product where promises_due)
        + (select count(*) from bo_worker.supplier where deliveries_due or estimated_to is not null) as to_come
from bo_worker.message_key
"""


class Observation:
    """Every message goes to the tally of the stage and, if it is new, to the listeners."""

    def __init__(self, settings: Settings, stage: Stage, listeners: Sequence[Callable[[Seen], None]]) -> None:
        self.account = Account(settings)
        self.listeners = listeners
        self._stage = stage
        self._watcher = Watcher(settings, self._note)

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watcher.run())
                while True:
                    await self.refresh()
                    await asyncio.sleep(POLL_S)
        finally:
            await self.account.close()

    async def refresh(self) -> None:
        """Show the account as it is now."""
        figures = await self.account.figures()
        self._stage.update(figures, figures.lag(await self._watcher.ends()))

    async def is_settled(self, sent: int) -> bool:
        """Whether all that was sent is applied, and all events of it were read back."""
        messages = self._stage.tally.messages
        read_all = sum(messages[topic] for topic in INPUT_TOPICS) >= sent
        await self.refresh()
        if self._stage.lag or not read_all:
            return False
        (announced,) = await self.account.fetch(ANNOUNCED)
        return tuple(announced) == (messages["customer-notification"], messages["fulfillment"], 0)

    def _note(self, seen: Seen) -> None:
        if self._stage.tally.note(seen):
            for listener in self.listeners:
                listener(seen)
