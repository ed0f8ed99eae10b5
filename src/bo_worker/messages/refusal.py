"""Why an input can't be taken in: a short code for machines and a sentence for people."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NoReturn, Protocol

from pydantic import ValidationError

from bo_worker.messages.fields import FREE_TEXT

ErrorCode = Literal[
    "missing_key",
    "missing_value",
    "too_large",
    "unsupported_content_type",
    "unsupported_envelope",
    "malformed_json",
    "invalid_data",
]

_FAULTS_SHOWN_MAX: Final = 3
_ECHO_CHARACTERS_MAX: Final = 40

Path = tuple[int | str, ...]


class RefusalError(ValueError):
    """An input that can't be taken in."""

    def __init__(self, code: ErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Line(Protocol):
    line_id: str


def require_unique_line_ids(lines: Sequence[_Line]) -> None:
    """Refuse two lines with one id: nobody could say which of them a later message means."""
    if len({line.line_id for line in lines}) == len(lines):
        return
    seen: set[str] = set()
    for index, line in enumerate(lines):
        if line.line_id in seen:
            refuse_field(("lines", index, "line_id"), "an id that occurs once", line.line_id)
        seen.add(line.line_id)


def refuse_field(path: Path, expected: str, found: Any) -> NoReturn:
    """Refuse an input for the value of one field.

    Raises:
        RefusalError: always.
    """
    raise RefusalError("invalid_data", _fault(path, expected, _found(found)))


def invalid(error: ValidationError, schema: Mapping[str, Any]) -> RefusalError:
    """The refusal for what the validation against `schema` found."""
    faults = error.errors(include_url=False)
    first = faults[0]
    if first["type"] == "json_invalid":
        return RefusalError("malformed_json", f"the value is not JSON: {first['ctx']['error']}")
    if not first["loc"]:
        return RefusalError("malformed_json", f"expected a JSON object, found {_found(first['input'])}")
    sentences = [_sentence(fault, schema) for fault in faults[:_FAULTS_SHOWN_MAX]]
    if len(faults) > _FAULTS_SHOWN_MAX:
        sentences.append(f"and {len(faults) - _FAULTS_SHOWN_MAX} more")
    return RefusalError("invalid_data", "; ".join(sentences))


def _sentence(fault: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    path: Path = fault["loc"]
    part = _at(path, schema)
    if fault["type"] == "missing":
        return f"{_dotted(path)} is missing: expected {_expected(part)}"
    # What comes from people or is about them is not repeated: the reason says what kind of value it is.
    private = "customer" in path or part.get("pattern") == FREE_TEXT
    found = _kind(fault["input"]) if private else _found(fault["input"])
    return _fault(path, _expected(part), found)


def _fault(path: Path, expected: str, found: str) -> str:
    return f"{_dotted(path)}: expected {expected}, found {found}"


def _dotted(path: Path) -> str:
    """The path as people write it: lines[0].quantity."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _at(path: Path, schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part of a JSON Schema that describes the field at `path`."""
    part = schema
    for step in path:
        inner = part.get("items", {}) if isinstance(step, int) else part.get("properties", {}).get(step, {})
        part = _resolved(inner, schema)
    return part


def _resolved(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a part refers to; of "this or null", this."""
    options = part.get("anyOf", ())
    if {"type": "null"} in options:
        part = next(option for option in options if option != {"type": "null"})
    reference = part.get("$ref")
    return schema["$defs"][reference.rpartition("/")[2]] if reference else part


def _expected(part: Mapping[str, Any]) -> str:
    match part:
        case {"type": "object"}:
            return "an object"
        case {"type": "array", "minItems": least, "maxItems": most}:
            return f"a list of {least} to {most:,} elements"
        case {"enum": options}:
            return "one of " + ", ".join(options)
        case {"type": "boolean"}:
            return "true or false"
        case _:
            return str(part.get("description", "another value"))


def _found(value: Any) -> str:
    """A value as JSON when that is short, else its kind and size."""
    if isinstance(value, list | dict):
        return _kind(value)
    shown = printable(value)
    return shown if len(shown) <= _ECHO_CHARACTERS_MAX else _kind(value)


def printable(value: str | float | None) -> str:
    """A value as JSON without control characters, which a log or a database would stumble over."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def _kind(value: Any) -> str:
    match value:
        case str():
            return f"text of {len(value):,} characters"
        case list():
            return f"a list of {len(value):,} elements"
        case dict():
            return "an object"
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case _:
            return "a number"
