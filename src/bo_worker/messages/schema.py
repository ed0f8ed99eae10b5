"""Writes the published contract: JSON Schemas of every message, and the AsyncAPI document around them.

Run as `python -m bo_worker.messages.schema schemas`. The examples in `schemas/examples` are written by
hand; the AsyncAPI document quotes them.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from bo_worker.messages.asyncapi import document, to_yaml
from bo_worker.messages.headers_schema import DEAD_LETTER_HEADERS, EVENT_HEADERS
from bo_worker.messages.inbound import INPUT_TOPICS, json_schema
from bo_worker.messages.outbound import schema_id
from bo_worker.messages.output_schema import OUTPUT_TOPICS, Schema, nullable, output_schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def documents(examples: Path) -> dict[str, str]:
    """Every generated file, by name: the same text for the same code and examples."""
    schemas = {f"{topic}.v1.json": _published(topic, _input_schema(topic)) for topic in INPUT_TOPICS}
    schemas |= {f"{topic}.v1.json": _published(topic, output_schema(topic)) for topic in OUTPUT_TOPICS}
    schemas["event-headers.v1.json"] = _published("event-headers", EVENT_HEADERS)
    schemas["dead-letter-headers.v1.json"] = _published("dead-letter-headers", DEAD_LETTER_HEADERS)
    texts = {name: json.dumps(schema, indent=2) + "\n" for name, schema in schemas.items()}
    return texts | {"asyncapi.yaml": to_yaml(document(examples_in(examples)))}


def _published(name: str, schema: Schema) -> Schema:
    return {"$schema": DIALECT, "$id": schema_id(name), "title": name, **schema}


def _input_schema(topic: str) -> Schema:
    tidied: Schema = _tidied(json_schema(topic))
    return tidied


def _tidied(part: Any) -> Any:
    """Without the titles that only repeat a name, and with null as one of the types."""
    if isinstance(part, list):
        return [_tidied(element) for element in part]
    if not isinstance(part, Mapping):
        return part
    # A property may well be called title: only a text is one.
    kept = {key: _tidied(value) for key, value in part.items() if key != "title" or not isinstance(value, str)}
    match kept:
        case {"anyOf": [{"type": str()} as schema, {"type": "null"}]}:
            return nullable(schema)
        case _:
            return kept


def examples_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The examples of each topic by name, from files called topic.name.json."""
    examples: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.json")):
        topic, name = path.name.removesuffix(".json").split(".", 1)
        examples.setdefault(topic, {})[name] = json.loads(path.read_text(encoding="utf-8"))
    return examples


def main(arguments: list[str]) -> None:
    """Write all documents into the folder that is named."""
    folder = Path(arguments[0])
    for name, text in documents(folder / "examples").items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
