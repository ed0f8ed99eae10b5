"""Inputs that can't be taken in, each with the code it is refused with; good neighbours must not suffer from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

import build

if TYPE_CHECKING:
    from collections.abc import Sequence

STRUCTURED = (("content-type", b"application/cloudevents+json; charset=utf-8"),)
BINARY = (("ce_specversion", b"1.0"), ("content-type", b"application/json"))
VALUE_BYTES_MAX = 1_048_576


@dataclass(frozen=True)
class Poison:
    name: str
    error: str
    value: bytes | None
    topic: str = "order-created"
    key: bytes | None = b"SO-1001"
    headers: Sequence[tuple[str, bytes]] = ()


ORDER = orjson.dumps(build.order())


def _order(name: str, **fields: Any) -> Poison:
    """An order that is JSON but breaks a rule on its data."""
    return Poison(name, "invalid_data", orjson.dumps(build.order(**fields)))


def _line(name: str, **fields: Any) -> Poison:
    return _order(name, lines=[build.order_line(), build.order_line("2", **fields)])


def _without(field: str) -> Poison:
    data = {name: value for name, value in build.order().items() if name != field}
    return Poison(f"no {field}", "invalid_data", orjson.dumps(data))


def _input(name: str, topic: str, data: dict[str, Any]) -> Poison:
    return Poison(name, "invalid_data", orjson.dumps(data), topic=topic)


def _purchased(name: str, *lines: dict[str, Any]) -> Poison:
    data = build.purchase_order(lines=[build.purchase_order_line(**fields) for fields in lines])
    return _input(name, "purchase-order-updated", data)


def _raw(name: str, error: str, old: bytes, new: bytes) -> Poison:
    """A valid order with some bytes exchanged, for what a JSON writer would not write."""
    assert ORDER.count(old) == 1, name
    return Poison(name, error, ORDER.replace(old, new))


ENVELOPES = (
    Poison("null key", "missing_key", ORDER, key=None),
    Poison("empty key", "missing_key", ORDER, key=b""),
    Poison("null value", "missing_value", None),
    Poison("2 MB value", "too_large", orjson.dumps(build.order(note="x" * 2_000_000))),
    Poison("2 MB of no JSON", "too_large", b"\xff" * 2_000_000),
    Poison("text/plain", "unsupported_content_type", ORDER, headers=[BINARY[0], ("content-type", b"text/plain")]),
    Poison("avro", "unsupported_content_type", ORDER, headers=[BINARY[0], ("Content-Type", b"application/avro")]),
    Poison(
        "a content type of bytes",
        "unsupported_content_type",
        ORDER,
        headers=[BINARY[0], ("content-type", b"\xff\x00\n/json")],
    ),
    Poison(
        "a batch of CloudEvents",
        "unsupported_content_type",
        b"[" + ORDER + b"]",
        headers=[("content-type", b"application/cloudevents-batch+json")],
    ),
    Poison("CloudEvents 0.3", "unsupported_envelope", ORDER, headers=[("ce_specversion", b"0.3")]),
    Poison("CloudEvents of NUL", "unsupported_envelope", ORDER, headers=[("ce_specversion", b"\0")]),
    Poison(
        "structured CloudEvents 0.3",
        "unsupported_envelope",
        b'{"specversion": "0.3", "data": ' + ORDER + b"}",
        headers=STRUCTURED,
    ),
    Poison(
        "structured with a number for a version",
        "unsupported_envelope",
        b'{"specversion": 1.0, "data": ' + ORDER + b"}",
        headers=STRUCTURED,
    ),
    Poison("structured without data", "unsupported_envelope", b'{"specversion": "1.0"}', headers=STRUCTURED),
    Poison("structured with null for data", "unsupported_envelope", b'{"data": null}', headers=STRUCTURED),
    Poison(
        "structured with data twice",
        "unsupported_envelope",
        b'{"data_base64": "e30=", "data": ' + ORDER + b"}",
        headers=STRUCTURED,
    ),
    Poison(
        "structured with XML in it",
        "unsupported_content_type",
        b'{"datacontenttype": "application/xml", "data": "<order/>"}',
        headers=STRUCTURED,
    ),
    Poison("structured with broken base64", "malformed_json", b'{"data_base64": "e30"}', headers=STRUCTURED),
    Poison("structured array", "malformed_json", b"[]", headers=STRUCTURED),
    Poison("structured no JSON", "malformed_json", b"{", headers=STRUCTURED),
    Poison(
        "structured and deep",
        "malformed_json",
        b'{"data": ' + b"[" * 500 + b"]" * 500 + b"}",
        headers=STRUCTURED,
    ),
    Poison("structured with a text for data", "malformed_json", b'{"data": "order"}', headers=STRUCTURED),
)

JSON = (
    Poison("empty value", "malformed_json", b""),
    Poison("blank value", "malformed_json", b" \n"),
    Poison("no JSON", "malformed_json", b"order"),
    Poison("truncated", "malformed_json", ORDER[:-2]),
    Poison("something after the end", "malformed_json", ORDER + b"}"),
    Poison("byte order mark", "malformed_json", b"\xef\xbb\xbf" + ORDER),
    Poison("UTF-16", "malformed_json", ORDER.decode().encode("utf-16")),
    Poison("bad UTF-8 in an id", "malformed_json", ORDER.replace(b"C-7", b"C-\xff")),
    Poison("bad UTF-8 in an unknown field", "malformed_json", ORDER[:-1] + b',"note":"\xc3\x28"}'),
    Poison("lone surrogate", "malformed_json", ORDER[:-1] + b',"note":"\\ud800"}'),
    Poison("NaN in an unknown field", "malformed_json", ORDER[:-1] + b',"note":NaN}'),
    Poison("NaN in binary mode", "malformed_json", ORDER[:-1] + b',"note":NaN}', headers=BINARY),
    _raw("NaN for a quantity", "malformed_json", b'"quantity":3', b'"quantity":NaN'),
    _raw("Infinity for a quantity", "malformed_json", b'"quantity":3', b'"quantity":-Infinity'),
    Poison("deep nesting", "malformed_json", b"[" * 100_000 + b"]" * 100_000),
    Poison(
        "deep nesting in an unknown field",
        "malformed_json",
        ORDER[:-1] + b',"note":' + b'{"a":' * 5_000 + b"0" + b"}" * 5_001,
    ),
    Poison("top-level array", "malformed_json", b"[" + ORDER + b"]"),
    Poison("top-level text", "malformed_json", b'"SO-1001"'),
    Poison("top-level null", "malformed_json", b"null"),
)

ORDERS = (
    *(_without(field) for field in ("order_id", "placed_at", "customer", "lines")),
    _order("null for an id", order_id=None),
    _order("a number for an id", order_id=1001),
    _order("an empty id", order_id=""),
    _order("spaces in an id", order_id="SO 1001"),
    _order("a newline after an id", order_id="SO-1001\n"),
    _order("an id of 65 characters", order_id="x" * 65),
    _order("letters beyond ASCII in an id", order_id="SÖ-1"),
    _order("a digit beyond ASCII in an id", order_id="SO-\u0661"),
    _order("a naive instant", placed_at="2026-11-21T09:30:00"),
    _order("an instant as a number", placed_at=1_795_253_400),
    _order("an instant as a number in a text", placed_at="1795253400"),
    _order("a day for an instant", placed_at="2026-11-21"),
    _order("an instant with a space", placed_at="2026-11-21 09:30:00Z"),
    _order("an instant that does not exist", placed_at="2026-02-30T09:30:00Z"),
    _order("an instant before 1970", placed_at="1969-12-31T23:59:59Z"),
    _order("an instant after 9999 in UTC", placed_at="9999-12-31T23:59:59-12:00"),
    _order("a text for a customer", customer="C-7"),
    _order("a customer without id", customer={"email": "a@example.com"}),
    _order("NUL in a text", customer={"customer_id": "C-7", "email": "a\0@example.com"}),
    _order("an email of 321 characters", customer={"customer_id": "C-7", "email": "x" * 321}),
    _order("priority 10", priority=10),
    _order("a negative priority", priority=-1),
    _order("true for a priority", priority=True),
    _order("a text for a flag", ship_complete="true"),
    _order("a number for a flag", ship_complete=1),
    _order("a small country", ship_to_country="us"),
    _order("a payment without id", payment={"capture_before": build.AT}),
    _order("no lines", lines=[]),
    _order("an object for lines", lines={"1": build.order_line()}),
    _order("2,001 lines", lines=[build.order_line(str(n)) for n in range(2_001)]),
    _order("half a million wrong lines", lines=[0] * 500_000),
    _order("a duplicate line id", lines=[build.order_line(), build.order_line(sku="SKU-2")]),
    _line("quantity 0", quantity=0),
    _line("a negative quantity", quantity=-3),
    _line("a huge quantity", quantity=1_000_000_001),
    _line("a quantity beyond 64 bits", quantity=2**64 - 1),
    _line("a text for a quantity", quantity="3"),
    _line("a fraction for a quantity", quantity=3.5),
    _line("3.0 for a quantity", quantity=3.0),
    _line("true for a quantity", quantity=True),
    _line("a list for a sku", sku=["SKU-1"]),
    _line("NUL in a sku", sku="SKU\0"),
    _line("an unknown word for backorder", backorder="if_promised"),
    _line("a number for an amount", unit_price={"amount": 19.9, "currency": "USD"}),
    _line("a negative amount", unit_price={"amount": "-1", "currency": "USD"}),
    _line("an amount with five decimals", unit_price={"amount": "1.00001", "currency": "USD"}),
    _line("a price without currency", unit_price={"amount": "1"}),
    _raw("a quantity beyond all bounds", "invalid_data", b'"quantity":3', b'"quantity":' + b"9" * 400),
    _raw("a quantity in e notation", "invalid_data", b'"quantity":3', b'"quantity":1e3'),
    Poison("an empty object", "invalid_data", b"{}"),
    Poison("base64 of bad data", "invalid_data", b'{"data_base64": "e30="}', headers=STRUCTURED),
)

_CANCELLED_TWICE = [{"line_id": "1", "quantity": 1}] * 2

OTHERS = (
    _input("a receipt of nothing", "inventory-received", build.receipt(lines=[build.receipt_line(quantity=0)])),
    _input("a receipt line twice", "inventory-received", build.receipt(lines=[build.receipt_line()] * 2)),
    _input("a receipt without lines", "inventory-received", build.receipt(lines=[])),
    _input(
        "negative damage",
        "inventory-received",
        build.receipt(lines=[build.receipt_line(damaged_quantity=-1)]),
    ),
    _input("a lot with a space", "inventory-received", build.receipt(lines=[build.receipt_line(lot="L 1")])),
    _input("a cancellation of no lines", "order-cancelled", build.cancellation(lines=[])),
    _input("a cancelled line twice", "order-cancelled", build.cancellation(lines=_CANCELLED_TWICE)),
    _input("a reason of 201 characters", "order-cancelled", build.cancellation(reason="x" * 201)),
    _input("an amendment without order", "order-amended", build.amendment(order_id="")),
    _input("an adjustment by 0", "inventory-adjusted", build.adjustment(quantity_delta=0)),
    _input("a huge adjustment", "inventory-adjusted", build.adjustment(quantity_delta=-1_000_000_001)),
    _input("an unknown reason", "inventory-adjusted", build.adjustment(reason="stolen")),
    _input("a shipment without lines", "shipment-dispatched", build.shipment(lines=[])),
    _input("a long tracking URL", "shipment-dispatched", build.shipment(tracking_url="x" * 2_001)),
    _input("a negative version", "product-policy-updated", build.policy(version=-1)),
    _input("an unknown kind", "product-policy-updated", build.policy(kind="digital")),
    _input("a rate above 1", "product-policy-updated", build.policy(cancellation_rate_limit=1.01)),
    _input("a rate as a text", "product-policy-updated", build.policy(cancellation_rate_limit="0.5")),
    _input("a day that does not exist", "product-policy-updated", build.policy(release_on="2027-02-30")),
    _input("an instant for a day", "product-policy-updated", build.policy(release_on=build.AT)),
    _input("a purchase order of no lines", "purchase-order-updated", build.purchase_order(lines=[])),
    _input("an unknown status", "purchase-order-updated", build.purchase_order(status="open")),
    _input("a version below 0", "purchase-order-updated", build.purchase_order(version=-1)),
    _purchased("a purchase order line twice", {}, {}),
    _purchased("a purchase of nothing", {"quantity": 0}),
    _purchased("no first day", {"expected_from": None}),
    _purchased("a last day before the first", {"expected_to": "2026-11-30"}),
    _input("an answer that is no choice", "customer-response", build.response(choice="wait")),
    _input("an answer without a token", "customer-response", build.response(token=None)),
    _input("a payment of unknown status", "payment-updated", build.payment(status="pending")),
    _input("a capture before no instant", "payment-updated", build.payment(capture_before="2026-12-05")),
    _input("a waiting list for a sku with a space", "waitlist-joined", build.waitlist_entry(sku="SKU 1")),
    _input("a waiting customer without id", "waitlist-joined", build.waitlist_entry(customer={})),
    _input("waiting for nothing", "waitlist-joined", build.waitlist_entry(quantity=0)),
)

ALL = (*ENVELOPES, *JSON, *ORDERS, *OTHERS)
