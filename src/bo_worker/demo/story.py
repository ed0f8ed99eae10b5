"""The story of one backorder, from the promised day to the dock to the door, told with the messages themselves."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from bo_worker.demo.seen import day_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bo_worker.demo.seen import Seen
    from bo_worker.demo.tally import Outage

GOOD_MESSAGE_COUNT, GOOD_LINE_COUNT = 10, 8
PROMPT_MS = 500
TOPICS_OF_ORDERS = {"order-created", "customer-notification", "fulfillment"}
WAITS = {"order_backordered", "expected_date_changed"}
CAUSES = {"order-created", "inventory-received"}
SWEPT = {"expected_date_changed", "cross_dock_plan"}  # told by the sweep, so not at once
TIMES = "\u00a0\u00d7\u00a0"  # not to be torn apart at the end of a line


class Journal:
    """Remembers every message about orders and receipts."""

    def __init__(self) -> None:
        self._orders: defaultdict[str, list[Seen]] = defaultdict(list)
        self._receipts: dict[str, Seen] = {}
        self._purchase_orders: defaultdict[str, list[Seen]] = defaultdict(list)

    def note(self, seen: Seen) -> None:
        """Remember a message."""
        if seen.topic == "inventory-received":
            self._receipts[seen.key] = seen
        elif seen.topic == "purchase-order-updated":
            self._purchase_orders[seen.key].append(seen)
        elif seen.topic in TOPICS_OF_ORDERS:
            self._orders[seen.key].append(seen)

    def best_story(self) -> list[Seen]:
        """All messages of an order that waited and was served from the dock, in time; empty if there is none."""
        stories = (self._whole(messages) for messages in self._orders.values() if _is_a_story(messages))
        return min(stories, key=_dullness, default=[])

    def _whole(self, messages: Sequence[Seen]) -> list[Seen]:
        """The messages with the receipts they speak of, and these with theirs; what was the cause stands first."""
        receipt_ids = {seen.data["receipt_id"] for seen in messages if seen.kind == "cross_dock"}
        receipts = [self._receipts[receipt_id] for receipt_id in receipt_ids]
        bought = {receipt.data["purchase_order_id"] for receipt in receipts}
        versions = (version for purchase_order_id in bought for version in self._purchase_orders[purchase_order_id])
        whole = [*messages, *receipts, *versions]
        return sorted(whole, key=lambda seen: (seen.sent_at, seen.sequence > 0, seen.topic != "fulfillment"))


def _is_a_story(messages: Iterable[Seen]) -> bool:
    kinds = [seen.kind for seen in messages]
    return {"", "order_backordered", "cross_dock", "backorder_filled"} <= set(kinds) and kinds.count("") == 1


def _dullness(messages: Sequence[Seen]) -> tuple[object, ...]:
    """Best is an order of some lines, part of which ships at once, and the rest with one truck, as was promised."""
    answered_late = max(_passed_ms(messages)) > PROMPT_MS
    completed = any(seen.kind == "cross_dock" and seen.data["completes_order"] for seen in messages)
    shipped_first = any(seen.kind == "ship" for seen in messages)
    line_count = max(len(seen.lines) for seen in messages if seen.topic == "order-created")
    too_long = abs(len(messages) - GOOD_MESSAGE_COUNT)
    told = {seen.kind: seen.day for seen in messages if seen.topic == "customer-notification"}
    undated, unchanged = told["order_backordered"] is None, told.get("expected_date_changed") is None
    planned = {seen.data["purchase_order_id"] for seen in messages if seen.kind == "cross_dock_plan"}
    unplanned = planned != {seen.key for seen in messages if seen.topic == "purchase-order-updated"}
    return (
        answered_late,
        undated,
        unplanned,
        unchanged,
        not completed,
        not shipped_first,
        too_long,
        abs(line_count - GOOD_LINE_COUNT),
    )


def _passed_ms(messages: Sequence[Seen]) -> Iterator[float]:
    """What passed since the cause before, for each event that follows at once; 0 for all others."""
    cause_at = messages[0].sent_at
    for seen in messages:
        cause_at = seen.sent_at if seen.topic in CAUSES else cause_at
        yield (seen.sent_at - cause_at).total_seconds() * 1000 if _is_prompt(seen) else 0.0


def _is_prompt(seen: Seen) -> bool:
    return seen.sequence > 0 and seen.kind not in SWEPT


def tell(messages: Sequence[Seen]) -> Table:
    """The messages as a table: with their time, or with what passed since the order or truck that they answer."""
    table = Table(box=None, padding=(0, 1), header_style="dim")
    table.add_column("sent", justify="right", no_wrap=True)
    table.add_column("topic, ce_sequence", no_wrap=True)
    table.add_column("what it says")
    wanted = {line["sku"] for seen in messages if seen.kind == "cross_dock" for line in seen.lines}
    for seen, passed_ms in zip(messages, _passed_ms(messages), strict=True):
        if _is_prompt(seen):
            table.add_row(Text(f"+{passed_ms:,.0f} ms", "dim"), _name(seen), _event(seen))
        else:
            said = _event(seen) if seen.sequence else _input(seen, wanted)
            table.add_row(_clock(seen.sent_at), _name(seen), said)
    return table


def moral(messages: Sequence[Seen], outage: Outage | None) -> str:
    """What was promised, and how long it took, in the shop's time and in ours."""
    order = next(seen for seen in messages if seen.topic == "order-created")
    last = next(seen for seen in reversed(messages) if seen.topic == "inventory-received")
    waited = datetime.fromisoformat(last.data["received_at"]) - datetime.fromisoformat(order.data["placed_at"])
    hours, minutes = divmod(round(waited.total_seconds() / 60), 60)
    read_at = max(seen.read_at for seen in messages)
    read_ms = (read_at - last.sent_at).total_seconds() * 1000
    why = " (part of that time there was no worker)" if outage and outage.touches(last.sent_at, read_at) else ""
    customer_id = order.data["customer"]["customer_id"]
    return (
        f"{_promised(messages)}{customer_id} waited {hours} h {minutes:02} min of the shop's time for the truck. "
        f"{read_ms:,.0f} ms after the truck was reported, a subscriber had read who gets what{why}."
    )


def _promised(messages: Sequence[Seen]) -> str:
    """The supplier's first word, the days told, and the day of the last truck, for what that truck brought."""
    last = next(seen for seen in reversed(messages) if seen.topic == "inventory-received")
    brought = {line["sku"] for line in last.lines}
    told = [day for seen in messages if seen.kind in WAITS for day in _days(seen, brought)]
    word = next((seen.day for seen in messages if seen.key == last.data["purchase_order_id"]), None)
    if not told or word is None:
        return ""
    why = " as it had been late before" if told[0] > word else ""
    moved = f", then {day_name(told[-1])} as it put that off" if told[-1] > told[0] else ""
    came_on = day_name(datetime.fromisoformat(last.data["received_at"]).date())
    return (
        f"The supplier said {day_name(word)}. The customer was told {day_name(told[0])}{why}{moved}. The truck came "
        f"on {came_on}. "
    )


def _days(seen: Seen, skus: set[str]) -> list[str]:
    """The last day that a notification names for the SKUs, if it names one."""
    days = [line["expected_to"] for line in seen.lines if line["sku"] in skus and line["expected_to"]]
    return [max(days)] if days else []


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def _name(seen: Seen) -> Text:
    if not seen.sequence:
        return Text(seen.topic, "bold cyan")
    return Text.assemble(seen.topic, (f" {seen.sequence}", "dim"))


def _input(seen: Seen, wanted: set[str]) -> Text:
    data = seen.data
    if seen.topic == "order-created":
        return Text.assemble(
            (data["order_id"], "bold"),
            f": {data['customer']['customer_id']} orders {seen.units:,} units on {len(seen.lines)} lines",
        )
    if seen.topic == "purchase-order-updated":
        version, day = data["version"], day_name(seen.day or "")
        return Text.assemble(
            (seen.key, "bold"), f" of {data['supplier_id']}, version {version}, {data['status']}: comes on {day}"
        )
    shown = _goods([line for line in seen.lines if line["sku"] in wanted])
    others = f" and {more:,} other articles" if (more := len(seen.lines) - len(wanted)) > 0 else ""
    place = f" for {data['purchase_order_id']}, {data['location']}, door {data['dock_door']}: "
    return Text.assemble((data["receipt_id"], "bold"), place, shown, others)


def _event(seen: Seen) -> Text:
    completes = ", order complete" if seen.data.get("completes_order") else ""
    until = _until(seen) if seen.kind in WAITS else ""
    match seen.kind:
        case "ship":
            place, style = f" from {seen.data['location']}", "green"
        case "cross_dock":
            place, style = f" from {seen.data['receipt_id']}, door {seen.data['dock_door']}", "green"
        case "cross_dock_plan":
            withdrawn = " withdrawn" if seen.data["status"] == "withdrawn" else ""
            place, style = f"{withdrawn}, {seen.data['purchase_order_id']}", "cyan"
        case _:
            place, style = "", "yellow" if seen.kind in WAITS else "green"
    return Text.assemble((seen.kind, style), f"{place}: {_goods(seen.lines)}{completes}{until}")


def _until(seen: Seen) -> str:
    return f", by {day_name(seen.day)}" if seen.day else ", day unknown"


def _goods(lines: Sequence[dict[str, Any]]) -> str:
    if len(lines) > 2:
        return f"{sum(line['quantity'] for line in lines):,} units of {len(lines)} lines"
    return " and ".join(map(_article, lines))


def _article(line: dict[str, Any]) -> str:
    lot = f" of lot {line['lot']}" if line.get("lot") else ""
    return f"{line['quantity']:,}{TIMES}{line['sku']}{lot}"
