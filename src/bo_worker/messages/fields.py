"""The kinds of fields that inputs are made of: what each accepts, and how a person would say it.

The constraints are checked in Rust. A description is read twice: in the published schemas, and in the
reason of a refusal ("expected ...").
"""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, Strict
from pydantic_core import CoreSchema, core_schema

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue

QUANTITY_MAX = 1_000_000_000
LINES_MAX = 2_000
FREE_TEXT = r"^[^\x00]*$"

_YEAR = "(19[7-9][0-9]|[2-9][0-9]{3})"
_DAY = f"{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?"
_OFFSET = "([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_LAST_INSTANT = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


class _Calendar:
    """A date or an instant that is first a string of one form: never a number, nor one in a string."""

    def __init__(self, pattern: str, schema_format: str, description: str, *then: CoreSchema) -> None:
        self._pattern = pattern
        self._schema = {
            "description": description,
            "format": schema_format,
            "pattern": pattern,
            "type": "string",
        }
        self._then = then

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> CoreSchema:
        text = core_schema.str_schema(pattern=self._pattern, strict=True)
        return core_schema.chain_schema([text, *self._then])

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: "GetJsonSchemaHandler") -> "JsonSchemaValue":
        return self._schema


def _utc(instant: datetime) -> datetime:
    return instant.astimezone(UTC)


def _text(characters_max: int) -> Any:
    """Free text. Postgres can't store NUL, so it is refused here and not by an aborted batch."""
    return Field(
        max_length=characters_max,
        pattern=FREE_TEXT,
        description=f"text of at most {characters_max:,} characters, without NUL",
    )


def list_field(min_length: int = 1) -> Any:
    """A list, which as a rule may not be empty: an empty list of lines is malformed, not "all".

    It fails with its first wrong element: a list of a million of them must not cost a million reasons.
    """
    return Field(min_length=min_length, max_length=LINES_MAX, fail_fast=True)


Identifier = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        pattern="^[A-Za-z0-9._:/-]+$",
        description="an id of 1 to 64 characters from A-Z a-z 0-9 . _ : / -",
    ),
]
Quantity = Annotated[
    int,
    Strict(),
    Field(ge=1, le=QUANTITY_MAX, description=f"a whole number from 1 to {QUANTITY_MAX:,}"),
]
Level = Annotated[
    int,
    Strict(),
    Field(ge=0, le=QUANTITY_MAX, description=f"a whole number from 0 to {QUANTITY_MAX:,}"),
]
Version = Annotated[int, Strict(), Field(ge=0, le=2**63 - 1, description="a whole number from 0 on")]
Days = Annotated[int, Strict(), Field(ge=0, le=36_500, description="a whole number of days from 0 to 36,500")]
Delta = Annotated[
    int,
    Strict(),
    Field(
        ge=-QUANTITY_MAX,
        le=QUANTITY_MAX,
        description=f"a whole number from -{QUANTITY_MAX:,} to {QUANTITY_MAX:,}, not 0",
        json_schema_extra={"not": {"const": 0}},
    ),
]
Priority = Annotated[int, Strict(), Field(ge=0, le=9, description="a whole number from 0 to 9")]
Share = Annotated[float, Strict(), Field(ge=0, le=1, allow_inf_nan=False, description="a number from 0 to 1")]
Flag = Annotated[bool, Strict()]
Country = Annotated[str, Field(pattern="^[A-Z]{2}$", description="an ISO 3166-1 country of two capitals, such as US")]
Currency = Annotated[
    str, Field(pattern="^[A-Z]{3}$", description="an ISO 4217 currency of three capitals, such as USD")
]
Amount = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,18}(\.[0-9]{1,4})?$",
        description="a decimal number as text, such as 19.90, with up to 18 digits and up to 4 decimals",
    ),
]
Email = Annotated[str, _text(320)]
Phone = Annotated[str, _text(64)]
Locale = Annotated[str, _text(35)]
Segment = Annotated[str, _text(64)]
Reason = Annotated[str, _text(200)]
Carrier = Annotated[str, _text(100)]
TrackingNumber = Annotated[str, _text(100)]
TrackingUrl = Annotated[str, _text(2_000)]
Token = Annotated[str, _text(500)]
Instant = Annotated[
    datetime,
    _Calendar(
        f"^{_DAY}[Tt]{_CLOCK}{_OFFSET}$",
        "date-time",
        "an instant with an offset, from 1970 to 9999, such as 2026-11-21T09:30:00Z",
        core_schema.datetime_schema(strict=False, tz_constraint="aware", le=_LAST_INSTANT),
        core_schema.no_info_plain_validator_function(_utc),
    ),
]
Day = Annotated[
    date,
    _Calendar(
        f"^{_DAY}$",
        "date",
        "a day from 1970 to 9999, such as 2026-11-21",
        core_schema.date_schema(strict=False),
    ),
]
