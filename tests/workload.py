"""Orders and receipts in plenty: drawn from a seed, or real ones from a file."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

import build
from world import message, placed, received

if TYPE_CHECKING:
    from bo_worker.messages.record import Message
    from world import World

LOCATIONS: Final = ("WH1", "WH2", "WH3")
KINDS: Final = (
    "standard", "standard", "pre_order", "seasonal", "made_to_order", "drop_ship", "manufacturer", "indefinite",
)  # fmt: skip
# As all lead times are the same, a promise by lead time is the same whichever policy it was made under.
LEAD_TIME_DAYS: Final = 20
OPENING: Final[tuple[build.Data, ...]] = (
    {"kind": "pre_order", "release_on": "2099-12-10"},
    {"kind": "seasonal", "release_on": "2099-12-10", "season_ends_on": "2099-12-24"},
    {"kind": "made_to_order", "lead_time_days": LEAD_TIME_DAYS},
    {"kind": "drop_ship", "lead_time_days": LEAD_TIME_DAYS},
)
PRICES: Final = ("0.3333", "19.90", "7.005")
# No end, one that passed, one that is never reached.
CAPTURE_BEFORE: Final = (None, "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z")
STATUSES: Final = ("authorized", "authorized", "failed", "captured", "voided", "refunded")
SAMPLE: Final = Path(__file__).parent / "sample_orders.jsonl"


def drawn(seed: int, orders: int, *, skus: int = 12, changes: int = 0) -> list[Message]:
    """Orders of every sort, receipts that serve most of them, and changes of both, in a random sequence.

    With changes half of the orders have prices, and most of these a payment, of which there is news.
    """
    print(f"workload of seed {seed}")  # noqa: T201 - shown when the test fails
    draw = random.Random(seed)  # noqa: S311 - a seeded generator, not a secret
    wanted = [_order(draw, f"SO-{number}", skus) for number in range(orders)]
    if changes:
        for order in wanted[::2]:
            _price(draw, order)
    inputs = [placed(order) for order in wanted]
    inputs += [received(_receipt(draw, f"R-{number}", skus)) for number in range(orders // 8)]
    inputs += [_change(draw, number, orders, skus) for number in range(changes)]
    draw.shuffle(inputs)
    if changes:  # These kinds hold from the beginning, until a later version says otherwise.
        inputs[:0] = [
            message("product-policy-updated", build.policy(f"SKU-{number % skus}", 0, **kind))
            for number, kind in enumerate(OPENING)
        ]
    return inputs


def _order(draw: random.Random, order_id: str, skus: int) -> build.Data:
    lines = [_order_line(draw, str(number), skus) for number in range(1, draw.randint(1, 4) + 1)]
    second = draw.randrange(60)
    return build.order(
        order_id,
        lines=lines,
        placed_at=f"2026-11-21T09:{draw.randrange(60):02}:{second:02}Z",
        priority=draw.choice((0, 0, 0, 5, 9)),
        ship_complete=draw.random() < 0.2,
    )


def _price(draw: random.Random, order: build.Data) -> None:
    for line in order["lines"]:
        if draw.random() < 0.8:
            line["unit_price"] = {"amount": draw.choice(PRICES), "currency": draw.choice(("EUR", "EUR", "USD"))}
    if draw.random() < 0.7:
        order["payment"] = {"authorization_id": "A-1"}
        if ends_at := draw.choice(CAPTURE_BEFORE):
            order["payment"]["capture_before"] = ends_at


def _order_line(draw: random.Random, line_id: str, skus: int) -> build.Data:
    line = build.order_line(line_id, f"SKU-{draw.randrange(skus)}", draw.randint(1, 5))
    if draw.random() < 0.2:
        line["location"] = draw.choice(LOCATIONS)
    if draw.random() < 0.1:
        line["backorder"] = "deny"
    return line


def _receipt(draw: random.Random, receipt_id: str, skus: int) -> build.Data:
    lines = [
        build.receipt_line(
            str(number), f"SKU-{draw.randrange(skus)}", draw.randint(1, 40), lot=draw.choice(("A", "B"))
        )
        for number in range(1, draw.randint(1, 4) + 1)
    ]
    order = {"purchase_order_id": f"PO-{draw.randrange(8)}"} if draw.random() < 0.5 else {}
    return build.receipt(receipt_id, lines=lines, location=draw.choice(LOCATIONS), dock_door="D4", **order)


def _change(draw: random.Random, number: int, orders: int, skus: int) -> Message:
    """Something that happens to an order, which may not be there yet, or to a product."""
    order_id, sku = f"SO-{draw.randrange(orders)}", f"SKU-{draw.randrange(skus)}"
    match draw.randrange(10):
        case 0 | 1 as kind:
            some = {"lines": [{"line_id": "1", "quantity": draw.randint(1, 3)}]} if kind else {}
            return message("order-cancelled", build.cancellation(f"X-{number}", order_id, **some))
        case 2:
            changed = {"priority": draw.randrange(10), "ship_complete": draw.random() < 0.5}
            return message("order-amended", build.amendment(f"AM-{number}", order_id, **changed))
        case 3:
            delta, location = draw.choice((-9, -4, -1, 2, 5)), draw.choice(LOCATIONS)
            corrected = build.adjustment(f"ADJ-{number}", delta, sku=sku, location=location)
            return message("inventory-adjusted", corrected)
        case 4 | 5:
            return message("purchase-order-updated", _purchase_order(draw, number, skus))
        case 6 | 7 as kind:
            return _money_or_answer(draw, number, order_id, is_money=kind == 6)
        case _:
            return _waitlist_or_policy(draw, number, sku)


def _waitlist_or_policy(draw: random.Random, number: int, sku: str) -> Message:
    if draw.random() < 0.5:
        return message("waitlist-joined", build.waitlist_entry(f"W-{number}", sku, quantity=draw.randint(1, 3)))
    return message("product-policy-updated", _policy(draw, sku, number + 1))


def _money_or_answer(draw: random.Random, number: int, order_id: str, *, is_money: bool) -> Message:
    if is_money:
        return message("payment-updated", _payment(draw, number, order_id))
    # Nobody was given this token, so that it is refused whatever came before.
    choice = draw.choice(("keep", "switch", "cancel"))
    return message("customer-response", build.response(f"RS-{number}", choice, order_id=order_id))


def _payment(draw: random.Random, number: int, order_id: str) -> build.Data:
    """News of a payment, perhaps older than those before it, perhaps of an order that is not there yet."""
    fields: build.Data = {"order_id": order_id, "occurred_at": f"2026-11-21T10:{draw.randrange(60):02}:00Z"}
    if draw.random() < 0.7:
        fields["authorization_id"] = draw.choice(("A-1", "A-1", "A-2", "A-3"))
    if ends_at := draw.choice(CAPTURE_BEFORE):
        fields["capture_before"] = ends_at
    return build.payment(f"P-{number}", draw.choice(STATUSES), **fields)


def _policy(draw: random.Random, sku: str, version: int) -> build.Data:
    """A policy of any kind. The days of a kind lie among those of the supply, or long ago."""
    kind = draw.choice(KINDS)
    fields: build.Data = {"safety_stock": draw.randrange(4)}
    if kind in ("pre_order", "seasonal"):
        fields["release_on"] = draw.choice(("2020-01-01", "2099-12-10"))
    if kind == "seasonal":
        fields["season_ends_on"] = draw.choice(("2020-02-01", "2099-12-20", "2099-12-24"))
    if kind != "seasonal" and draw.random() < 0.5:
        fields["lead_time_days"] = LEAD_TIME_DAYS
    return build.policy(sku, version, kind=kind, **fields)


def _purchase_order(draw: random.Random, version: int, skus: int) -> build.Data:
    """A version, perhaps an old one, of one of few purchase orders."""
    lines = []
    for number in range(1, draw.randint(1, 4) + 1):
        day = draw.randint(1, 28)
        days = {"expected_from": f"2099-12-{day:02}", "expected_to": f"2099-12-{draw.randint(day, 29):02}"}
        lines.append(
            build.purchase_order_line(str(number), f"SKU-{draw.randrange(skus)}", draw.randint(1, 40), **days)
        )
    status = draw.choice(("draft", "confirmed", "confirmed", "in_transit", "cancelled"))
    return build.purchase_order(
        f"PO-{draw.randrange(8)}", version, lines=lines, status=status, location=draw.choice(LOCATIONS)
    )


def real_orders() -> list[dict[str, Any]]:
    """The real orders of the sample, in the sequence in which they were placed."""
    return [orjson.loads(line)["data"] for line in SAMPLE.read_bytes().splitlines()]


async def trickle(world: World, inputs: list[Message]) -> None:
    """Send in small portions over some seconds, so that there is always something under way."""
    for first in range(0, len(inputs), 10):
        await world.send(*inputs[first : first + 10])
        await asyncio.sleep(0.1)
