"""Messages that came before their order: kept as received, given to the core when the order comes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bo_worker.domain.account import Early
from bo_worker.domain.cause import Cause
from bo_worker.domain.commands import AmendOrder, CancelOrder, UpdatePayment
from bo_worker.messages.inbound import Decoded, Refused, decode
from bo_worker.store.early import delete_early, forget_applied, load_early, save_early

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from bo_worker.service.work import Work

_ANY_SIZE = 2**62


@dataclass(slots=True)
class WaitingRoom:
    """What is stored of messages that wait for orders of this batch, with their row ids, by order."""

    stored: dict[str, list[tuple[int, Early]]] = field(default_factory=dict)

    async def load(self, connection: asyncpg.Connection, work: Work, order_ids: Iterable[str]) -> None:
        """Give the core what waits for orders that may come now. Their keys are locked."""
        known = [order_id for order_id in order_ids if not work.keys[order_id].is_new]
        for row_id, order_id, record in await load_early(connection, known):
            item = decode(record, _ANY_SIZE)
            if isinstance(item, Decoded) and isinstance(item.command, CancelOrder | AmendOrder | UpdatePayment):
                early = Early(Cause(record.topic, item.natural_id, item.traceparent), item.command, item)
                self.stored.setdefault(order_id, []).append((row_id, early))
                work.account.early.setdefault(order_id, []).append(early)

    def refused(self, work: Work) -> list[Refused]:
        """Return what turned out to be wrong when its order came."""
        return [Refused(early.token.record, refusal.error, refusal.reason) for early, refusal in work.account.refused]

    async def save(self, connection: asyncpg.Connection, work: Work) -> None:
        """Keep what still waits, forget what does no longer."""
        account = work.account
        stored = {id(early) for rows in self.stored.values() for _, early in rows}
        waiting = [
            (order_id, (early.cause.topic, early.cause.natural_id), early.token.record)
            for order_id, earlies in account.early.items()
            for early in earlies
            if id(early) not in stored
        ]
        for order_id, _, _ in waiting:
            work.keys[order_id].is_changed = True
        await save_early(connection, waiting)
        gone = [row_id for order_id, rows in self.stored.items() if order_id in account.orders for row_id, _ in rows]
        await delete_early(connection, gone)
        wrong = [(early.cause.topic, early.cause.natural_id) for early, _ in account.refused]
        await forget_applied(connection, wrong)
