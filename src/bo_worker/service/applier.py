"""Gets every batch applied: reconnects, retries, splits, parks what can't be applied, and stops where it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bo_worker.domain.missing import NotLoadedError
from bo_worker.messages.inbound import Refused
from bo_worker.service.apply import Applied, apply_batch
from bo_worker.service.batch import Batch
from bo_worker.service.failures import InvariantBrokenError, described, pauses, remedy
from bo_worker.service.unfinished import go_on
from bo_worker.service.waiting import happens_within
from bo_worker.service.work import Lessons, OrdersBusyError
from bo_worker.store.positions import StalePositionError, read_positions
from bo_worker.store.products import TooManyLinesError, UnfinishedCauseError
from bo_worker.store.unfinished import list_unfinished

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from bo_worker.service.work import Rules
    from bo_worker.store.session import Session

log = structlog.get_logger()
_FIRST_PAUSE_S = 0.05


class StoppedError(Exception):
    """The worker was asked to stop while a server was away."""


class Applier:
    """Applies batches one after the other on a database session of its own.

    `committed` is told what came of each transaction, `retried` of each error that passes by itself, `checkpoint`
    how far a transaction is (fault tests end the process there). `stopping` ends a wait for a server.
    """

    def __init__(
        self,
        session: Session,
        rules: Rules,
        *,
        clock: Callable[[], datetime],
        committed: Callable[[Batch, Applied], None],
        stopping: asyncio.Event,
        retry_wait_max_s: float,
        checkpoint: Callable[[str], None],
        retried: Callable[[Exception], None],
    ) -> None:
        self._session = session
        self._rules = rules
        self._clock = clock
        self._committed = committed
        self._stopping = stopping
        self._retry_wait_max_s = retry_wait_max_s
        self._checkpoint = checkpoint
        self._retried = retried
        self._pauses = self._new_pauses()

    async def apply(self, batch: Batch) -> None:
        """Apply a batch, whatever it takes.

        Raises:
            StalePositionError: a partition has another owner by now; what of the batch is not yet committed is his.
            StoppedError: asked to stop while a server was away.
            InvariantBrokenError: the worker must stop.
        """
        parts = [batch]
        while parts:
            part = parts.pop()
            try:
                rest = await self._attempt(part)
                self._pauses = self._new_pauses()
            except (StalePositionError, StoppedError):
                raise
            except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
                rest = await self._mend(part, error)
            parts.extend(reversed(rest))

    async def finish_all(self) -> None:
        """Go on with everything that earlier transactions, of whatever worker, have left unfinished.

        Raises:
            StoppedError, InvariantBrokenError: as `apply` does.
        """
        try:
            await self._finish_all()
        except StoppedError:
            raise
        except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
            await self._mend(Batch([], {}), error)

    async def _finish_all(self) -> None:
        for name in await list_unfinished(await self._session.connected()):
            await self._finish(name)

    async def _attempt(self, batch: Batch) -> list[Batch]:
        """Try to apply a batch in one transaction; return what is still to be applied, wiser than before."""
        try:
            await self._commit(batch)
        except StalePositionError:
            # The answer to an earlier attempt's commit may have been lost.
            if not await self._is_committed(batch):
                raise
            self._committed(batch, Applied())
        except OrdersBusyError as busy:
            batch.lessons.order_ids.update(busy.order_ids)
            return [batch]
        except NotLoadedError as missing:
            batch.lessons.learn(missing)
            return [batch]
        except UnfinishedCauseError as unfinished:
            await self._finish(unfinished.cause)
            return [batch]
        except TooManyLinesError:
            return _smaller(batch)
        return []

    async def _commit(self, batch: Batch) -> None:
        connection = await self._session.connected()
        applied = await apply_batch(connection, batch, self._rules, self._clock(), self._checkpoint)
        self._committed(batch, applied)
        if batch.lessons.in_steps:
            await self._finish_all()

    async def _is_committed(self, batch: Batch) -> bool:
        return await read_positions(await self._session.connected(), batch.bases) == batch.ends()

    async def _finish(self, name: str) -> None:
        """Go on with an unfinished cause, step by step, until it is finished."""
        lessons = Lessons()
        finished = False
        while not finished:
            if self._stopping.is_set():
                raise StoppedError
            connection = await self._session.connected()
            try:
                finished, units = await go_on(connection, name, lessons, self._rules, self._clock())
            except OrdersBusyError as busy:
                lessons.order_ids.update(busy.order_ids)
                continue
            lessons = Lessons()
            self._pauses = self._new_pauses()
            self._committed(Batch([], {}), Applied(messages=1, units=units))
            self._checkpoint("after_step")

    async def _mend(self, batch: Batch, error: Exception) -> list[Batch]:
        """Do about an error what the table says; return what is to be applied next."""
        match remedy(error):
            case "retry":
                log.warning("batch_retried", error=repr(error), records=len(batch.items))
                self._retried(error)
                await self._session.discard()
                await self._pause()
                return [batch]
            case "park":
                return self._park(batch, error)
            case "stop":
                raise InvariantBrokenError(described(error)) from error

    def _park(self, batch: Batch, error: Exception) -> list[Batch]:
        """Find the message that can't be applied by halving the batch; its neighbours go through."""
        if len(batch.items) > 1:
            return list(batch.split(len(batch.items) // 2))
        if not batch.items or isinstance(batch.items[0], Refused):
            raise InvariantBrokenError(f"no message is at fault: {error!r}") from error
        item = batch.items[0]
        log.error("message_parked", topic=item.record.topic, error=described(error))
        reason = f"the message is well-formed but could not be applied ({type(error).__name__})"
        return [Batch([Refused(item.record, "not_applicable", reason)], batch.bases, batch.topic_prefix)]

    async def _pause(self) -> None:
        """Wait before the next attempt, or learn that there won't be one."""
        if await happens_within(next(self._pauses), self._stopping):
            raise StoppedError

    def _new_pauses(self) -> Iterator[float]:
        return pauses(_FIRST_PAUSE_S, self._retry_wait_max_s)


def _smaller(batch: Batch) -> list[Batch]:
    """Serve fewer lines at once: halves of the batch, or a single change in steps."""
    if len(batch.items) > 1:
        return list(batch.split(len(batch.items) // 2))
    batch.lessons = Lessons(batch.lessons.order_ids, in_steps=True)
    return [batch]
