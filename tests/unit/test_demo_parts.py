"""The parts of the demonstration that must not deceive: the audit fails when it should, and the picture fits."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import orjson
import pytest
from rich.console import Console

from bo_worker.demo.board import board
from bo_worker.demo.figures import Figures
from bo_worker.demo.purchases import PROMPT, TARDY, TARDY_DAYS_MAX
from bo_worker.demo.retail import changed_orders, load_orders, take
from bo_worker.demo.scenario import build_scenario
from bo_worker.demo.seen import Seen, see
from bo_worker.demo.stage import Stage
from bo_worker.demo.story import Journal, moral, tell
from bo_worker.demo.tally import Outage, Tally
from bo_worker.messages.inbound import Refused, decode
from bo_worker.messages.record import Record

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def event(sequence: int, event_id: str = "", **fields: Any) -> Seen:
    headers = {"ce_sequence": str(sequence), "ce_id": event_id or f"F-{sequence}"}
    data = {"kind": "ship", "location": "NORTH", "lines": [{"line_id": "1", "sku": "A", "quantity": 3}], **fields}
    return Seen("fulfillment", "SO-1", headers, data, AT, AT)


def test_every_message_played_is_one_the_worker_takes_but_for_the_broken_order() -> None:
    orders = take(changed_orders(), 300)
    scenario = build_scenario(orders, 1, AT.date())
    steps = [*chain(*scenario.opening), *scenario.trading]
    values = [orjson.dumps(step.data, option=orjson.OPT_UTC_Z) for step in steps]
    records = [
        Record(step.topic, 0, 0, step.key.encode(), value, []) for step, value in zip(steps, values, strict=True)
    ]
    refused = [record.key for record in records if isinstance(decode(record, 2**20), Refused)]
    assert refused == [b"BROKEN"]
    assert len({order.order_id for order in orders}) == 300


def test_every_truck_is_announced_and_one_is_put_off_before_it_leaves() -> None:
    scenario = build_scenario(take(changed_orders(), 268), 1, AT.date())
    versions: dict[str, list[tuple[int, str]]] = {}
    for step in [*scenario.opening[-1], *scenario.trading]:
        if step.topic == "purchase-order-updated":
            versions.setdefault(step.key, []).append((step.data["version"], step.data["status"]))
        elif step.topic == "inventory-received" and step.key.startswith("TRUCK"):
            versions[step.data["purchase_order_id"]].append((0, "received"))
    straight = [(1, "confirmed"), (3, "in_transit"), (0, "received")]
    put_off = [(1, "confirmed"), (2, "confirmed"), (3, "in_transit"), (0, "received")]
    assert versions.pop("PO-NEXT-1") == [(1, "confirmed")]
    assert sorted(versions.values(), key=len) == [straight] * (len(versions) - 1) + [put_off]


def test_only_one_supplier_is_late_and_never_by_more_than_is_said() -> None:
    scenario = build_scenario(take(changed_orders(), 268), 1, AT.date())
    came_on = {
        step.data["purchase_order_id"]: step.at.date()
        for step in [*chain(*scenario.opening), *scenario.trading]
        if step.topic == "inventory-received"
    }
    late: dict[str, set[int]] = {PROMPT: set(), TARDY: set()}
    for step in chain(*scenario.opening):
        if step.topic == "purchase-order-updated" and step.key in came_on:
            words = [date.fromisoformat(line["expected_to"]) for line in step.data["lines"]]
            late[step.data["supplier_id"]] |= {(came_on[step.key] - word).days for word in words}
    assert late == {PROMPT: {0}, TARDY: set(range(TARDY_DAYS_MAX + 1))}


def test_the_sample_is_played_as_it_is_but_for_how_it_is_served() -> None:
    sample = load_orders()
    played = take(changed_orders(), len(sample))
    assert [(order.order_id, order.placed_at, order.customer_id, order.lines) for order in played] == [
        (order.order_id, order.placed_at, order.customer_id, order.lines) for order in sample
    ]


@pytest.mark.parametrize(
    ("events", "repeated", "faults"),
    [
        ([event(1), event(2)], 0, 0),
        ([event(1), event(2), event(1), event(2), event(3)], 2, 0),
        ([event(1), event(3)], 1, 1),
        ([event(2)], 1, 1),
        ([event(1), event(1, "F-other")], 1, 1),
    ],
    ids=["in order", "published again", "a gap", "the first is missing", "another message under a known number"],
)
def test_a_tally_tells_what_came_again_from_what_is_wrong(events: list[Seen], repeated: int, faults: int) -> None:
    tally = Tally()
    for each in events:
        tally.note(each)
    assert (tally.repeated, len(tally.faults)) == (repeated, faults)


def test_the_time_to_an_answer_leaves_out_what_an_outage_touches() -> None:
    outage = Outage(0, AT, AT + timedelta(seconds=6))
    second = timedelta(seconds=1)
    assert not outage.touches(AT - 2 * second, AT - second)
    assert outage.touches(AT - second, AT + 7 * second)
    assert outage.touches(AT + 5 * second, AT + 7 * second)
    assert not outage.touches(AT + 7 * second, AT + 8 * second)
    assert Outage(0, AT).touches(AT + 99 * second, AT + 99 * second)


def test_what_the_worker_will_refuse_is_seen_without_data() -> None:
    record = Record("order-created", 0, 0, b"SO-1", b'{"order_id": 7}', [("ce_time", b"yesterday")])
    assert see(record, AT) == Seen("order-created", "SO-1", {"ce_time": "yesterday"}, {}, AT, AT)


def test_a_journal_without_backorder_has_no_story() -> None:
    journal = Journal()
    journal.note(event(1))
    assert journal.best_story() == []


def test_the_story_sets_the_days_that_were_told_beside_the_word_of_the_supplier() -> None:
    journal = Journal()
    for seen in backorder_with_days():
        journal.note(seen)
    story = journal.best_story()
    assert story[0].topic == "purchase-order-updated"
    assert moral(story, None).startswith(
        "The supplier said 22 Nov. The customer was told 25 Nov as it had been late before, then 27 Nov as it put "
        "that off. The truck came on 24 Nov. C-1 waited 72 h 00 min"
    )
    console = Console(width=100, color_system=None)
    with console.capture() as drawing:
        console.print(tell(story))
    told = ("order_backordered: 3\u00a0\u00d7\u00a0A, by 25 Nov", "cross_dock_plan, PO-1: 3", "by 27 Nov")
    assert [part for part in told if part not in drawing.get()] == []


def backorder_with_days() -> list[Seen]:
    """An order that waits for a purchase order which is put off, and is served from its truck."""

    def line(day: str | None = None) -> list[dict[str, Any]]:
        return [{"line_id": "1", "sku": "A", "quantity": 3, "expected_to": day}]

    def told(sequence: int, topic: str, **fields: Any) -> Seen:
        data = {"location": "SOUTH", "lines": line(), **fields}
        return Seen(topic, "SO-1", {"ce_sequence": str(sequence), "ce_id": f"E-{sequence}"}, data, AT, AT)

    ordered = {"order_id": "SO-1", "placed_at": AT.isoformat(), "customer": {"customer_id": "C-1"}, "lines": line()}
    supply = {"supplier_id": "SUP", "version": 1, "status": "confirmed", "lines": line("2026-11-22")}
    came = (AT + timedelta(days=3)).isoformat()
    receipt: dict[str, Any] = {
        "receipt_id": "R-1",
        "purchase_order_id": "PO-1",
        "location": "SOUTH",
        "dock_door": "D1",
    }
    receipt |= {"received_at": came, "lines": line()}
    dock = {"receipt_id": "R-1", "dock_door": "D1", "completes_order": True}
    return [
        Seen("purchase-order-updated", "PO-1", {}, supply, AT - timedelta(seconds=1), AT),
        Seen("order-created", "SO-1", {}, ordered, AT, AT),
        told(1, "customer-notification", kind="order_backordered", lines=line("2026-11-25")),
        told(2, "customer-notification", kind="expected_date_changed", lines=line("2026-11-27")),
        told(1, "fulfillment", kind="cross_dock_plan", purchase_order_id="PO-1", status="planned"),
        Seen("inventory-received", "R-1", {}, receipt, AT, AT),
        told(2, "fulfillment", kind="cross_dock", **dock),
        told(3, "customer-notification", kind="backorder_filled"),
    ]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 40), (60, 18)])
def test_the_board_fits_the_terminal_and_loses_no_figure_at_80_columns(width: int, height: int) -> None:
    stage = Stage(12345)
    stage.begin("trading", 12_000)
    stage.figures = Figures(orders=12_345, ordered=9_876_543, filled=8_765_432, waiting=1_111_111)
    stage.tally.units.update(ship=7_654_321, cross_dock=1_111_111)
    stage.tally.shop_time = AT
    for number in range(50):
        stage.tell(f"{number} " + "very long " * 20)
    console = Console(width=width, height=height, force_terminal=True, color_system=None)
    with console.capture() as drawing:
        console.print(board(stage, height))
    lines = drawing.get().splitlines()
    assert len(lines) <= max(21, height - 1)
    assert {len(line) for line in lines} == {width}
    if width >= 80:
        assert all(figure in drawing.get() for figure in ("12,345", "9,876,543", "1,111,111", "7,654,321", "88.8%"))
