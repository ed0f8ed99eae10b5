"""Time as one more input: asks Postgres what has become due and has it done, by one sweep at a time."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import structlog

from bo_worker.observability.health import Progress
from bo_worker.service.failures import InvariantBrokenError, described, pauses, remedy
from bo_worker.service.waiting import done_before, happens_within
from bo_worker.service.work import OrdersBusyError
from bo_worker.store.leadership import SWEEP_LOCK, lead
from bo_worker.store.products import UnfinishedCauseError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
    from datetime import datetime

    import asyncpg

    from bo_worker.config import Settings
    from bo_worker.service.work import Rules
    from bo_worker.store.session import Session

log = structlog.get_logger()
TOPIC: Final = "sweep"  # as the topic of what has no message for its cause
_Found = TypeVar("_Found")
_FIRST_PAUSE_S = 0.05


@dataclass(slots=True)
class Done:
    """What came of one transaction of a job: messages for the outbox, units of goods by kind.

    `more` asks to be called again at once, as there was more due than one transaction may take.
    """

    more: bool = False
    messages: int = 0
    units: Counter[str] = field(default_factory=Counter)


Job: TypeAlias = "Callable[[asyncpg.Connection, Rules, datetime], Awaitable[Done]]"
"""Does a bounded part of what is due at an instant, in one transaction, which it opens itself.

Whether that was committed may stay unknown, and it is called again: what it did must not be due any more. It may
raise OrdersBusyError and UnfinishedCauseError, which mean that it is tried again in the next round; what else it
raises is a fault of a server, or the worker stops.
"""


async def twice(attempt: Callable[[Collection[str]], Awaitable[_Found]]) -> _Found:
    """Try a transaction, once more with keys to lock first where it finds some that are locked elsewhere.

    Raises:
        OrdersBusyError: the second attempt finds others.
    """
    try:
        return await attempt(())
    except OrdersBusyError as busy:
        return await attempt(busy.order_ids)


class Sweep:
    """Calls each job until it has no more to do, round after round, while it leads; stands by while another does.

    The session's advisory lock makes it the leader. The jobs write on that same session, so a sweep whose session
    is gone can't write. `woken` is set when this process has committed something that is due at once. `swept` is
    told the job, the outcome and the yield of each transaction, `retried` of each error that passes by itself.
    `sweeping` tells whether it goes on, if only with the next attempt.
    """

    def __init__(
        self,
        settings: Settings,
        session: Session,
        rules: Rules,
        jobs: Mapping[str, Job],
        *,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
        swept: Callable[[str, str, Done], None],
        retried: Callable[[Exception], None],
    ) -> None:
        self._settings = settings
        self._session = session
        self._rules = rules
        self._jobs = jobs
        self._clock = clock
        self._stopping = stopping
        self._swept = swept
        self._retried = retried
        self._order = deque(jobs)
        self._led: asyncpg.Connection | None = None
        self.woken = asyncio.Event()
        self.sweeping = Progress(_silence_max_s(settings))

    async def run(self) -> None:
        """Sweep until asked to stop; a transaction at work is finished.

        Raises:
            InvariantBrokenError: the worker must stop.
        """
        waits = self._new_pauses()
        while not self._stopping.is_set():
            self.sweeping.mark()
            try:
                await self._round()
                waits = self._new_pauses()
            except Exception as error:  # noqa: BLE001 - the one place where errors are told apart
                await self._mend(error)
                await happens_within(next(waits), self._stopping)
                continue
            await done_before(self._stopping, self._rest())

    async def _round(self) -> None:
        """Call every job, if this is the sweep that leads."""
        self.woken.clear()
        # Without jobs nobody needs to lead, and a session on which nothing is asked would be ended as a frozen one.
        connection = await self._leading() if self._jobs else None
        if connection is None:
            return
        for _ in self._jobs:
            name = self._order[0]
            # A job that fails ends the round; the next one begins with the job behind it.
            self._order.rotate(-1)
            more = True
            while more and not self._stopping.is_set():
                more = await self._call(name, connection)

    async def _leading(self) -> asyncpg.Connection | None:
        """Return the connection whose session holds the lock, or nothing where another one does."""
        connection = await self._session.connected()
        if connection is not self._led:
            self._led = None
            if not await lead(connection, SWEEP_LOCK):
                return None
            self._led = connection
            log.info("sweep_leading")
        return connection

    async def _call(self, name: str, connection: asyncpg.Connection) -> bool:
        """Let a job do one transaction; return whether it asks for more."""
        done, outcome = Done(), "failed"
        try:
            done = await self._jobs[name](connection, self._rules, self._clock())
            outcome = "done"
        except (OrdersBusyError, UnfinishedCauseError) as error:
            log.info("sweep_job_busy", job=name, reason=type(error).__name__)
            outcome = "busy"
        finally:
            self.sweeping.mark()
            self._swept(name, outcome, done)
        return done.more

    async def _rest(self) -> None:
        await happens_within(self._settings.sweep_poll_s, self.woken)

    async def _mend(self, error: Exception) -> None:
        """Nothing is lost: what was not committed is still due. There is no message to blame for anything else."""
        if remedy(error) != "retry":
            raise InvariantBrokenError(described(error)) from error
        log.warning("sweep_retried", error=repr(error))
        self._retried(error)
        self._led = None
        await self._session.discard()

    def _new_pauses(self) -> Iterator[float]:
        return pauses(_FIRST_PAUSE_S, self._settings.retry_wait_max_s)


def _silence_max_s(settings: Settings) -> float:
    """Return a time in which each round goes on, one way or the other, unless something is stuck for good."""
    return 60 + 2 * settings.database_statement_timeout_s + settings.sweep_poll_s
