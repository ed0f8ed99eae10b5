"""What is said of settings: their variables, what they take, what was found instead."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from annotated_types import Ge, Le
from pydantic import SecretStr

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic.fields import FieldInfo

PREFIX = "BO_"


def variable_of(field_name: str) -> str:
    """Return the environment variable of a field."""
    return PREFIX + field_name.upper()


def shown(field: FieldInfo, value: object) -> str:
    """Return a value that was found, unless it is a secret."""
    is_secret = SecretStr in _types_of(field)
    return "'***'" if is_secret else repr(value if isinstance(value, int | float) else str(value))


def _types_of(field: FieldInfo) -> tuple[Any, ...]:
    return get_args(field.annotation) or (field.annotation,)


_EXPECTED = {
    "kafka_bootstrap_servers": "host:port, several separated by commas",
    "database_url": "a URL that starts with postgresql:// or postgres://",
    "kafka_group_id": "1 to 200 characters",
    "token_secret": "at least 16 characters",
    "topic_prefix": "at most 150 characters from A-Z a-z 0-9 . _ -",
    "topic_replication_factor": "a whole number from 1 to 10, or -1",
}


def expected(name: str, field: FieldInfo) -> str:
    """Return what a setting takes."""
    return _EXPECTED.get(name) or _choices(field) or _expected_of_type(field)


def _choices(field: FieldInfo) -> str:
    literals = [get_args(kind) or (kind,) for kind in _types_of(field) if kind is not type(None)]
    names = [choice for group in literals for choice in group]
    return " or ".join(names) if all(isinstance(choice, str) for choice in names) else ""


def _expected_of_type(field: FieldInfo) -> str:
    types = _types_of(field)
    if int in types or float in types:
        lowest = next(bound.ge for bound in field.metadata if isinstance(bound, Ge))
        highest = next(bound.le for bound in field.metadata if isinstance(bound, Le))
        return f"a {'whole ' if int in types else ''}number from {lowest} to {highest}"
    return "the name of an existing file" if Path in map(_bare, types) else "a text"


def _bare(kind: Any) -> Any:
    return getattr(kind, "__origin__", kind)


def default_text(field: FieldInfo) -> str:
    """Return what holds where a variable is not set."""
    if isinstance(field.default, SecretStr):
        return field.default.get_secret_value()
    return "" if field.default is None else str(field.default)


def with_guess(name: str, known: Iterable[str]) -> str:
    """Return a name that no setting has, with the nearest that one has."""
    guesses = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.8)
    return f"{name} (did you mean {guesses[0]}?)" if guesses else name
