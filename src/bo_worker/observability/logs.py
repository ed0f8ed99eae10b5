"""Structured logs: one line per event, for machines as JSON, for people in colour; libraries write the same way."""

from __future__ import annotations

import contextlib
import logging
import math
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import orjson
import structlog

from bo_worker.observability.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Callable

    from structlog.typing import Processor

_REPEAT_AFTER_S: Final = 5.0
_QUIET: Final = {"aiokafka": logging.INFO, "uvicorn": logging.WARNING, "asyncio": logging.INFO}
"""The least level of a library, however talkative the worker is: below it they write whole messages."""


def configure_logging(log_format: str, log_level: str, stream: TextIO | None = None) -> None:
    """Send all logs of the process to `stream` (standard error by default).

    Args:
        log_format: `json` or `console`.
        log_level: `debug`, `info`, `warning` or `error`.
        stream: Where to write.
    """
    target = stream or sys.stderr
    level = logging.getLevelNamesMapping()[log_level.upper()]
    structlog.configure(
        processors=_processors(log_format, target),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Unfailing(target))),
        cache_logger_on_first_use=False,
    )
    _route_libraries(level)


def _processors(log_format: str, target: TextIO) -> list[Processor]:
    first: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    # Tracebacks are written without local variables, which could hold a customer's data.
    if log_format == "console":
        plain = structlog.dev.plain_traceback
        return [*first, redact, structlog.dev.ConsoleRenderer(colors=target.isatty(), exception_formatter=plain)]
    as_json = structlog.processors.JSONRenderer(serializer=_json)
    return [*first, structlog.processors.format_exc_info, redact, as_json]


def _json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _route_libraries(level: int) -> None:
    root = logging.getLogger()
    root.handlers[:] = [_Forwarding()]
    root.setLevel(level)
    for library, least in _QUIET.items():
        logging.getLogger(library).setLevel(max(level, least))
    logging.captureWarnings(capture=True)


class _Unfailing:
    """A stream that drops what it can't write: whoever logs must not fail because nobody listens any more."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._stream.flush()


class _Forwarding(logging.Handler):
    """Writes what libraries log as `library_logged`; a line that repeats is written every few seconds only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._repeats: dict[tuple[str, int], tuple[float, int]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._forward(record)
        except Exception:  # noqa: BLE001 - a line that can't be written must not stop who wrote it
            self.handleError(record)

    def _forward(self, record: logging.LogRecord) -> None:
        place = (record.pathname, record.lineno)
        written_at, withheld = self._repeats.get(place, (-math.inf, 0))
        if self._clock() - written_at < _REPEAT_AFTER_S:
            self._repeats[place] = (written_at, withheld + 1)
            return
        self._repeats[place] = (self._clock(), 0)
        structlog.get_logger().log(
            min(record.levelno // 10 * 10, logging.CRITICAL),
            "library_logged",
            library=record.name,
            text=record.getMessage(),
            exc_info=record.exc_info,
            **({"withheld": withheld} if withheld else {}),
        )
