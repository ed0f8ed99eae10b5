"""The story of one backorder, from the order to the dock to the door, told with the messages themselves."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bo_worker.demo.seen import Seen

GOOD_EVENT_COUNT, GOOD_LINE_COUNT = 5, 8
TIMES = "\u00a0\u00d7\u00a0"  # not to be torn apart at the end of a line
PROMPT = timedelta(seconds=1)


class Journal:
    """Remembers every message about orders and receipts."""

    def __init__(self) -> None:
        self._orders: defaultdict[str, list[Seen]] = defaultdict(list)
        self._receipts: dict[str, Seen] = {}

    def note(self, seen: Seen) -> None:
        """Remember a message."""
        if seen.topic == "inventory-received":
            self._receipts[seen.key] = seen
        elif seen.kind != "put_away" and not seen.is_dead_letter:
            self._orders[seen.key].append(seen)

    def best_story(self) -> list[Seen]:
        """All messages of an order that waited and was served from the dock, in time; empty if there is none."""
        told = [messages for messages in self._orders.values() if _is_a_story(messages)]
        if not told:
            return []
        best = min(told, key=_dullness)
        receipt_ids = {seen.data["receipt_id"] for seen in best if seen.kind == "cross_dock"}
        messages = [*best, *(self._receipts[each] for each in sorted(receipt_ids))]
        return sorted(
            messages, key=lambda seen: (seen.sent_at, seen.sequence > 0, seen.topic != "fulfillment", seen.sequence)
        )


def _is_a_story(messages: Iterable[Seen]) -> bool:
    kinds = [seen.kind for seen in messages]
    return {"", "order_backordered", "cross_dock", "backorder_filled"} <= set(kinds) and kinds.count("") == 1


def _dullness(messages: Sequence[Seen]) -> tuple[object, ...]:
    """Best is an order of some lines, part of which ships at once, and which one truck completes."""
    completed = any(seen.kind == "cross_dock" and seen.data["completes_order"] for seen in messages)
    shipped_first = any(seen.kind == "ship" for seen in messages)
    line_count = max(len(seen.lines) for seen in messages)
    too_long = abs(len(messages) - GOOD_EVENT_COUNT)
    return not completed, not shipped_first, too_long, abs(line_count - GOOD_LINE_COUNT)


def tell(messages: Sequence[Seen]) -> Table:
    """The messages as a table: inputs with their time, events with what passed since the input before them."""
    table = Table(box=None, padding=(0, 1), show_header=False, expand=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column()
    receipts = {seen.key: seen for seen in messages if seen.topic == "inventory-received"}
    wanted = {line["sku"] for seen in messages if seen.kind == "cross_dock" for line in seen.lines}
    cause_at = messages[0].sent_at
    for seen in messages:
        if seen.sequence:
            passed_ms = (seen.sent_at - cause_at).total_seconds() * 1000
            table.add_row(Text(f"+{passed_ms:,.0f} ms", "dim"), _name(seen), _event(seen, receipts))
        else:
            cause_at = seen.sent_at
            table.add_row(_clock(seen.sent_at), _name(seen), _input(seen, wanted))
    return table


def moral(messages: Sequence[Seen]) -> str:
    """How long it took, in the shop's time and in ours."""
    order = next(seen for seen in messages if seen.topic == "order-created")
    last = next(seen for seen in reversed(messages) if seen.topic == "inventory-received")
    waited = datetime.fromisoformat(last.data["received_at"]) - datetime.fromisoformat(order.data["placed_at"])
    hours, minutes = divmod(round(waited.total_seconds() / 60), 60)
    dock_ms = (messages[-1].sent_at - last.sent_at).total_seconds() * 1000
    customer_id = order.data["customer"]["customer_id"]
    return (
        f"{customer_id} waited {hours} h {minutes:02} min of the shop's time for the truck. "
        f"{dock_ms:,.0f} ms after it was reported, the dock and the customer knew."
    )


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
    shown = _goods([line for line in seen.lines if line["sku"] in wanted])
    others = f" and {more:,} other articles" if (more := len(seen.lines) - len(wanted)) > 0 else ""
    place = f" at {data['location']}, door {data['dock_door']}: "
    return Text.assemble((data["receipt_id"], "bold"), place, shown, others)


def _event(seen: Seen, receipts: dict[str, Seen]) -> Text:
    done = {True: ", order complete", False: "", None: ""}
    match seen.kind:
        case "ship":
            place, style = f" from {seen.data['location']}", "green"
        case "cross_dock":
            receipt = receipts[seen.data["receipt_id"]]
            place, style = f" {receipt.key} from door {seen.data['dock_door']}", "green"
        case _:
            place, style = "", "yellow" if seen.kind == "order_backordered" else "green"
    completes = done[seen.data.get("completes_order")]
    return Text.assemble((seen.kind, style), f"{place}: {_goods(seen.lines)}{completes}")


def _goods(lines: Sequence[dict[str, Any]]) -> str:
    if len(lines) > 2:
        return f"{sum(line['quantity'] for line in lines):,} units of {len(lines)} lines"
    return " and ".join(map(_article, lines))


def _article(line: dict[str, Any]) -> str:
    lot = f" of lot {line['lot']}" if line.get("lot") else ""
    return f"{line['quantity']:,}{TIMES}{line['sku']}{lot}"
