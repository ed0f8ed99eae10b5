"""The process around a worker: its logs, its signals, its garbage collector, and the code it ends with."""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import os
import signal
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, Self

import structlog

from bo_worker.app import Worker
from bo_worker.config import unknown_variables
from bo_worker.kafka.errors import OffsetOutsideLog
from bo_worker.observability.logs import configure_logging
from bo_worker.service.failures import InvariantBrokenError
from bo_worker.service.relay_process import RelayProcess

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import FrameType

    from bo_worker.config import Settings

log = structlog.get_logger()
CLEAN: Final = 0
CRASHED: Final = 1


def run_process(settings: Settings) -> int:
    """Run one worker until a signal ends it; return the exit code.

    Raises:
        NotThereError, ConfigurationError: it could not start.
    """
    configure_logging(settings.log_format, settings.log_level)
    for name in unknown_variables(os.environ):
        log.warning("unknown_variable", variable=name)
    calm_collector()
    with (
        _relay_process(settings) as relay_process,
        Signals(settings.shutdown_deadline_s) as signals,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        return runner.run(_serve(settings, signals, relay_process))


def calm_collector() -> None:
    """Let the garbage collector look seldom: it took half of the CPU time of a worker under load.

    With the settings of Python every 700 new objects make it look, and batches at work are up to a million that are
    all in use. Almost nothing here is garbage in cycles, which is all that the collector is for. What the imports
    made stays for ever, so it is taken out of its sight.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(1_000_000, 10, 10)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the faster event loop where the extra `uvloop` is installed."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415 - the extra may be missing

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def _relay_process(settings: Settings) -> AbstractContextManager[RelayProcess | None]:
    """Return the process for the relay; where forking is not known to be safe, none."""
    if settings.relay_process == "own" and sys.platform == "linux":
        return RelayProcess.fork(settings, loop_factory())
    return nullcontext()


async def _serve(settings: Settings, signals: Signals, relay_process: RelayProcess | None) -> int:
    worker = Worker(settings, relay_process=relay_process)
    signals.tell(asyncio.get_running_loop(), worker.stopping)
    try:
        await worker.serve()
    except InvariantBrokenError as error:
        _log_crash(error)
        return CRASHED
    return CLEAN


def _log_crash(error: InvariantBrokenError) -> None:
    """Say in one line why the worker can't go on."""
    match error.__cause__:
        case OffsetOutsideLog() as outside:
            log.error(
                "offset_outside_log",
                topic=outside.topic,
                partition=outside.partition,
                offset=outside.offset,
                earliest=outside.earliest,
                latest=outside.latest,
            )
        case _:
            log.error("worker_crashed", error=str(error))


class Signals:
    """Stops the worker on the first signal; ends the process on the second, or when stopping takes too long.

    The handlers are those of Python, not of the loop, so that they work while the loop is stuck.
    """

    def __init__(self, deadline_s: float) -> None:
        self._deadline_s = deadline_s
        self._stop: Callable[[], object] = lambda: None
        self._received = False

    def tell(self, loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
        """Say what the first signal sets."""
        self._stop = lambda: loop.call_soon_threadsafe(stopping.set)
        if self._received:
            stopping.set()

    def __enter__(self) -> Self:
        self._before = {
            number: signal.signal(number, handler)
            for number, handler in (
                (signal.SIGTERM, self._receive),
                (signal.SIGINT, self._receive),
                (signal.SIGALRM, self._force),
            )
        }
        return self

    def __exit__(self, *_exc: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _force(self, _number: int, _frame: FrameType | None) -> None:
        # Not by way of the log, which whom we interrupted may just have locked.
        os.write(2, b"bo-worker: it did not end in time and was ended by force\n")
        os._exit(CRASHED)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._received:
            os._exit(128 + number)
        self._received = True
        signal.setitimer(signal.ITIMER_REAL, self._deadline_s)
        self._stop()
