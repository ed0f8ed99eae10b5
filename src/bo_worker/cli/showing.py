"""`show order` and `show sku`: what the database says, for people and for programs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bo_worker.cli.explaining import print_reasons
from bo_worker.cli.failures import CommandFailedError
from bo_worker.cli.output import dump_json, print_json, print_line, print_table, quiet_logs, wait_s
from bo_worker.store.database import reach
from bo_worker.store.evidence import report_evidence
from bo_worker.store.explaining import report_order_with_reasons
from bo_worker.store.reports import report_order, report_product

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    import asyncpg

    from bo_worker.config import Settings
    from bo_worker.store.reports import Report

_HEAD = ("placed_at", "received_at", "priority", "ship_complete", "need_by", "ship_to_country", "customer_id")
_BUCKETS = ("quantity", "backordered", "held", "released", "shipped", "cancelled", "rejected")
_CLAIM = ("location", "held", "released", "shipped", "fulfillment_id", "lot", "receipt_id")
_NOTICE = (
    "number", "line_id", "told_at", "reason", "agreed_to", "new_to", "respond_by", "silence", "answer", "answered_at",
    "outcome", "ended_at",
)  # fmt: skip
_REFUSED = ("response_id", "line_id", "choice", "substitute_sku", "responded_at", "received_at", "error")
_STOCK = ("location", "on_hand", "allocated", "safety_stock", "available")
_SUPPLY = (
    "purchase_order_id", "line_id", "location", "status", "open", "expected_from", "expected_to", "promised_on",
    "overdue",
)  # fmt: skip
_ORDER_HISTORY = ("at", "change", "quantity", "line_id", "sku", "location", "via", "cause")
_SKU_HISTORY = ("at", "change", "quantity", "location", "order_id", "via", "cause")
_QUEUE = ("rank", "order_id", "line_id", "backordered", "priority", "placed_at", "expected_from", "expected_to")


def print_order(settings: Settings, order_id: str, *, why: bool, as_json: bool) -> None:
    """Print an order, and with `why` the reasons of what became of its lines.

    Raises:
        CommandFailedError: there is none with this id.
    """
    ask = report_order_with_reasons if why else report_order
    order = _report(settings, ask, order_id, f"there is no order {order_id}")
    if as_json:
        print_json(order)
        return
    print_table(f"Order {order_id}", ("", ""), ((name, order[name]) for name in _HEAD))
    if order["payment"] is not None:
        print_table("Payment", ("", ""), order["payment"].items())
    lines = order["lines"]
    columns = ("line_id", "sku", "location", *_BUCKETS)
    print_table("Lines", (*columns, "rank", "expected"), (_line(line, columns) for line in lines))
    claims = ((line["line_id"], *_pick(claim, _CLAIM)) for line in lines for claim in line["allocations"])
    print_table("Allocations", ("line_id", *_CLAIM), claims)
    print_table("Notices", _NOTICE, (_pick(notice, _NOTICE) for notice in order["notices"]))
    print_table("Refused answers", _REFUSED, (_pick(answer, _REFUSED) for answer in order["refused_answers"]))
    print_table("History", _ORDER_HISTORY, (_pick(entry, _ORDER_HISTORY) for entry in order["history"]))
    if why:
        print_reasons(order)


def export_order(settings: Settings, order_id: str, file: Path) -> None:
    """Write all that is known of an order to a file, as JSON; it holds the customer's data.

    Raises:
        CommandFailedError: there is no order with this id, or the file can't be written.
    """
    evidence = _report(settings, report_evidence, order_id, f"there is no order {order_id}")
    try:
        file.write_bytes(dump_json(evidence))
    except OSError as error:
        raise CommandFailedError(f"{file} can't be written: {error.strerror}") from error
    print_line(f"All that is known of order {order_id} is in {file}.")


def print_product(settings: Settings, sku: str, *, as_json: bool) -> None:
    """Print a product.

    Raises:
        CommandFailedError: it was never heard of.
    """
    product = _report(settings, report_product, sku, f"there is no product {sku}")
    if as_json:
        print_json(product)
        return
    units, lines = product["waiting_units"], product["waiting_lines"]
    print_line(f"{sku}: {units} units wait on {lines} lines")
    if product["waitlist_untold"]:
        print_line(f"{product['waitlist_untold']} of its waitlist are still to be told")
    print_table("Stock", _STOCK, (_pick(stock, _STOCK) for stock in product["stock"]))
    print_table("On its way", _SUPPLY, (_pick(line, _SUPPLY) for line in product["supply"]))
    print_table("Head of the queue", _QUEUE, (_pick(line, _QUEUE) for line in product["queue"]))
    print_table("Policy", ("", ""), (product["policy"] or {}).items())
    print_table("Latest history", _SKU_HISTORY, (_pick(entry, _SKU_HISTORY) for entry in product["history"]))


def _report(
    settings: Settings,
    ask: Callable[[asyncpg.Connection, str], Awaitable[Report | None]],
    name: str,
    unknown: str,
) -> Report:
    quiet_logs()
    found = asyncio.run(_ask(settings, ask, name))
    if found is None:
        raise CommandFailedError(unknown)
    return found


async def _ask(
    settings: Settings, ask: Callable[[asyncpg.Connection, str], Awaitable[Report | None]], name: str
) -> Report | None:
    connection = await reach(settings, "show", wait_s(settings))
    try:
        return await ask(connection, name)
    finally:
        await connection.close()


def _line(line: Report, columns: Sequence[str]) -> list[Any]:
    queue = line["queue"]
    rank = f"{queue['rank']} of {queue['waiting_lines']}" if queue else None
    expected = f"{line['expected_from']} to {line['expected_to']}" if line["expected_from"] else None
    return [*_pick(line, columns), rank, expected]


def _pick(row: Report, names: Sequence[str]) -> list[Any]:
    return [row[name] for name in names]
