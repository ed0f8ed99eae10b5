"""Schema and code say the same of every input: what one takes the other takes, what one refuses the other does."""

from __future__ import annotations

import copy
import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

import build
from bo_worker.messages.inbound import INPUT_TOPICS, Decoded, decode
from bo_worker.messages.record import Record
from schema_check import SCHEMAS, VALIDATORS

Path = tuple[str | int, ...]

FULL: dict[str, Any] = {
    "order-created": "order-created.full",
    "inventory-received": "inventory-received.full",
    "order-cancelled": "order-cancelled.some-units",
    "order-amended": "order-amended.full",
    "inventory-adjusted": "inventory-adjusted.damaged",
    "shipment-dispatched": "shipment-dispatched.full",
    "product-policy-updated": "product-policy-updated.full",
    "purchase-order-updated": "purchase-order-updated.confirmed",
    "customer-response": "customer-response.switch",
    "payment-updated": "payment-updated.authorized",
    "waitlist-joined": "waitlist-joined.full",
}

BILLION = 1_000_000_000
IDS = (["x", "x" * 64, "A-z0.9_:/-"], ["", "x" * 65, "a b", "a\n", "é", "\u0661", "a\0", 7, True, ["x"], {}])
QUANTITIES = ([1, BILLION], [0, -1, BILLION + 1, 2**64 - 1, 1.5, "1", True, [1]])
LEVELS = ([0, BILLION], [-1, BILLION + 1, 0.5, "0", False])
VERSIONS = ([0, BILLION + 1, 2**63 - 1], [-1, 2**63, 0.5, "0", False])
DAY_COUNTS = ([0, 36_500], [-1, 36_501, "14"])
FLAGS = ([True, False], ["true", 0, 1])
INSTANTS = (
    [
        "1970-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2028-02-29T00:00:00.123456789+23:59",
        "2026-11-21t09:30:00z",
        "2026-11-21T09:30:00-00:00",
    ],
    [
        "1969-12-31T23:59:59Z",
        "2027-02-29T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T23:59:60Z",
        "2026-11-21T09:30:00",
        "2026-11-21T09:30Z",
        "2026-11-21 09:30:00Z",
        "2026-11-21T09:30:00+0100",
        "2026-11-21T09:30:00+24:00",
        "2026-11-21T09:30:00Z\n",
        "2026-11-21",
        "1795253400",
        1_795_253_400,
        "",
    ],
)
DAYS = (
    ["1970-01-01", "9999-12-31", "2028-02-29"],
    ["1969-12-31", "2027-02-29", "2026-1-1", "20261121", "2026-11-21T00:00:00Z", "20778", 20_778, ""],
)


def texts(characters_max: int) -> tuple[list[Any], list[Any]]:
    return (["", "å\n😀" + "x" * (characters_max - 3)], ["x" * (characters_max + 1), "a\0b", 7, ["x"]])


# Of each field: what is accepted at its bounds, and one value for each way to break it.
FIELDS: dict[str, dict[str, tuple[list[Any], list[Any]]]] = {
    "order-created": {
        "order_id": IDS,
        "placed_at": INSTANTS,
        "customer": ([{"customer_id": "C"}], [{}, "C-7", []]),
        "customer.customer_id": IDS,
        "customer.email": texts(320),
        "customer.phone": texts(64),
        "customer.locale": texts(35),
        "customer.segment": texts(64),
        "priority": ([0, 9], [-1, 10, "5", True, 0.5]),
        "ship_complete": FLAGS,
        "need_by": INSTANTS,
        "ship_to_country": (["US"], ["us", "USA", "U", "U\n", "", 1]),
        "payment": ([{"authorization_id": "A"}], [{}, "A"]),
        "payment.authorization_id": IDS,
        "payment.capture_before": INSTANTS,
        "lines": ([[build.order_line(str(n)) for n in range(2_000)]], [[], {}, "1", [[]], [None]]),
        "lines.0.line_id": IDS,
        "lines.0.sku": IDS,
        "lines.0.quantity": QUANTITIES,
        "lines.0.location": IDS,
        "lines.0.backorder": (["allow", "deny"], ["if_promised", "", True]),
        "lines.0.unit_price": ([{"amount": "0", "currency": "USD"}], [{}, {"amount": "0"}, "1 USD"]),
        "lines.0.unit_price.amount": (
            ["0", "0.0000", "1" * 18 + ".1234"],
            ["-1", "1.", ".5", "1.00001", "1" * 19, "1e3", "1,5", "\u0661", " 1", "NaN", "", 1, 1.5],
        ),
        "lines.0.unit_price.currency": (["EUR"], ["eur", "EURO", "EU", "", 1]),
    },
    "inventory-received": {
        "receipt_id": IDS,
        "location": IDS,
        "received_at": INSTANTS,
        "purchase_order_id": IDS,
        "dock_door": IDS,
        "lines": ([[build.receipt_line(str(n)) for n in range(2_000)]], [[], {}, [None]]),
        "lines.0.line_id": IDS,
        "lines.0.sku": IDS,
        "lines.0.quantity": LEVELS,
        "lines.0.damaged_quantity": LEVELS,
        "lines.0.lot": IDS,
        "lines.0.purchase_order_line_id": IDS,
        "lines.0.expires_on": DAYS,
        "lines.0": (
            [build.receipt_line(quantity=0, damaged_quantity=1)],
            [build.receipt_line(quantity=0, damaged_quantity=damaged) for damaged in (0, None)]
            + [build.receipt_line(quantity=0)],
        ),
    },
    "order-cancelled": {
        "cancellation_id": IDS,
        "order_id": IDS,
        "cancelled_at": INSTANTS,
        "reason": texts(200),
        "lines": ([[{"line_id": str(n), "quantity": 1} for n in range(2_000)]], [[], {}, [None]]),
        "lines.0.line_id": IDS,
        "lines.0.quantity": QUANTITIES,
    },
    "order-amended": {
        "amendment_id": IDS,
        "order_id": IDS,
        "amended_at": INSTANTS,
        "priority": ([0, 9], [-1, 10, "5"]),
        "need_by": INSTANTS,
        "ship_complete": FLAGS,
    },
    "inventory-adjusted": {
        "adjustment_id": IDS,
        "sku": IDS,
        "location": IDS,
        "quantity_delta": ([1, -1, BILLION, -BILLION], [0, BILLION + 1, -BILLION - 1, "1", 0.5, True]),
        "reason": (
            ["damaged", "lost", "found", "miscount", "expired", "return", "receipt_reversal", "other"],
            ["stolen", "", None],
        ),
        "adjusted_at": INSTANTS,
    },
    "shipment-dispatched": {
        "shipment_id": IDS,
        "order_id": IDS,
        "dispatched_at": INSTANTS,
        "carrier": texts(100),
        "tracking_number": texts(100),
        "tracking_url": texts(2_000),
        "lines": ([[build.shipment_line()] * 2_000], [[], [build.shipment_line()] * 2_001, {}]),
        "lines.0.line_id": IDS,
        "lines.0.location": IDS,
        "lines.0.quantity": QUANTITIES,
    },
    "product-policy-updated": {
        "sku": IDS,
        "version": VERSIONS,
        "updated_at": INSTANTS,
        "backorder": (["allow", "deny", "if_promised"], ["maybe", None]),
        "kind": (
            ["standard", "pre_order", "made_to_order", "drop_ship", "seasonal", "manufacturer", "indefinite"],
            ["digital", None],
        ),
        "backorder_limit": LEVELS,
        "window_days": DAY_COUNTS,
        "safety_stock": LEVELS,
        "reorder_point": LEVELS,
        "reorder_quantity": LEVELS,
        "lead_time_days": DAY_COUNTS,
        "release_on": DAYS,
        "season_ends_on": DAYS,
        "discontinued": FLAGS,
        "substitutes": ([[], ["x"] * 2_000], [["x"] * 2_001, ["a b"], [None], "SKU-2"]),
        "cancellation_rate_limit": ([0, 1, 0.25, 0.0, 1.0], [-0.01, 1.01, "0.5", True]),
    },
    "purchase-order-updated": {
        "purchase_order_id": IDS,
        "version": VERSIONS,
        "supplier_id": IDS,
        "location": IDS,
        "updated_at": INSTANTS,
        "status": (["draft", "confirmed", "in_transit", "cancelled", "closed"], ["open", "", None]),
        "lines": ([[build.purchase_order_line(str(n)) for n in range(2_000)]], [[], {}, [None]]),
        "lines.0.line_id": IDS,
        "lines.0.sku": IDS,
        "lines.0.quantity": QUANTITIES,
        "lines.0.expected_from": (["1970-01-01", "2024-02-29", "2026-12-05"], DAYS[1]),
        "lines.0.expected_to": (["2026-12-01", "2028-02-29", "9999-12-31"], DAYS[1]),
    },
    "customer-response": {
        "response_id": IDS,
        "order_id": IDS,
        "line_id": IDS,
        "choice": (["keep", "switch", "cancel"], ["", "wait", True]),
        "substitute_sku": IDS,
        "token": texts(500),
        "responded_at": INSTANTS,
    },
    "payment-updated": {
        "payment_event_id": IDS,
        "order_id": IDS,
        "status": (["authorized", "failed", "voided", "captured", "refunded"], ["", "pending", True]),
        "authorization_id": IDS,
        "capture_before": INSTANTS,
        "occurred_at": INSTANTS,
    },
    "waitlist-joined": {
        "entry_id": IDS,
        "sku": IDS,
        "quantity": QUANTITIES,
        "customer": ([{"customer_id": "C"}], [{}, "C-8", [], None]),
        "customer.customer_id": IDS,
        "customer.email": texts(320),
        "customer.phone": texts(64),
        "customer.locale": texts(35),
        "customer.segment": texts(64),
        "joined_at": INSTANTS,
    },
}
CASES = [
    pytest.param(topic, path, value, verdict, id=f"{topic} {path} {json.dumps(value)[:30]}")
    for topic, fields in FIELDS.items()
    for path, values in fields.items()
    for verdict, group in zip(("accepted", "refused"), values, strict=True)
    for value in group
]
# What JSON Schema has no words for: it accepts these, and the code refuses them.
BEYOND_SCHEMA: dict[str, tuple[str, dict[str, Any]]] = {
    "an order line twice": ("order-created", build.order(lines=[build.order_line()] * 2)),
    "a receipt line twice": ("inventory-received", build.receipt(lines=[build.receipt_line()] * 2)),
    "a cancelled line twice": (
        "order-cancelled",
        build.cancellation(lines=[{"line_id": "1", "quantity": 1}] * 2),
    ),
    "a purchase order line twice": (
        "purchase-order-updated",
        build.purchase_order(lines=[build.purchase_order_line()] * 2),
    ),
    "days in the wrong order": (
        "purchase-order-updated",
        build.purchase_order(lines=[build.purchase_order_line(expected_from="2026-12-06")]),
    ),
    "a whole number with a point": ("order-created", build.order(priority=3.0)),
    "an instant after 9999 in UTC": ("order-created", build.order(placed_at="9999-12-31T23:59:59-00:01")),
}


def full(topic: str) -> dict[str, Any]:
    """Valid data with every field of the topic."""
    path = SCHEMAS / "examples" / f"{FULL[topic]}.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data | ({"reason": "customer"} if topic == "order-cancelled" else {})


def changed(topic: str, path: Path, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(full(topic))
    owner: Any = data
    for step in path[:-1]:
        owner = owner[step]
    owner[path[-1]] = value
    return data


def steps(path: str) -> Path:
    return tuple(int(step) if step.isdigit() else step for step in path.split("."))


def paths(value: Any, prefix: Path = ()) -> list[Path]:
    """Every field and element at any depth."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for step, inner in entries for path in ((*prefix, step), *paths(inner, (*prefix, step)))]


def code_accepts(topic: str, data: Any) -> bool:
    return isinstance(decode(Record(topic, 0, 0, b"key", orjson.dumps(data), ()), 1_000_000), Decoded)


@pytest.mark.parametrize(("topic", "path", "value", "verdict"), CASES)
def test_schema_and_code_have_the_same_bounds(topic: str, path: str, value: Any, verdict: str) -> None:
    data = changed(topic, steps(path), value)
    accepted = verdict == "accepted"
    assert (code_accepts(topic, data), VALIDATORS[topic].is_valid(data)) == (accepted, accepted)


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_the_bounds_of_every_field_are_tested(topic: str) -> None:
    named = {("lines", 0), ("substitutes", 0)} | {steps(path) for path in FIELDS[topic]}
    for path in paths(full(topic)):
        assert tuple(0 if isinstance(step, int) else step for step in path) in named


@pytest.mark.parametrize("topic", INPUT_TOPICS)
def test_a_field_is_required_by_both_or_by_none(topic: str) -> None:
    for path in paths(full(topic)):
        missing, null = changed(topic, path, None), changed(topic, path, None)
        owner: Any = missing
        for step in path[:-1]:
            owner = owner[step]
        del owner[path[-1]]
        for data in (missing, null):
            assert code_accepts(topic, data) == VALIDATORS[topic].is_valid(data), (path, data)


@pytest.mark.parametrize(("topic", "data"), BEYOND_SCHEMA.values(), ids=BEYOND_SCHEMA)
def test_only_the_code_refuses_what_json_schema_has_no_words_for(topic: str, data: dict[str, Any]) -> None:
    assert VALIDATORS[topic].is_valid(data)
    assert not code_accepts(topic, data)


ODD = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.integers(-2, 12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=70)
    | st.text("A1.-:/ ", max_size=70)
    | st.datetimes().map(lambda instant: instant.isoformat() + "Z")
    | st.dates().map(str)
    | st.sampled_from([case.values[2] for case in CASES])
    | st.dictionaries(st.text(max_size=5), st.integers(0, 9), max_size=2)
).filter(lambda value: not isinstance(value, float) or not value.is_integer())


@pytest.mark.parametrize("topic", INPUT_TOPICS)
@given(choice=st.data())
def test_schema_and_code_agree_on_data_with_anything_in_any_place(topic: str, choice: st.DataObject) -> None:
    path = choice.draw(st.sampled_from(paths(full(topic))))
    data = changed(topic, path, choice.draw(ODD))
    assert code_accepts(topic, data) == (VALIDATORS[topic].is_valid(data) and not beyond_schema(data))


def beyond_schema(data: dict[str, Any]) -> bool:
    """Whether a line id occurs twice, or days are in the wrong order: nothing else of the kind is drawn here."""
    lines = data.get("lines")
    if "shipment_id" in data or not isinstance(lines, list):
        return False
    ids = [line["line_id"] for line in lines]
    return len(set(ids)) < len(ids) or any(
        line["expected_to"] < line["expected_from"] for line in lines if "expected_to" in line
    )
