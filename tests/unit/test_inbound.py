"""Decoding: three encodings, one meaning; and a reason a person understands where there is none."""

from __future__ import annotations

import base64
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest

import build
from bo_worker.domain.commands import (
    AdjustInventory,
    AmendOrder,
    CancelLine,
    CancelOrder,
    Command,
    DispatchLine,
    DispatchShipment,
    LineRequest,
    Payment,
    PlaceOrder,
    Price,
    ReceiptLine,
    ReceiveInventory,
    UpdatePolicy,
)
from bo_worker.messages.inbound import INPUT_TOPICS, Decoded, Refused, decode
from bo_worker.messages.record import Record
from poison import ALL, STRUCTURED, VALUE_BYTES_MAX, Poison

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def decoded(record: Record) -> Decoded:
    outcome = decode(record, VALUE_BYTES_MAX)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def refused(record: Record) -> Refused:
    outcome = decode(record, VALUE_BYTES_MAX)
    assert isinstance(outcome, Refused), outcome
    return outcome


def command(topic: str, data: dict[str, Any]) -> Command:
    return decoded(build.record(topic, data)).command


def digest(data: dict[str, Any], topic: str = "order-created") -> bytes:
    return decoded(build.record(topic, data)).digest


def order_with_headers(*headers: tuple[str, bytes]) -> Record:
    return build.record("order-created", build.order(), headers=headers)


def structured(event: dict[str, Any]) -> Record:
    return build.record("order-created", event, headers=STRUCTURED)


def test_an_order_with_every_field_becomes_a_command() -> None:
    data = build.order(
        customer={
            "customer_id": "C-7",
            "email": "a@example.com",
            "phone": "+46",
            "locale": "en-GB",
            "segment": "b2b",
        },
        priority=9,
        ship_complete=True,
        need_by="2026-12-01T01:00:00+01:00",
        ship_to_country="US",
        payment={"authorization_id": "A-1", "capture_before": "2026-11-28T09:30:00.5Z"},
        lines=[
            build.order_line(location="WH1", backorder="deny", unit_price={"amount": "19.90", "currency": "USD"}),
            build.order_line("2"),
        ],
    )
    assert command("order-created", data) == PlaceOrder(
        order_id="SO-1001",
        placed_at=AT,
        customer={
            "customer_id": "C-7",
            "email": "a@example.com",
            "phone": "+46",
            "locale": "en-GB",
            "segment": "b2b",
        },
        lines=[
            LineRequest("1", "SKU-1", 3, "WH1", "deny", Price("19.90", "USD")),
            LineRequest("2", "SKU-1", 3),
        ],
        priority=9,
        ship_complete=True,
        need_by=datetime(2026, 12, 1, tzinfo=UTC),
        ship_to_country="US",
        payment=Payment("A-1", datetime(2026, 11, 28, 9, 30, 0, 500_000, tzinfo=UTC)),
    )


def test_a_receipt_becomes_a_command() -> None:
    data = build.receipt(
        purchase_order_id="PO-9",
        dock_door="D4",
        lines=[
            build.receipt_line(lot="L1", purchase_order_line_id="7"),
            build.receipt_line("2", quantity=0, damaged_quantity=1),
        ],
    )
    lines = [ReceiptLine("1", "SKU-1", 10, 0, "L1", "7"), ReceiptLine("2", "SKU-1", 0, 1)]
    assert command("inventory-received", data) == ReceiveInventory("R-55", "WH1", AT, lines, "PO-9", "D4")


def test_a_cancellation_of_some_lines_becomes_a_command() -> None:
    data = build.cancellation(reason="too late", lines=[{"line_id": "1", "quantity": 1}])
    assert command("order-cancelled", data) == CancelOrder("X-1", "SO-1001", AT, "too late", [CancelLine("1", 1)])


def test_a_cancellation_without_lines_is_one_of_the_whole_order() -> None:
    whole = CancelOrder("X-1", "SO-1001", AT)
    assert command("order-cancelled", build.cancellation()) == whole
    assert command("order-cancelled", build.cancellation(lines=None)) == whole


def test_an_amendment_keeps_apart_what_is_not_given_and_what_is_false() -> None:
    assert command("order-amended", build.amendment()) == AmendOrder("AM-1", "SO-1001", AT)
    data = build.amendment(priority=0, ship_complete=False, need_by=build.AT)
    assert command("order-amended", data) == AmendOrder("AM-1", "SO-1001", AT, 0, AT, ship_complete=False)


def test_an_adjustment_becomes_a_command() -> None:
    assert command("inventory-adjusted", build.adjustment()) == AdjustInventory(
        "ADJ-1", "SKU-1", "WH1", -2, "damaged", AT
    )


def test_a_line_may_leave_from_several_locations() -> None:
    lines = [build.shipment_line(), build.shipment_line(location="WH2")]
    data = build.shipment(lines=lines, carrier="UPS", tracking_number="1Z 9", tracking_url="https://example.com")
    assert command("shipment-dispatched", data) == DispatchShipment(
        "S-1",
        "SO-1001",
        AT,
        [DispatchLine("1", "WH1", 3), DispatchLine("1", "WH2", 3)],
        "UPS",
        "1Z 9",
        "https://example.com",
    )


def test_a_policy_becomes_a_command() -> None:
    assert command("product-policy-updated", build.policy()) == UpdatePolicy("SKU-1", 1, AT, "allow", "standard")
    data = build.policy(
        version=0,
        backorder="if_promised",
        kind="seasonal",
        backorder_limit=0,
        safety_stock=5,
        release_on="2027-01-15",
        season_ends_on=None,
        discontinued=True,
        substitutes=["SKU-2"],
        cancellation_rate_limit=1,
    )
    assert command("product-policy-updated", data) == UpdatePolicy(
        "SKU-1",
        0,
        AT,
        "if_promised",
        "seasonal",
        backorder_limit=0,
        safety_stock=5,
        release_on=date(2027, 1, 15),
        discontinued=True,
        substitutes=["SKU-2"],
        cancellation_rate_limit=1.0,
    )


def test_every_input_has_its_natural_id() -> None:
    found = {topic: decoded(build.record(topic, build.VALID[topic]())).natural_id for topic in INPUT_TOPICS}
    assert found == {
        "order-created": "SO-1001",
        "inventory-received": "R-55",
        "order-cancelled": "X-1",
        "order-amended": "AM-1",
        "inventory-adjusted": "ADJ-1",
        "shipment-dispatched": "S-1",
        "product-policy-updated": "SKU-1/1",
        "purchase-order-updated": "PO-9/1",
        "customer-response": "RS-1",
        "payment-updated": "P-1",
        "waitlist-joined": "W-1",
    }


def test_the_bounds_of_every_kind_of_number_and_text_are_accepted() -> None:
    lines = [build.order_line(str(n), quantity=1_000_000_000) for n in range(2_000)]
    placed_at = "9999-12-31T23:59:59Z"
    order = decoded(
        build.record("order-created", build.order("x" * 64, lines=lines, priority=9, placed_at=placed_at))
    )
    assert order.natural_id == "x" * 64
    assert isinstance(order.command, PlaceOrder)
    assert len(order.command.lines) == 2_000


def test_a_key_that_differs_from_the_data_or_is_no_text_is_accepted() -> None:
    assert decoded(build.record("order-created", build.order(), key=b"\xff\x00")).natural_id == "SO-1001"


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("ce_specversion", b"1.0"), ("ce_type", b"shop.order"), ("content-type", b"application/json")),
        (("CE_SpecVersion", b"1.0"), ("Content-Type", b"Application/JSON; charset=utf-8")),
        (("content-type", b"application/vnd.shop.order+json"),),
        (("content-type", b""),),
        (("colour", b"\xff"),),
    ],
)
def test_data_comes_bare_or_in_binary_mode(headers: tuple[tuple[str, bytes], ...]) -> None:
    assert decoded(order_with_headers(*headers)).command == command("order-created", build.order())


def test_data_comes_in_structured_mode_also_as_base64() -> None:
    expected = command("order-created", build.order())
    event = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order"}
    encoded = base64.b64encode(orjson.dumps(build.order())).decode()
    assert decoded(structured({**event, "data": build.order()})).command == expected
    assert decoded(structured({**event, "data_base64": encoded})).command == expected
    assert decoded(structured({"datacontenttype": "application/json", "data": build.order()})).command == expected


@pytest.mark.parametrize("name", ["traceparent", "TraceParent", "ce_traceparent"])
def test_the_trace_is_taken_from_a_header(name: str) -> None:
    assert decoded(order_with_headers((name, TRACE.encode()))).traceparent == TRACE


def test_the_trace_is_taken_from_a_structured_event() -> None:
    assert decoded(structured({"data": build.order(), "traceparent": TRACE})).traceparent == TRACE


@pytest.mark.parametrize(
    "trace",
    [
        "",
        "00-" + "0" * 32 + "-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-" + "0" * 16 + "-01",
        "ff" + TRACE[2:],
        TRACE.upper(),
        TRACE + "\n",
        TRACE + "-more",
    ],
)
def test_a_broken_trace_is_ignored(trace: str) -> None:
    assert decoded(order_with_headers(("traceparent", trace.encode()))).traceparent is None
    assert decoded(structured({"data": build.order(), "traceparent": trace})).traceparent is None
    assert decoded(structured({"data": build.order(), "traceparent": [trace]})).traceparent is None


def test_the_digest_does_not_depend_on_the_form() -> None:
    plain = digest(build.order())
    spelled_out = build.order(
        placed_at="2026-11-21T10:30:00.000+01:00",
        priority=0,
        ship_complete=False,
        need_by=None,
        payment=None,
        unknown={"field": [1]},
        customer={"unknown": 1, "email": None, "customer_id": "C-7"},
        lines=[build.order_line(location=None, unknown=2)],
    )
    assert digest(dict(reversed(spelled_out.items()))) == plain
    assert len(plain) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"placed_at": "2026-11-21T09:30:01Z"},
        {"priority": 1},
        {"ship_complete": True},
        {"customer": {"customer_id": "C-8"}},
        {"customer": {"customer_id": "C-7", "email": ""}},
        {"lines": [build.order_line(quantity=4)]},
        {"lines": [build.order_line(), build.order_line("2")]},
        {"lines": [build.order_line(backorder="allow")]},
    ],
)
def test_the_digest_tells_other_content(change: dict[str, Any]) -> None:
    assert digest(build.order(**change)) != digest(build.order())


def test_a_text_that_looks_like_an_absent_field_counts_for_the_digest() -> None:
    tricky = build.order(customer={"customer_id": "C-7", "email": ',"email":null'})
    assert digest(tricky) != digest(build.order())


def test_the_digest_stays_the_same_from_version_to_version() -> None:
    """Digests are stored: were they to change, an order delivered again after an upgrade would be a conflict."""
    assert digest(build.order()).hex() == "28123b81f97d45606f0d1f1ac37a865f"


@pytest.mark.parametrize("poison", ALL, ids=lambda poison: poison.name)
def test_poison_is_refused_with_its_code(poison: Poison) -> None:
    outcome = refused(Record(poison.topic, 0, 0, poison.key, poison.value, poison.headers))
    assert outcome.error == poison.error
    assert 10 < len(outcome.reason) < 700
    assert outcome.reason.isprintable()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            build.order(lines=[build.order_line(quantity=-3)]),
            "lines[0].quantity: expected a whole number from 1 to 1,000,000,000, found -3",
        ),
        (
            build.order(lines=[build.order_line(), build.order_line()]),
            'lines[1].line_id: expected an id that occurs once, found "1"',
        ),
        (
            {name: value for name, value in build.order().items() if name != "placed_at"},
            (
                "placed_at is missing: expected an instant with an offset, from 1970 to 9999, "
                "such as 2026-11-21T09:30:00Z"
            ),
        ),
        (
            build.order(lines=[build.order_line(backorder="maybe", unit_price=5)]),
            (
                'lines[0].backorder: expected one of allow, deny, found "maybe"; '
                "lines[0].unit_price: expected an object, found 5"
            ),
        ),
        (build.order(lines=[]), "lines: expected a list of 1 to 2,000 elements, found a list of 0 elements"),
        (build.order(ship_complete="yes"), 'ship_complete: expected true or false, found "yes"'),
        (
            build.order("x" * 100),
            "order_id: expected an id of 1 to 64 characters from A-Z a-z 0-9 . _ : / -, found text of 100 characters",
        ),
        (
            build.order(customer={"customer_id": "C 7", "phone": 46_123}),
            (
                "customer.customer_id: expected an id of 1 to 64 characters from A-Z a-z 0-9 . _ : / -, "
                "found text of 3 characters; "
                "customer.phone: expected text of at most 64 characters, without NUL, found a number"
            ),
        ),
    ],
)
def test_the_reason_names_the_field_what_was_expected_and_what_was_found(data: dict[str, Any], reason: str) -> None:
    assert refused(build.record("order-created", data)).reason == reason


def test_the_reason_names_the_field_of_a_receipt_line() -> None:
    reason = refused(build.record("inventory-received", build.receipt(lines=[build.receipt_line(lot=7)]))).reason
    assert reason == "lines[0].lot: expected an id of 1 to 64 characters from A-Z a-z 0-9 . _ : / -, found 7"


def test_control_characters_are_shown_escaped() -> None:
    reason = refused(build.record("order-created", build.order("\x00\x1b\x7f"))).reason
    assert reason.endswith(r'found "\u0000\u001b\u007f"')


def test_of_many_faults_the_first_three_are_named() -> None:
    assert refused(build.record("order-created", {})).reason.endswith("; and 1 more")


def test_a_free_text_is_never_repeated() -> None:
    reason = refused(build.record("order-cancelled", build.cancellation(reason="I am ill\0"))).reason
    assert reason == "reason: expected text of at most 200 characters, without NUL, found text of 9 characters"


def test_a_header_without_a_value_is_like_none() -> None:
    record = build.record("order-created", build.order())
    record.headers = [("content-type", None), ("traceparent", None)]  # type: ignore[list-item] # some clients do
    assert decoded(record).traceparent is None
