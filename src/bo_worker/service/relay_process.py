"""The relay in a process of its own, so that it need not share an interpreter with the applier.

It is forked before anything runs, waits for a word to begin, and ends when nobody holds the other end of its pipe any
more: however the worker dies, what it committed is published, or left to another relay.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, Self

import orjson
import structlog

from bo_worker.kafka.client import cancel_all
from bo_worker.kafka.publisher import Publisher
from bo_worker.service.failures import InvariantBrokenError
from bo_worker.service.precedence import Precedence
from bo_worker.service.relay import Relay
from bo_worker.store.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bo_worker.config import Settings
    from bo_worker.service.relay import RelayListener

log = structlog.get_logger()
_WAKE: Final = b"w"
_HOLD: Final = b"h"
_WORDS_READ: Final = 4096
_HOLD_MAX_S: Final = 0.5
_CLEAN: Final = 0
_FAILED: Final = 1


class RelayProcess:
    """A process that relays for this one, until the context ends at the latest."""

    def __init__(self, pid: int, words: int, reports: int) -> None:
        self._pid: int | None = pid
        self._words: int | None = words
        self._reports = os.fdopen(reports, "rb", buffering=0)

    @classmethod
    def fork(cls, settings: Settings, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None) -> Self:
        """Fork it from this process, which must have neither a loop nor threads yet.

        It shares what the imports made, and starts in no time.
        """
        heard, words = os.pipe()
        reports, told = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if not pid:
            os.close(words)
            os.close(reports)
            os._exit(_life(settings, loop_factory, heard, told))
        os.close(heard)
        os.close(told)
        os.set_blocking(words, False)
        return cls(pid, words, reports)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._hang_up()
        self._reports.close()
        self._end()

    def wake(self) -> None:
        """Say that something was committed, and Postgres has time."""
        self._say(_WAKE)

    def hold(self) -> None:
        """Ask it to give way for a moment: Postgres has much to write."""
        self._say(_HOLD)

    def _say(self, word: bytes) -> None:
        if self._words is not None:
            # Too many words at once are as good as one; nobody hears them in a process that has ended.
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(self._words, word)

    async def run(self, draining: asyncio.Event, listener: RelayListener) -> bool:
        """Let it relay until `draining` is set and nothing is left; return whether it did, and did not end before."""
        self.wake()
        following = asyncio.create_task(self._follow(listener))
        told = asyncio.create_task(draining.wait())
        try:
            await asyncio.wait((following, told), return_when=asyncio.FIRST_COMPLETED)
            in_order = not following.done()
            self._hang_up()
            await following
        finally:
            await cancel_all([following, told])
            status = self._end()
            listener.relay_led(False)
        if in_order and status == _CLEAN:
            return True
        log.warning("relay_process_ended", status=status)
        return False

    async def _follow(self, listener: RelayListener) -> None:
        """Pass on what it reports, until it has ended."""
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), self._reports
        )
        try:
            while line := await reader.readline():
                name, *arguments = orjson.loads(line)
                getattr(listener, name)(*arguments)
        finally:
            transport.close()

    def _hang_up(self) -> None:
        if self._words is not None:
            os.close(self._words)
            self._words = None

    def _end(self) -> int | None:
        """End it if it still runs; return its exit code, or the signal that killed it as a negative number."""
        if self._pid is None:
            return None
        pid, self._pid = self._pid, None
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class _Reports:
    """Tells the worker's process what the relay does. What it has no room for is lost: goods come before figures."""

    def __init__(self, pipe: int) -> None:
        os.set_blocking(pipe, False)
        self._pipe = pipe

    def published(self, counts: Mapping[str, int], seconds: float) -> None:
        self._tell("published", counts, seconds)

    def relay_led(self, is_leader: bool) -> None:  # noqa: FBT001 - a callback
        self._tell("relay_led", is_leader)

    def relay_retried(self, error: str) -> None:
        self._tell("relay_retried", error)

    def _tell(self, *report: Any) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            os.write(self._pipe, orjson.dumps(report) + b"\n")


def _life(
    settings: Settings, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None, heard: int, told: int
) -> int:
    """Relay, in the forked process; return its exit code."""
    # Both are sent to every process of a terminal. This one ends when it is not needed any more.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        if os.read(heard, 1):
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                runner.run(_relay(settings, heard, told))
    except InvariantBrokenError:
        return _FAILED  # The worker's own relay will meet the same, and say so.
    except Exception:
        log.exception("relay_process_failed")
        return _FAILED
    return _CLEAN


async def _relay(settings: Settings, heard: int, told: int) -> None:
    precedence = Precedence(_HOLD_MAX_S)
    session, draining = Session(settings, "relay"), asyncio.Event()
    publisher = Publisher(settings, give_way=precedence.give_way)
    relay = Relay(session, publisher, settings, _Reports(told))
    hearing = asyncio.create_task(_hear(heard, relay, precedence, draining, settings.shutdown_deadline_s))
    try:
        await relay.run(draining)
    finally:
        await cancel_all([hearing])
        await asyncio.gather(publisher.stop(), session.discard())


async def _hear(heard: int, relay: Relay, precedence: Precedence, draining: asyncio.Event, deadline_s: float) -> None:
    """Wake the relay with each word; drain it, and be ended in time, when the worker has hung up."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(heard, "rb", buffering=0)
    )
    while words := await reader.read(_WORDS_READ):
        if words.endswith(_HOLD):
            precedence.claim()
        else:
            precedence.waive()
        if _WAKE in words:
            relay.woken.set()
    precedence.waive()
    signal.setitimer(signal.ITIMER_REAL, deadline_s)
    draining.set()
    relay.woken.set()
