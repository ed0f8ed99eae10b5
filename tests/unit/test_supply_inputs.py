"""Decoding of purchase orders and of entries of a waiting list, in every encoding, and why some are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

import build
from bo_worker.domain.commands import JoinWaitlist, PurchaseOrderLine, UpdatePurchaseOrder
from bo_worker.messages.inbound import Decoded, Refused, decode
from bo_worker.messages.record import Record
from poison import BINARY, STRUCTURED, VALUE_BYTES_MAX

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
FIRST, LAST = date(2026, 12, 1), date(2026, 12, 5)
PURCHASED, JOINED = "purchase-order-updated", "waitlist-joined"


def decoded(topic: str, data: dict[str, Any]) -> Decoded:
    outcome = decode(build.record(topic, data), VALUE_BYTES_MAX)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def reason(topic: str, data: dict[str, Any]) -> str:
    outcome = decode(build.record(topic, data), VALUE_BYTES_MAX)
    assert isinstance(outcome, Refused), outcome
    assert outcome.error == "invalid_data"
    return outcome.reason


def one_line(**fields: Any) -> dict[str, Any]:
    return build.purchase_order(lines=[build.purchase_order_line(**fields)])


def test_a_purchase_order_becomes_a_command() -> None:
    data = build.purchase_order(
        version=0,
        status="in_transit",
        lines=[
            build.purchase_order_line(),
            build.purchase_order_line("2", "SKU-2", 1, expected_from="2026-12-05"),
        ],
    )
    lines = [PurchaseOrderLine("1", "SKU-1", 100, FIRST, LAST), PurchaseOrderLine("2", "SKU-2", 1, LAST, LAST)]
    assert decoded(PURCHASED, data).command == UpdatePurchaseOrder("PO-9", 0, "SUP-1", "WH1", AT, "in_transit", lines)


def test_an_entry_of_a_waiting_list_becomes_a_command() -> None:
    customer = {"customer_id": "C-8", "email": "a@example.com"}
    data = build.waitlist_entry(quantity=2, customer=customer | {"phone": None, "unknown": 1})
    assert decoded(JOINED, data).command == JoinWaitlist("W-1", "SKU-1", customer, AT, 2)


@pytest.mark.parametrize("optional", [{}, {"quantity": None}, {"quantity": 1}])
def test_who_waits_waits_for_one_unit_unless_told_otherwise(optional: dict[str, Any]) -> None:
    outcome = decoded(JOINED, build.waitlist_entry(**optional))
    assert outcome.command == JoinWaitlist("W-1", "SKU-1", {"customer_id": "C-8"}, AT)
    assert outcome.digest == decoded(JOINED, build.waitlist_entry()).digest


def test_the_versions_of_a_purchase_order_are_told_apart() -> None:
    assert decoded(PURCHASED, build.purchase_order("PO/1", 23)).natural_id == "PO/1/23"
    digests = {
        decoded(PURCHASED, data).digest
        for data in (
            build.purchase_order(),
            build.purchase_order(version=2),
            build.purchase_order(status="closed"),
            one_line(quantity=99),
            one_line(expected_to="2026-12-06"),
        )
    }
    assert len(digests) == 5


@pytest.mark.parametrize("topic", [PURCHASED, JOINED])
def test_all_three_encodings_mean_the_same(topic: str) -> None:
    data = build.VALID[topic]()
    event = {"specversion": "1.0", "id": "1", "source": "/purchasing", "type": "any", "data": data}
    records = [
        build.record(topic, data),
        build.record(topic, data, headers=BINARY),
        Record(topic, 0, 0, b"key", orjson.dumps(event), STRUCTURED),
    ]
    outcomes = [decode(record, VALUE_BYTES_MAX) for record in records]
    digests = {outcome.digest for outcome in outcomes if isinstance(outcome, Decoded)}
    assert [type(outcome) for outcome in outcomes] == [Decoded] * 3
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("topic", "data", "expected"),
    [
        (
            PURCHASED,
            one_line(expected_to="2026-11-30"),
            'lines[0].expected_to: expected 2026-12-01 (expected_from) or a later day, found "2026-11-30"',
        ),
        (
            PURCHASED,
            build.purchase_order(lines=[build.purchase_order_line(), build.purchase_order_line(sku="SKU-2")]),
            'lines[1].line_id: expected an id that occurs once, found "1"',
        ),
        (
            PURCHASED,
            build.purchase_order(status="open"),
            'status: expected one of draft, confirmed, in_transit, cancelled, closed, found "open"',
        ),
        (PURCHASED, build.purchase_order(version=-1), "version: expected a whole number from 0 on, found -1"),
        (
            PURCHASED,
            one_line(expected_from="2026-12-01T00:00:00Z"),
            (
                "lines[0].expected_from: expected a day from 1970 to 9999, such as 2026-11-21, "
                'found "2026-12-01T00:00:00Z"'
            ),
        ),
        (
            PURCHASED,
            one_line(quantity=0),
            "lines[0].quantity: expected a whole number from 1 to 1,000,000,000, found 0",
        ),
        (
            PURCHASED,
            build.purchase_order(lines=[]),
            "lines: expected a list of 1 to 2,000 elements, found a list of 0 elements",
        ),
        (
            JOINED,
            build.waitlist_entry(quantity=0),
            "quantity: expected a whole number from 1 to 1,000,000,000, found 0",
        ),
        (JOINED, build.waitlist_entry(customer="C-8"), "customer: expected an object, found text of 3 characters"),
        (
            JOINED,
            build.waitlist_entry("W 1"),
            'entry_id: expected an id of 1 to 64 characters from A-Z a-z 0-9 . _ : / -, found "W 1"',
        ),
    ],
)
def test_the_reason_names_the_field_and_what_was_expected(topic: str, data: dict[str, Any], expected: str) -> None:
    assert reason(topic, data) == expected


@pytest.mark.parametrize("topic", [PURCHASED, JOINED])
def test_a_field_that_is_missing_is_named(topic: str) -> None:
    data = build.VALID[topic]()
    for field in data:
        without = {name: value for name, value in data.items() if name != field}
        assert reason(topic, without).startswith(f"{field} is missing: expected ")


@pytest.mark.parametrize("field", build.purchase_order_line())
def test_a_field_that_a_line_lacks_is_named(field: str) -> None:
    line = {name: value for name, value in build.purchase_order_line().items() if name != field}
    assert reason(PURCHASED, build.purchase_order(lines=[line])).startswith(f"lines[0].{field} is missing: ")
