"""The CloudEvents envelope of an input: which bytes are the data, in each of the three encodings."""

import base64
import binascii
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from bo_worker.messages.refusal import RefusalError, printable

_JSON_TYPE: Final = re.compile(rb"application/(?:json|[^\s;/]+\+json)")
_STRUCTURED: Final = b"application/cloudevents+json"
_BATCH: Final = b"application/cloudevents-batch+json"
# Of the versions after 00 only this same form is taken; an id of zeros alone stands for "none".
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class Opened(NamedTuple):
    """What was in the envelope."""

    data: bytes
    traceparent: str | None


def open_envelope(value: bytes, headers: Sequence[tuple[str, bytes]]) -> Opened:
    """Tell the encoding from the headers, and take out the data and the trace it belongs to.

    Raises:
        RefusalError: the content type, the CloudEvents version or the envelope itself is not understood.
    """
    if not headers:
        return Opened(value, None)
    # A client may hand over a header without a value as None.
    given = {name.lower(): header or b"" for name, header in headers}
    content_type = _media_type(given.get("content-type", b""))
    trace = given.get("traceparent") or given.get("ce_traceparent")
    traceparent = well_formed_traceparent(trace.decode("latin-1")) if trace else None
    if content_type == _STRUCTURED:
        return _open_structured(value, traceparent)
    if content_type == _BATCH or any(name.startswith("ce_") for name in given):
        _require_json(content_type)
    _require_version(given.get("ce_specversion", b"1.0").decode("latin-1"))
    return Opened(value, traceparent)


def well_formed_traceparent(text: Any) -> str | None:
    """The text if it is a W3C traceparent, else None: a broken trace is no reason to refuse an order."""
    return text if isinstance(text, str) and _TRACEPARENT.fullmatch(text) else None


def _media_type(content_type: bytes) -> bytes:
    """The type without parameters such as charset."""
    return content_type.partition(b";")[0].strip().lower()


def _require_json(content_type: bytes) -> None:
    if content_type in (b"", b"application/json"):
        return
    if content_type == _BATCH or not _JSON_TYPE.fullmatch(content_type):
        shown = printable(content_type[:80].decode("latin-1"))
        raise RefusalError(
            "unsupported_content_type",
            f"expected content-type application/json or application/cloudevents+json, found {shown}",
        )


def _require_version(version: Any) -> None:
    if version != "1.0":
        shown = printable(version[:80]) if isinstance(version, str) else "no text"
        raise RefusalError("unsupported_envelope", f"expected CloudEvents specversion 1.0, found {shown}")


def _open_structured(value: bytes, traceparent: str | None) -> Opened:
    try:
        event = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        raise RefusalError("malformed_json", f"the value is not JSON: {error}") from error
    if not isinstance(event, dict):
        raise RefusalError("malformed_json", "expected a JSON object with a CloudEvent")
    _require_version(event.get("specversion", "1.0"))
    _require_json(_media_type(str(event.get("datacontenttype") or "").encode()))
    return Opened(_data(event), traceparent or well_formed_traceparent(event.get("traceparent")))


def _data(event: dict[str, Any]) -> bytes:
    match event.get("data"), event.get("data_base64"):
        case None, str(encoded):
            return _decoded(encoded)
        case (data, None) if data is not None:
            return _encoded(data)
        case _:
            raise RefusalError("unsupported_envelope", "expected the CloudEvent to have either data or data_base64")


def _encoded(data: Any) -> bytes:
    try:
        return orjson.dumps(data)
    except orjson.JSONEncodeError as error:  # the only value from JSON that is no value for JSON is a deep one
        raise RefusalError("malformed_json", "the data is nested too deeply") from error


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusalError("malformed_json", f"data_base64 is not base64: {error}") from error
