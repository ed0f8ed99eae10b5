"""Nothing of a customer and no secret reaches a log line, whatever a caller passes by mistake."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

MASK: Final = "***"
HIDDEN_KEYS: Final = frozenset(
    {"authorization", "body", "credentials", "customer", "data", "database_url", "dsn", "email", "headers"}
    | {"key", "password", "payload", "phone", "secret", "token", "tracking_url", "value"}
)
_HIDDEN_ENDINGS = ("_email", "_key", "_password", "_payload", "_phone", "_secret", "_token", "_value")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask what must not be seen; a structlog processor."""
    return {key: _safe(key, value) for key, value in event.items()}


def _safe(key: str, value: Any) -> Any:
    if key in HIDDEN_KEYS or key.endswith(_HIDDEN_ENDINGS) or isinstance(value, bytes | bytearray):
        return MASK
    return _without_credentials(value)


def _without_credentials(value: Any) -> Any:
    match value:
        case str():
            return _CREDENTIALS.sub(MASK + "@", value)
        case Mapping():
            return {key: _safe(str(key), inner) for key, inner in value.items()}
        case list() | tuple():
            return [_safe("", inner) for inner in value]
        case _:
            return value
