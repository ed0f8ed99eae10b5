"""JSON Schemas of the headers that go with a message, each header read as UTF-8 text."""

from typing import Any, Final, get_args

from bo_worker.domain.facts import Fact
from bo_worker.messages.outbound import REPLAYS_HEADER, SOURCE, event_type, kinds, schema_id
from bo_worker.messages.output_schema import OUTPUT_TOPICS, Schema

_COUNT: Final[Schema] = {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"}
_INSTANT: Final[Schema] = {"type": "string", "format": "date-time", "pattern": "Z$"}


def _described(schema: Schema, description: str) -> Schema:
    return {"description": description, **schema}


EVENT_HEADERS: Final[dict[str, Any]] = {
    "description": "The CloudEvents attributes of a published message, in binary mode.",
    "type": "object",
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": _described(
            {"type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,64}$"},
            "The same cause gives the same id, so a message that is published again is recognisable.",
        ),
        "ce_source": {"type": "string", "const": SOURCE},
        "ce_type": {
            "type": "string",
            "enum": [event_type(fact.topic, kind) for fact in get_args(Fact) for kind in kinds(fact)],
        },
        "ce_time": _described(_INSTANT, "When the change was decided."),
        "ce_subject": _described({"type": "string", "minLength": 1}, "The message key."),
        "ce_dataschema": {"type": "string", "enum": [schema_id(topic) for topic in OUTPUT_TOPICS]},
        "ce_sequence": _described(
            {"type": "string", "pattern": "^[1-9][0-9]*$"},
            "Per topic and message key 1, 2, 3 and so on: a number seen before is a duplicate, a jump is a gap.",
        ),
        "content-type": {"type": "string", "const": "application/json"},
        "traceparent": _described(
            {"type": "string", "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
            "The W3C trace context of the message that caused this one.",
        ),
    },
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_subject",
        "ce_dataschema",
        "ce_sequence",
        "content-type",
    ],
    "additionalProperties": False,
}

DEAD_LETTER_HEADERS: Final[dict[str, Any]] = {
    "description": "Why a message could not be taken in; its own headers come first, as received.",
    "type": "object",
    "properties": {
        "dlq_error": _described({"type": "string", "pattern": "^[a-z][a-z0-9_]*$"}, "A short code."),
        "dlq_reason": _described({"type": "string", "minLength": 1}, "A sentence for people."),
        "dlq_topic": _described({"type": "string", "minLength": 1}, "The full name of the topic it came on."),
        "dlq_partition": _COUNT,
        "dlq_offset": _COUNT,
        "dlq_failed_at": _INSTANT,
        REPLAYS_HEADER: _described(_COUNT, "How often it was sent back to its topic already."),
    },
    "required": ["dlq_error", "dlq_reason", "dlq_topic", "dlq_partition", "dlq_offset", "dlq_failed_at"],
}
