"""A correction that takes more claims than one transaction may serve, where units lie free elsewhere."""

from __future__ import annotations

from typing import Any

import orjson

import build
from bo_worker.messages.record import Message
from direct import direct_workers
from world import placed, received


async def test_all_who_lose_their_units_are_served_from_elsewhere_though_others_wait_for_a_third_location(
    database_url: str,
) -> None:
    async with direct_workers(database_url, 1, fill_lines_max=10) as (connection, (worker,)):
        await worker.claim(connection, "inventory-adjusted")
        await worker.apply(received(_receipt("R-A", "A", 40)))
        await worker.apply(*(placed(_order(f"SO-{number:02}")) for number in range(40)))
        await worker.apply(placed(_order("SO-C", location="C")))
        await worker.apply(received(_receipt("R-B", "B", 100)))
        correction = build.adjustment(location="A", quantity_delta=-30)
        await worker.apply(Message("inventory-adjusted", b"SKU-1", orjson.dumps(correction), []))
        await worker.relay()
        stock = await connection.fetch("select location, on_hand, allocated from bo_worker.stock order by location")
        waiting = await connection.fetch("select order_id from bo_worker.order_line where backordered > 0")
    assert [tuple(row) for row in stock] == [("A", 10, 10), ("B", 100, 30)]
    assert [tuple(row) for row in waiting] == [("SO-C",)]
    told = [orjson.loads(message.value or b"") for message in worker.published.messages]
    kinds = [data["kind"] for data in told if "kind" in data]
    assert (kinds.count("revoke"), kinds.count("backorder_filled"), kinds.count("allocation_lost")) == (30, 0, 0)


def _order(order_id: str, **fields: Any) -> build.Data:
    return build.order(order_id, lines=[build.order_line(quantity=1, **fields)])


def _receipt(receipt_id: str, location: str, quantity: int) -> build.Data:
    return build.receipt(receipt_id, location=location, lines=[build.receipt_line(quantity=quantity)])
