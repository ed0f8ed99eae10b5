"""Facts become CloudEvents in binary mode; what can't be taken in keeps its bytes among the dead letters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from bo_worker.domain.facts import (
    Availability,
    BackInStock,
    CrossDock,
    CrossDockPlan,
    DelayNotice,
    Fact,
    FulfillmentLine,
    LocationAvailability,
    Notification,
    NotificationLine,
    Procurement,
    PromisedQuantity,
    PutAway,
    PutAwayLine,
    Revoke,
    Ship,
    ShippedNotification,
    Substitute,
    SubstituteOffered,
)
from bo_worker.domain.payment_request import Money, PaymentRequest
from bo_worker.messages.outbound import dead_letter, encode, event_kinds, kinds, message_of
from bo_worker.messages.record import Message, Record
from schema_check import VALIDATORS, validate_message

AT = b"2026-11-21T09:30:00.123Z"
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
LINES = [FulfillmentLine("1", "SKU-1", 3, "L1"), FulfillmentLine("2", "SKU-1", 1)]
CUSTOMER = {"customer_id": "C-7", "email": "å@example.com"}

PLAN = CrossDockPlan(
    "F-5", "SO-1", "WH1", 5, "PO-9", date(2026, 12, 1), date(2026, 12, 5), 1, [FulfillmentLine("1", "SKU-1", 3)]
)
BACK_IN_STOCK = BackInStock("N-4", "W-1", "SKU-1", 2, CUSTOMER)
EXPEDITE = Procurement("PR-1", "expedite", "SKU-1", None, 40, 12, date(2026, 12, 1), "promise_at_risk", days_gained=4)
REFUND = PaymentRequest("PM-1", "refund", "SO-1", Money("19.90", "USD"), "A-1", "cancelled", date(2026, 12, 8))
SHIP = Ship("F-1", "SO-1", "WH1", 0, LINES, completes_order=True)
AVAILABILITY = Availability(
    sku="SKU-1",
    state="in_stock",
    on_hand=12,
    allocated=5,
    available=7,
    backordered=0,
    incoming=100,
    available_to_promise=[PromisedQuantity(date(2026, 12, 5), 107)],
    next_receipt_on=date(2026, 12, 5),
    locations=[LocationAvailability("WH1", 12, 5, 7)],
)
FACTS: list[Fact] = [
    SHIP,
    CrossDock("F-2", "SO-1", "WH1", 9, "R-1", "D4", LINES, completes_order=False),
    CrossDock("F-2", "SO-1", "WH1", 9, "R-1", None, LINES, completes_order=False),
    PutAway("F-3", "R-1", "WH1", None, [PutAwayLine("SKU-1", 7)]),
    Revoke("F-4", "SO-1", "WH1", "cancelled", "F-1", LINES),
    Notification("N-1", "order_confirmed", "SO-1", CUSTOMER, [NotificationLine("1", "SKU-1", 3)]),
    DelayNotice(
        "N-2",
        "delay_notice",
        "SO-1",
        CUSTOMER,
        [NotificationLine("1", "SKU-1", 3, date(2026, 12, 1), date(2026, 12, 5))],
        completes_order=False,
        reason="late",
        options=["keep", "cancel"],
        respond_by=datetime(2026, 12, 1, tzinfo=UTC),
        token="a.b",  # noqa: S106 - no password
    ),
    SubstituteOffered(
        "N-4",
        "substitute_offered",
        "SO-1",
        CUSTOMER,
        [NotificationLine("1", "SKU-1", 3)],
        substitutes=[Substitute("1", "SKU-2", 3)],
    ),
    ShippedNotification(
        "N-3", "shipped", "SO-1", CUSTOMER, [NotificationLine("1", "SKU-1", 3)], shipment_id="S-1", carrier="UPS"
    ),
    AVAILABILITY,
    PLAN,
    replace(PLAN, status="withdrawn", revision=2),
    BACK_IN_STOCK,
    EXPEDITE,
    Procurement("PR-2", "reorder", "SKU-1", "WH1", 200, 0, None, "reorder_point"),
    Procurement("PR-3", "demand_signal", "SKU-1", None, 7, 0, None, "out_of_stock", order_id="SO-1"),
    REFUND,
    replace(REFUND, kind="authorize", authorization_id=None, due_by=None),
]


def sent(fact: Fact, *, sequence: int = 12, traceparent: str | None = None) -> Message:
    return message_of(encode(fact, sequence=sequence, at=AT, traceparent=traceparent))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.kind)
def test_every_fact_keeps_to_the_published_schema(fact: Fact) -> None:
    message = sent(fact, traceparent=TRACE)
    validate_message(message.topic, message.value, message.headers)


@pytest.mark.parametrize("kind", [kind for kind in event_kinds("customer-notification") if kind != "back_in_stock"])
def test_every_kind_of_notification_keeps_to_the_published_schema(kind: str) -> None:
    own = (ShippedNotification, DelayNotice, SubstituteOffered)
    shape = next((found for found in own if kind in kinds(found)), Notification)
    message = sent(shape("N-1", kind, "SO-1", CUSTOMER, [NotificationLine("1", "SKU-1", 3)]))
    validate_message(message.topic, message.value, message.headers)


def test_an_instruction_is_a_cloud_event_in_binary_mode() -> None:
    message = sent(SHIP, traceparent=TRACE)
    assert (message.topic, message.key) == ("fulfillment", b"SO-1")
    assert dict(message.headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"F-1",
        "ce_source": b"/bo-worker",
        "ce_type": b"bo.fulfillment.ship.v1",
        "ce_time": AT,
        "ce_subject": b"SO-1",
        "ce_dataschema": b"urn:bo-worker:schema:fulfillment:v1",
        "ce_sequence": b"12",
        "content-type": b"application/json",
        "traceparent": TRACE.encode(),
    }
    assert orjson.loads(message.value or b"") == {
        "fulfillment_id": "F-1",
        "kind": "ship",
        "order_id": "SO-1",
        "location": "WH1",
        "priority": 0,
        "lines": [
            {"line_id": "1", "sku": "SKU-1", "quantity": 3, "lot": "L1"},
            {"line_id": "2", "sku": "SKU-1", "quantity": 1, "lot": None},
        ],
        "completes_order": True,
    }


def test_a_notification_has_its_dates_as_days_and_instants_in_utc() -> None:
    assert orjson.loads(sent(FACTS[6]).value or b"") == {
        "notification_id": "N-2",
        "kind": "delay_notice",
        "order_id": "SO-1",
        "customer": CUSTOMER,
        "lines": [
            {
                "line_id": "1",
                "sku": "SKU-1",
                "quantity": 3,
                "expected_from": "2026-12-01",
                "expected_to": "2026-12-05",
            }
        ],
        "completes_order": False,
        "reason": "late",
        "options": ["keep", "cancel"],
        "respond_by": "2026-12-01T00:00:00Z",
        "token": "a.b",
    }


def test_a_plan_says_what_a_purchase_order_is_to_bring_for_an_order_and_whether_it_still_holds() -> None:
    message = sent(PLAN)
    assert (message.topic, message.key) == ("fulfillment", b"SO-1")
    assert dict(message.headers)["ce_type"] == b"bo.fulfillment.cross_dock_plan.v1"
    planned = {
        "fulfillment_id": "F-5",
        "kind": "cross_dock_plan",
        "order_id": "SO-1",
        "location": "WH1",
        "priority": 5,
        "purchase_order_id": "PO-9",
        "expected_from": "2026-12-01",
        "expected_to": "2026-12-05",
        "revision": 1,
        "lines": [{"line_id": "1", "sku": "SKU-1", "quantity": 3, "lot": None}],
        "status": "planned",
    }
    assert orjson.loads(message.value or b"") == planned
    withdrawn = sent(replace(PLAN, status="withdrawn", revision=2))
    assert orjson.loads(withdrawn.value or b"") == planned | {"status": "withdrawn", "revision": 2}


def test_back_in_stock_is_a_notification_about_no_order_under_the_key_of_its_entry() -> None:
    message = sent(BACK_IN_STOCK)
    assert (message.topic, message.key) == ("customer-notification", b"W-1")
    assert dict(message.headers)["ce_id"] == b"N-4"
    assert orjson.loads(message.value or b"") == {
        "notification_id": "N-4",
        "kind": "back_in_stock",
        "order_id": None,
        "customer": CUSTOMER,
        "lines": [
            {"line_id": None, "sku": "SKU-1", "quantity": 2, "expected_from": None, "expected_to": None},
        ],
        "completes_order": None,
        "reason": None,
        "options": [],
        "respond_by": None,
        "entry_id": "W-1",
    }


@pytest.mark.parametrize("field", ["order_id", "line_id"])
def test_only_back_in_stock_may_name_no_order_and_no_line(field: str) -> None:
    data = orjson.loads(sent(FACTS[5]).value or b"")
    assert VALIDATORS["customer-notification"].is_valid(data)
    owner = data if field == "order_id" else data["lines"][0]
    owner[field] = None
    assert not VALIDATORS["customer-notification"].is_valid(data)


def test_what_purchasing_is_told_has_the_product_for_its_key() -> None:
    message = sent(EXPEDITE)
    assert (message.topic, message.key) == ("procurement", b"SKU-1")
    headers = dict(message.headers)
    assert (headers["ce_id"], headers["ce_type"]) == (b"PR-1", b"bo.procurement.expedite.v1")
    assert orjson.loads(message.value or b"") == {
        "procurement_id": "PR-1",
        "kind": "expedite",
        "sku": "SKU-1",
        "location": None,
        "quantity": 40,
        "orders_waiting": 12,
        "needed_by": "2026-12-01",
        "reason": "promise_at_risk",
        "order_id": None,
        "days_gained": 4,
    }


def test_an_availability_names_the_first_day_of_a_promise_from() -> None:
    assert orjson.loads(sent(AVAILABILITY).value or b"") == {
        "sku": "SKU-1",
        "state": "in_stock",
        "on_hand": 12,
        "allocated": 5,
        "available": 7,
        "backordered": 0,
        "incoming": 100,
        "available_to_promise": [{"from": "2026-12-05", "quantity": 107}],
        "next_receipt_on": "2026-12-05",
        "locations": [{"location": "WH1", "on_hand": 12, "allocated": 5, "available": 7}],
    }


def test_an_availability_has_an_id_by_its_place_in_the_sequence() -> None:
    ids = [dict(sent(AVAILABILITY, sequence=sequence).headers)["ce_id"] for sequence in (1, 2, 2)]
    assert ids[0] != ids[1] == ids[2]
    assert ids[0].startswith(b"A-")


def test_an_availability_of_a_product_with_a_long_name_keeps_to_the_published_schema() -> None:
    message = sent(replace(AVAILABILITY, sku="S" * 64))
    validate_message(message.topic, message.value, message.headers)


def test_without_a_trace_there_is_no_header_for_it() -> None:
    assert "traceparent" not in dict(sent(SHIP).headers)


def test_a_dead_letter_is_the_record_as_received_and_why() -> None:
    headers = [("b", b"\xff"), ("a", b""), ("b", b"2")]
    record = Record("order-created", 3, 42, b"\x00key", b"\xffvalue", headers)
    message = dead_letter(record, error="malformed_json", reason="no ✓", full_topic="eu.order-created", failed_at=AT)
    assert message == Message(
        "order-created.dlq",
        b"\x00key",
        b"\xffvalue",
        [
            ("b", b"\xff"),
            ("a", b""),
            ("b", b"2"),
            ("dlq_error", b"malformed_json"),
            ("dlq_reason", "no ✓".encode()),
            ("dlq_topic", b"eu.order-created"),
            ("dlq_partition", b"3"),
            ("dlq_offset", b"42"),
            ("dlq_failed_at", AT),
        ],
    )
    validate_message(message.topic, message.value, message.headers)


def test_of_an_earlier_stay_among_the_dead_letters_only_the_count_of_replays_is_kept() -> None:
    first = dead_letter(
        Record("order-created", 0, 1, None, None, [("a", b"1")]),
        error="missing_key",
        reason="no key",
        full_topic="order-created",
        failed_at=b"2026-11-20T00:00:00Z",
    )
    replayed = Record("order-created", 0, 9, None, None, [*first.headers, ("dlq_replays", b"1")])
    second = dead_letter(replayed, error="missing_value", reason="no value", full_topic="order-created", failed_at=AT)
    assert second.headers == [
        ("a", b"1"),
        ("dlq_replays", b"1"),
        ("dlq_error", b"missing_value"),
        ("dlq_reason", b"no value"),
        ("dlq_topic", b"order-created"),
        ("dlq_partition", b"0"),
        ("dlq_offset", b"9"),
        ("dlq_failed_at", AT),
    ]
