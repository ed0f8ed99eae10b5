"""The year of a shop without servers: days like the real ones, and everybody acts on what the worker says."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bo_worker.demo.retail import load_orders
from bo_worker.messages.inbound import Decoded, decode
from bo_worker.messages.record import Record
from bo_worker.service.sweep import Done
from bo_worker.year.chance import chances
from bo_worker.year.customers import Customers, Wait, hazard
from bo_worker.year.days import Days, busyness, days_from
from bo_worker.year.payments import Payments
from bo_worker.year.program import typical_day
from bo_worker.year.rounds import Rounds
from bo_worker.year.shop import Shop
from bo_worker.year.statistics import measure, pooled_lines
from bo_worker.year.step import Heard, Step

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE = load_orders()
STATISTICS = measure(SAMPLE)
DAYS = days_from(40)
NOW = datetime(2010, 12, 1, 10, tzinfo=UTC)
DAY = NOW.date()
SIGNED = "signed"


def new_shop(seed: int = 1) -> Shop:
    return Shop(SAMPLE, STATISTICS, DAYS, 5, seed)


def opened(seed: int = 1) -> Shop:
    shop = new_shop(seed)
    assert all(steps for _, steps in shop.opening())
    return shop


def day_of(shop: Shop, day: date) -> list[Step]:
    return [step for _, steps in shop.phases(day) for step in steps]


def of(topic: str, steps: Sequence[Step]) -> list[dict[str, Any]]:
    return [step.data for step in steps if step.topic == topic]


def ship(order_id: str, sku: str, quantity: int, kind: str = "ship", **fields: Any) -> Heard:
    lines = [{"line_id": "1", "sku": sku, "quantity": quantity, "lot": None}]
    data = {"fulfillment_id": f"F-{order_id}", "kind": kind, "order_id": order_id, "location": "MAIN", "lines": lines}
    return Heard("fulfillment", order_id, data | fields)


def told(kind: str, order_id: str, quantity: int, expected_to: str | None = None, **fields: Any) -> Heard:
    line = {"line_id": "1", "sku": "22632", "quantity": quantity, "expected_from": None, "expected_to": expected_to}
    data = {"notification_id": f"N-{kind}", "kind": kind, "order_id": order_id, "customer": {"customer_id": "C-1"}}
    return Heard("customer-notification", order_id, data | {"lines": [line]} | fields)


def asked(kind: str, reason: str, sku: str, quantity: int) -> Heard:
    data = {"procurement_id": f"PR-{sku}", "kind": kind, "reason": reason, "sku": sku, "quantity": quantity}
    return Heard("procurement", sku, data)


def test_the_statistics_are_those_of_the_real_orders() -> None:
    assert (STATISTICS.orders, STATISTICS.days, STATISTICS.orders_per_day) == (268, 2, 134)
    assert (STATISTICS.lines, STATISTICS.units) == (5125, 58236)
    assert (STATISTICS.median_lines, STATISTICS.median_quantity) == (11, 3)
    assert round(sum(STATISTICS.popularity.values()) * 268) == 58236
    assert 50 < typical_day(STATISTICS, days_from(2)) < 70


def test_the_real_days_bring_the_real_orders() -> None:
    days = Days(SAMPLE, chances(1)("days"), 60)
    assert [order for day in days_from(2) for order in days.orders(day)] == SAMPLE


def test_other_days_are_drawn_from_the_real_ones_and_the_same_seed_draws_the_same() -> None:
    found, again, other = ([Days(SAMPLE, chances(seed)("days"), 60).orders(date(2011, 3, 1))] for seed in (1, 1, 2))
    assert found == again != other
    assert {line for order in found[0] for line in order.lines} <= set(pooled_lines(SAMPLE))
    assert len({order.order_id for order in found[0]}) == len(found[0])
    assert {order.placed_at.date() for order in found[0]} == {date(2011, 3, 1)}
    lines = Counter(len(order.lines) for order in SAMPLE)
    assert {len(order.lines) for order in found[0]} <= lines.keys()


def test_a_year_has_its_season_and_the_mean_that_was_asked_for() -> None:
    year = days_from(365)
    assert sum(map(busyness, year)) / 365 == pytest.approx(1, abs=0.02)
    assert busyness(date(2010, 12, 1)) > 2 * busyness(date(2011, 1, 5))
    assert busyness(date(2010, 12, 4)) < busyness(date(2010, 12, 3))


def test_the_same_seed_gives_the_same_shop() -> None:
    first, again, other = ([*opened(seed).phases(DAYS[2])] for seed in (1, 1, 2))
    assert first == again != other


def test_all_that_is_sent_can_be_taken_in() -> None:
    shop = new_shop()
    steps = [step for _, some in shop.opening() for step in some]
    waiting = [told("order_backordered", f"UCI-{number}", 3, "2010-12-04") for number in range(536365, 536465)]
    shop.hear([asked("reorder", "reorder_point", "22632", 50), *waiting], DAYS[0])
    for day in DAYS:
        steps += day_of(shop, day)
    records = [Record(one.topic, 0, 0, one.key, one.value, []) for one in (step.message() for step in steps)]
    assert [found for found in (decode(one, 1_000_000) for one in records) if not isinstance(found, Decoded)] == []
    assert {step.topic for step in steps} == {
        "product-policy-updated",
        "purchase-order-updated",
        "inventory-received",
        "order-created",
        "order-cancelled",
        "order-amended",
        "inventory-adjusted",
    }


def test_what_is_asked_for_is_ordered_and_comes() -> None:
    shop = opened()
    shop.hear([asked("reorder", "reorder_point", "22632", 50)], DAYS[0])
    steps = [step for day in DAYS for step in day_of(shop, day)]
    mine = [
        data
        for data in of("purchase-order-updated", steps)
        if any(line["sku"] == "22632" and line["quantity"] == 50 for line in data["lines"])
    ]
    assert [data["version"] for data in mine] == list(range(1, len(mine) + 1))
    assert mine[-1]["status"] == "closed"
    came = [
        data for data in of("inventory-received", steps) if data["purchase_order_id"] == mine[0]["purchase_order_id"]
    ]
    assert came != []
    assert shop.buying.on_order["22632"] == 0


def test_goods_leave_a_day_after_the_instruction_unless_it_was_revoked() -> None:
    shop = opened()
    before = Counter(shop.warehouse.stock)
    keep, drop = ship("SO-1", "22632", 3), ship("SO-2", "22632", 5)
    shop.hear([keep, drop, ship("SO-2", "22632", 4, "revoke", revokes="F-SO-2")], DAYS[0])
    assert of("shipment-dispatched", day_of(shop, DAYS[0])) == []
    shipments = of("shipment-dispatched", [*day_of(shop, DAYS[1]), *day_of(shop, DAYS[2])])
    assert sorted((one["order_id"], one["lines"][0]["quantity"]) for one in shipments) == [("SO-1", 3), ("SO-2", 1)]
    assert shop.warehouse.units_sent == 4
    assert before["22632", "MAIN"] - shop.warehouse.stock["22632", "MAIN"] == 4


def test_a_revoked_unit_stays_here_whichever_instruction_has_left() -> None:
    shop = opened()
    first, second = (ship("SO-1", "22632", 2, fulfillment_id=f"F-{number}") for number in (1, 2))
    shop.hear([first, second], DAYS[0])
    shop.hear([ship("SO-1", "22632", 3, "revoke", revokes="F-2")], DAYS[0])
    shipments = of("shipment-dispatched", [*day_of(shop, DAYS[1]), *day_of(shop, DAYS[2])])
    assert [one["lines"][0]["quantity"] for one in shipments] == [1]


def test_customers_lose_patience_the_longer_they_wait_and_when_a_promise_is_broken() -> None:
    fresh, old = (Wait(DAY - timedelta(days=days), {}) for days in (1, 20))
    broken = Wait(DAY - timedelta(days=20), {}, DAY - timedelta(days=1))
    assert hazard(fresh, DAY) < hazard(old, DAY) < hazard(broken, DAY) < 1


def test_customers_know_what_they_wait_for() -> None:
    customers = Customers(chances(1))
    customers.hear([told("order_backordered", "SO-1", 5, "2010-12-04")], DAY)
    assert customers.waits["SO-1"] == Wait(DAY, {"1": ("22632", 5)}, date(2010, 12, 4))
    customers.hear([told("backorder_filled", "SO-1", 2), told("expected_date_changed", "SO-1", 3)], DAY)
    assert customers.waits["SO-1"] == Wait(DAY, {"1": ("22632", 3)}, None)
    customers.hear([told("backorder_filled", "SO-1", 3)], DAY)
    assert customers.waits == {}
    customers.hear([told("allocation_lost", "SO-1", 1)], DAY)
    assert customers.units_waiting == 1


def test_some_who_were_turned_away_join_the_waitlist() -> None:
    customers = Customers(chances(1))
    customers.hear([told("order_rejected", f"SO-{number}", 2) for number in range(40)], DAY)
    joined = customers.waitlist(DAY, NOW)
    assert 0 < len(joined) < 40
    assert customers.waitlist(DAY, NOW) == []


def test_a_delay_notice_is_answered_with_its_token_or_not_at_all() -> None:
    customers = Customers(chances(1))
    notices = [
        told("delay_notice", f"SO-{number}", 2, notification_id=f"N-{number}", token=SIGNED) for number in range(80)
    ]
    customers.hear(notices, DAY)
    answers = of("customer-response", customers.answers.given(NOW))
    assert 0 < len(answers) < 80
    assert {answer["choice"] for answer in answers} == {"keep", "cancel"}
    assert {answer["token"] for answer in answers} == {SIGNED}
    assert customers.answers.given(NOW) == []


def test_what_is_offered_instead_is_taken_by_some_who_then_wait_no_more() -> None:
    customers = Customers(chances(1))
    for number in range(80):
        order_id = f"SO-{number}"
        offers = [{"line_id": "1", "sku": sku, "quantity": 2} for sku in ("84029G", "84029E")]
        customers.hear(
            [
                told("order_backordered", order_id, 2),
                told("delay_notice", order_id, 2, notification_id=f"N-{number}", token=SIGNED),
                told("substitute_offered", order_id, 2, substitutes=offers),
            ],
            DAY,
        )
    answers = of("customer-response", customers.answers.given(NOW))
    assert {answer["choice"] for answer in answers} == {"keep", "switch", "cancel"}
    switched = [answer for answer in answers if answer["choice"] == "switch"]
    assert {answer["substitute_sku"] for answer in switched} == {"84029G"}
    filled = told("backorder_filled", switched[0]["order_id"], 2)
    filled.lines[0]["line_id"] = "1/1"
    customers.hear([filled], DAY)
    assert len(customers.waits) == 79


def test_articles_that_differ_in_colour_stand_in_for_each_other() -> None:
    opening = [step for _, steps in new_shop().opening() for step in steps]
    policies = of("product-policy-updated", opening)
    found = {data["sku"]: data["substitutes"] for data in policies if "substitutes" in data}
    assert found["16161M"] == ["16161P"]
    assert 50 < len(found) < 167
    assert all(sku not in others for sku, others in found.items())


def test_only_the_latest_notice_of_a_line_is_answered_and_none_of_what_was_cancelled() -> None:
    customers = Customers(chances(1))
    for number in range(40):
        for name in ("first", "later"):
            notice = told("delay_notice", f"SO-{number}", 2, notification_id=f"N-{name}-{number}", token=name)
            customers.hear([notice], DAY)
    customers.hear([told("order_cancelled", f"SO-{number}", 2) for number in range(20)], DAY)
    answers = of("customer-response", customers.answers.given(NOW))
    assert {answer["token"] for answer in answers} == {"later"}
    assert {int(answer["order_id"][3:]) for answer in answers} <= set(range(20, 40))
    assert len(answers) > 0


def test_answers_come_before_anything_else_that_customers_decide() -> None:
    shop = opened()
    notices = [
        told("delay_notice", f"SO-{number}", 2, notification_id=f"N-{number}", token=SIGNED) for number in range(20)
    ]
    shop.hear(notices, DAYS[0])
    hours = [(now, {step.topic for step in steps}) for now, steps in shop.phases(DAYS[1])]
    answered = [(now, topics) for now, topics in hours if "customer-response" in topics]
    assert [topics for _, topics in answered] == [{"customer-response"}]


def test_the_payment_service_answers_every_request_once() -> None:
    payments = Payments(chances(1))
    requests = [
        Heard("payment", "SO-1", {"payment_request_id": f"PM-{number}", "kind": kind, "order_id": "SO-1"})
        for number, kind in enumerate(["authorize"] * 60 + ["void", "refund"])
    ]
    order = {"order_id": "SO-2", "payment": {"authorization_id": "A-2"}}
    payments.note([Step("order-created", order), Step("order-created", {"order_id": "SO-3"})])
    payments.hear([*requests, told("shipped", "SO-2", 1), told("shipped", "SO-3", 1)])
    statuses = Counter(event["status"] for event in of("payment-updated", payments.events(NOW)))
    assert statuses.keys() == {"authorized", "failed", "voided", "refunded", "captured"}
    assert statuses.total() == 63
    mended = of("payment-updated", payments.events(NOW + timedelta(days=1)))
    assert {event["status"] for event in mended} <= {"authorized"}
    assert len(mended) <= statuses["failed"]
    assert payments.events(NOW) == []


def test_an_order_is_captured_once_and_needs_no_authorization_then() -> None:
    payments = Payments(chances(1))
    payments.note([Step("order-created", {"order_id": "SO-2", "payment": {"authorization_id": "A-2"}})])
    request = Heard("payment", "SO-2", {"payment_request_id": "PM-2", "kind": "authorize", "order_id": "SO-2"})
    payments.hear([told("shipped", "SO-2", 1), request])
    assert [event["status"] for event in of("payment-updated", payments.events(NOW))] == ["captured"]
    payments.hear([told("shipped", "SO-2", 1)])
    assert payments.events(NOW) == []


async def test_a_round_is_quiet_when_no_job_did_anything() -> None:
    left = [Done(more=True), Done(messages=1)]

    async def job(_connection: Any, _rules: Any, _now: datetime) -> Done:
        return left.pop() if left else Done()

    rounds, woken = Rounds({"job": job}), asyncio.Event()
    waiting = asyncio.create_task(rounds.quiet(woken))
    ended = 0
    while not waiting.done() and ended < 20:
        await asyncio.sleep(0)
        if woken.is_set():
            woken.clear()
            for one in rounds.jobs.values():
                await one(None, None, NOW)  # type: ignore[arg-type]  # the job of this test asks nobody
            ended += 1
    assert left == []
    assert waiting.done()
    assert ended >= 3
