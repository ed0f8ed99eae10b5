"""What values of settings are taken, and in which form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import SecretStr

_SECRET_CHARACTERS_MIN = 16
_SERVER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]+):(\d{1,5})")
_PORT_MAX = 65_535


def servers(value: str) -> str:
    """Take host:port, several separated by commas."""
    if all(_is_server(server.strip()) for server in value.split(",")):
        return value
    raise ValueError


def _is_server(text: str) -> bool:
    found = _SERVER.fullmatch(text)
    return found is not None and 1 <= int(found[2]) <= _PORT_MAX


def postgres_url(value: SecretStr) -> SecretStr:
    """Take the address of a Postgres database."""
    if value.get_secret_value().startswith(("postgres://", "postgresql://")):
        return value
    raise ValueError


def long_secret(value: SecretStr | None) -> SecretStr | None:
    """Take a secret that nobody guesses."""
    if value is None or len(value.get_secret_value()) >= _SECRET_CHARACTERS_MIN:
        return value
    raise ValueError


def not_zero(value: int) -> int:
    """Take any number but 0."""
    if value:
        return value
    raise ValueError


def lower(value: object) -> object:
    """Make a text lower case."""
    return value.lower() if isinstance(value, str) else value


def upper(value: object) -> object:
    """Make a text upper case."""
    return value.upper() if isinstance(value, str) else value
