"""The AsyncAPI 3.0 document: every topic, who sends and who receives on it, and examples."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.messages.outbound import DEAD_LETTER_SUFFIX
from bo_worker.messages.output_schema import OUTPUT_TOPICS

Examples = Mapping[str, Mapping[str, Any]]

_BINDING_VERSION: Final = "0.5.0"
_KEYS: Final[Mapping[str, str]] = {
    "order-created": "order_id",
    "inventory-received": "receipt_id",
    "order-cancelled": "order_id",
    "order-amended": "order_id",
    "inventory-adjusted": "sku",
    "shipment-dispatched": "order_id",
    "product-policy-updated": "sku",
    "purchase-order-updated": "purchase_order_id",
    "customer-response": "order_id",
    "payment-updated": "order_id",
    "waitlist-joined": "sku",
    "customer-notification": "order_id, or entry_id where the kind is back_in_stock",
    "fulfillment": "order_id, or receipt_id where the kind is put_away",
    "availability-changed": "sku",
    "procurement": "sku",
    "payment": "order_id",
}
_INPUT_ENCODINGS: Final = (
    "CloudEvents 1.0 in binary mode, in structured mode (content-type application/cloudevents+json), "
    "or the bare data without any header. Unknown fields are ignored."
)
_PLAIN: Final = re.compile(r"[A-Za-z$][A-Za-z0-9$_.-]*")


def document(examples: Examples) -> dict[str, Any]:
    """The document: channels, operations and messages, with the examples of each topic by name."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "bo-worker",
            "version": "1.0.0",
            "description": "Orders and receipts in; claims, backorders and warehouse instructions out. "
            "BO_TOPIC_PREFIX, where it is set, stands before every address.",
        },
        "defaultContentType": "application/json",
        "channels": {_id(topic): _channel(topic) for topic in _all_topics()},
        "operations": {
            **{f"receive-{topic}": _operation("receive", topic) for topic in INPUT_TOPICS},
            **{f"send-{_id(topic)}": _operation("send", topic) for topic in _sent_topics()},
        },
        "components": {
            "messages": {
                **{topic: _input_message(topic, examples) for topic in INPUT_TOPICS},
                **{topic: _output_message(topic, examples) for topic in OUTPUT_TOPICS},
                "dead-letter": _dead_letter(),
            }
        },
    }


def _sent_topics() -> tuple[str, ...]:
    return (*OUTPUT_TOPICS, *(topic + DEAD_LETTER_SUFFIX for topic in INPUT_TOPICS))


def _all_topics() -> tuple[str, ...]:
    return (*INPUT_TOPICS, *_sent_topics())


def _id(topic: str) -> str:
    """The name of a channel, which may not contain dots."""
    return topic.replace(".", "-")


def _message_name(topic: str) -> str:
    return "dead-letter" if topic.endswith(DEAD_LETTER_SUFFIX) else topic


def _channel(topic: str) -> dict[str, Any]:
    name = _message_name(topic)
    return {"address": topic, "messages": {name: {"$ref": f"#/components/messages/{name}"}}}


def _operation(action: str, topic: str) -> dict[str, Any]:
    channel = f"#/channels/{_id(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{_message_name(topic)}"}],
    }


def _input_message(topic: str, examples: Examples) -> dict[str, Any]:
    return _message(topic, examples) | {"description": _INPUT_ENCODINGS}


def _output_message(topic: str, examples: Examples) -> dict[str, Any]:
    return _message(topic, examples) | {"headers": {"$ref": "./event-headers.v1.json"}}


def _message(topic: str, examples: Examples) -> dict[str, Any]:
    return {
        "name": topic,
        "contentType": "application/json",
        "payload": {"$ref": f"./{topic}.v1.json"},
        "bindings": _keyed_by(_KEYS[topic]),
        "examples": [{"name": name, "payload": payload} for name, payload in examples.get(topic, {}).items()],
    }


def _dead_letter() -> dict[str, Any]:
    return {
        "name": "dead-letter",
        "summary": "A message that could not be taken in: key, value and headers as received, and why.",
        "contentType": "application/octet-stream",
        "headers": {"$ref": "./dead-letter-headers.v1.json"},
        "payload": {},
        "bindings": _keyed_by("as received"),
    }


def _keyed_by(key: str) -> dict[str, Any]:
    return {"kafka": {"key": {"type": "string", "description": key}, "bindingVersion": _BINDING_VERSION}}


def to_yaml(document: Mapping[str, Any]) -> str:
    """The document as YAML, the same text for the same document."""
    return "\n".join(_yaml(document)) + "\n"


def _yaml(value: Any, indent: str = "") -> Iterator[str]:
    """The lines of a mapping or a list in block style; a text in quotes is the same in YAML and JSON."""
    entries = value.items() if isinstance(value, dict) else ((None, element) for element in value)
    for key, element in entries:
        head = f"{indent}-" if key is None else f"{indent}{_yaml_key(key)}:"
        if not isinstance(element, dict | list) or not element:
            yield f"{head} {json.dumps(element)}"
        else:
            yield head
            yield from _yaml(element, indent + "  ")


def _yaml_key(key: str) -> str:
    return key if _PLAIN.fullmatch(key) else json.dumps(key)
