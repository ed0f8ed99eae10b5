"""Does a published message keep to the published contract? Every test that reads an output asks this."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEMAS: Final = Path(__file__).parents[1] / "schemas"


def _validator(path: Path) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(json.loads(path.read_text(encoding="utf-8")), validate_formats=True)


VALIDATORS: Final = {
    path.name.removesuffix(".v1.json"): _validator(path) for path in sorted(SCHEMAS.glob("*.v1.json"))
}


def validate_message(topic: str, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> None:
    """Assert that a message on an output topic (named without prefix) keeps to its schema and header rules."""
    if topic.endswith(".dlq"):
        _conform("dead-letter-headers", _texts(_ours(headers)))
        return
    assert value is not None, f"{topic}: a message without value"
    data = orjson.loads(value)
    _conform(topic, data)
    attributes = _texts(headers)
    _conform("event-headers", attributes)
    kind = data.get("kind", "availability")
    assert attributes["ce_type"] == f"bo.{topic}.{kind}.v1"
    assert attributes["ce_dataschema"] == f"urn:bo-worker:schema:{topic}:v1"
    assert attributes["ce_subject"] == _key(data)
    for name in ("notification_id", "fulfillment_id", "procurement_id", "payment_request_id"):
        assert data.get(name, attributes["ce_id"]) == attributes["ce_id"]


def _key(data: dict[str, Any]) -> Any:
    match data:
        case {"kind": "put_away"}:
            return data["receipt_id"]
        case {"kind": "back_in_stock"}:
            return data["entry_id"]
        case {"procurement_id": _}:
            return data["sku"]
        case {"order_id": order_id}:
            return order_id
        case _:
            return data["sku"]


def _ours(headers: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Our own headers, which stand after those of the producer: those may be of any kind."""
    return [header for header in headers if header[0].startswith("dlq_")]


def _texts(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    names = [name for name, _ in headers]
    assert len(set(names)) == len(names), f"a header stands twice: {names}"
    return {name: value.decode() for name, value in headers}


def _conform(schema: str, instance: Any) -> None:
    for error in VALIDATORS[schema].iter_errors(instance):
        raise AssertionError(f"{schema}: {error.message} at {error.instance_path}")
