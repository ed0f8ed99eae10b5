"""The published schemas and examples are those of the code, complete, and agree with one another."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bo_worker.messages import asyncapi
from bo_worker.messages.inbound import INPUT_TOPICS, Decoded, decode
from bo_worker.messages.outbound import event_kinds
from bo_worker.messages.output_schema import OUTPUT_TOPICS
from bo_worker.messages.record import Record
from bo_worker.messages.schema import documents, examples_in
from schema_check import SCHEMAS, VALIDATORS

EXAMPLES = sorted((SCHEMAS / "examples").glob("*.json"), key=lambda path: path.name)
# Kinds that the schema reserves, and that nothing causes yet.
WITHOUT_EXAMPLE = {
    "payment_action_required",
    "refund_issued",
}


def test_the_committed_files_are_those_that_the_code_generates() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in SCHEMAS.iterdir() if path.is_file()}
    assert committed == documents(SCHEMAS / "examples")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_is_valid_by_its_schema_and_inputs_are_by_the_code(path: Any) -> None:
    topic = path.name.split(".", 1)[0]
    text = path.read_bytes()
    assert [error.message for error in VALIDATORS[topic].iter_errors(json.loads(text))] == []
    if topic in INPUT_TOPICS:
        assert isinstance(decode(Record(topic, 0, 0, b"key", text, ()), 1_000_000), Decoded)


def test_every_topic_and_every_kind_has_its_examples() -> None:
    examples = examples_in(SCHEMAS / "examples")
    assert set(examples) == {*INPUT_TOPICS, *OUTPUT_TOPICS}
    assert all(len(named) >= 2 for named in examples.values())
    for topic in ("customer-notification", "fulfillment", "procurement", "payment"):
        kinds = {name.partition(".")[0] for name in examples[topic]}
        assert kinds == set(event_kinds(topic)) - WITHOUT_EXAMPLE


def test_inputs_are_open_and_outputs_are_closed() -> None:
    assert "additionalProperties" not in {name for topic in INPUT_TOPICS for name, _ in _members(_schema(topic))}
    for topic in OUTPUT_TOPICS:
        objects = [value for name, value in _members({"": _schema(topic)}) if _is_object(value)]
        assert objects
        assert all(value["additionalProperties"] is False for value in objects)


def test_the_asyncapi_document_names_every_topic_and_refers_only_to_what_exists() -> None:
    document = asyncapi.document(examples_in(SCHEMAS / "examples"))
    dead_letters = {f"{topic}.dlq" for topic in INPUT_TOPICS}
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {*INPUT_TOPICS, *OUTPUT_TOPICS, *dead_letters}
    assert len(document["operations"]) == len(document["channels"])
    for name, reference in _members(document):
        if name == "$ref":
            assert _exists(reference, document), reference


def _schema(topic: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads((SCHEMAS / f"{topic}.v1.json").read_text(encoding="utf-8"))
    return schema


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "object"


def _members(value: Any) -> list[tuple[str, Any]]:
    """Every name and value at any depth."""
    if isinstance(value, list):
        return [member for element in value for member in _members({"": element})]
    if not isinstance(value, dict):
        return []
    return [*value.items(), *(member for element in value.values() for member in _members(element))]


def _exists(reference: str, document: dict[str, Any]) -> bool:
    if reference.startswith("./"):
        return (SCHEMAS / reference).is_file()
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = part.get(step, {})
    return bool(part)
