"""JSON Schemas of what is published, made from the facts: closed, one alternative for each kind of message."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from inspect import getdoc
from types import UnionType
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

from bo_worker.domain.facts import BackInStock, Fact, Notification
from bo_worker.messages.order_models import Customer
from bo_worker.messages.outbound import kinds

Schema = dict[str, Any]

OUTPUT_TOPICS: Final = tuple(dict.fromkeys(fact.topic for fact in get_args(Fact)))

_IDENTIFIER: Final[Schema] = {"type": "string", "pattern": "^[A-Za-z0-9._:/-]{1,64}$"}
_TEXT: Final[Schema] = {"type": "string"}
_NULL: Final[Schema] = {"type": "null"}
_BY_TYPE: Final[Mapping[Any, Schema]] = {
    str: _IDENTIFIER,
    int: {"type": "integer", "minimum": 0},
    bool: {"type": "boolean"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time", "pattern": "Z$"},
    dict[str, str]: {
        "type": "object",
        "properties": dict.fromkeys(Customer.__annotations__, _TEXT) | {"customer_id": _IDENTIFIER},
        "required": ["customer_id"],
        "additionalProperties": False,
    },
}
_BY_NAME: Final[Mapping[str, Schema]] = {
    "quantity": {"type": "integer", "minimum": 1},
    "priority": {"type": "integer", "minimum": 0, "maximum": 9},
    "revision": {"type": "integer", "minimum": 1},
    "state": {
        "type": "string",
        "enum": ["in_stock", "backorderable", "pre_order", "out_of_stock", "discontinued"],
    },
    "options": {"type": "array", "items": {"type": "string", "enum": ["keep", "switch", "cancel"]}},
    "reason": _TEXT,
    "token": _TEXT,
    "amount": {
        "type": "object",
        "properties": {
            "amount": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        },
        "required": ["amount", "currency"],
        "additionalProperties": False,
    },
    "carrier": _TEXT,
    "tracking_number": _TEXT,
    "tracking_url": _TEXT,
}
# What is called otherwise in Python than on the wire.
_ON_THE_WIRE: Final[Mapping[str, str]] = {"day": "from"}


def output_schema(topic: str) -> Schema:
    """What the data on an output topic looks like; every field is always there."""
    kinds_of_message = [_fact(fact) for fact in get_args(Fact) if fact.topic == topic]
    if len(kinds_of_message) == 1:
        return kinds_of_message[0]
    return {"oneOf": kinds_of_message}


def nullable(schema: Schema) -> Schema:
    """The same, or null."""
    if "type" not in schema:
        return {"anyOf": [schema, {"type": "null"}]}
    widened = schema | {"type": [schema["type"], "null"]}
    return widened | {"enum": [*schema["enum"], None]} if "enum" in schema else widened


def _fact(fact: type[Any]) -> Schema:
    schema = _back_in_stock() if fact is BackInStock else _object(fact)
    if "kind" in schema["properties"]:
        schema["properties"]["kind"] = {"type": "string", "enum": list(kinds(fact))}
    return schema


def _back_in_stock() -> Schema:
    """A notification as every other; what would name an order, a line of it or a day is null."""
    schema = _object(Notification)
    properties = schema["properties"]
    properties["order_id"] = _NULL
    properties["lines"]["maxItems"] = 1
    line = properties["lines"]["items"]
    line["description"] = "Units of the product that can be had now."
    line["properties"] |= dict.fromkeys(("line_id", "expected_from", "expected_to"), _NULL)
    properties["entry_id"] = _IDENTIFIER
    schema["required"].append("entry_id")
    return schema | {"description": getdoc(BackInStock)}


def _object(owner: type[Any]) -> Schema:
    hints = get_type_hints(owner, localns={"date": date, "datetime": datetime})
    properties = {
        _ON_THE_WIRE.get(field.name, field.name): _field(field.name, hints[field.name]) for field in fields(owner)
    }
    return {
        "description": getdoc(owner),
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _field(name: str, hint: Any) -> Schema:
    if isinstance(hint, UnionType):
        return nullable(_field(name, next(option for option in get_args(hint) if option is not type(None))))
    known = _BY_NAME.get(name) or _BY_TYPE.get(hint)
    if known:
        return known
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is list:
        elements = {"type": "array", "items": _object(get_args(hint)[0])}
        return elements | {"minItems": 1} if name == "lines" else elements
    raise TypeError(f"no schema is known for the field {name} of type {hint}")
