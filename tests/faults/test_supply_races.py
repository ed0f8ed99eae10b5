"""Receipts, purchase orders and the sweep at once on one database: what one counts, no other one overwrites."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import build
from bo_worker.store.audit import audit
from direct import direct_workers
from world import message, received

if TYPE_CHECKING:
    from bo_worker.messages.record import Message

ROUNDS = 30


def truck(n: int) -> Message:
    line = build.purchase_order_line("1", "SKU-1", 10)
    return message("purchase-order-updated", build.purchase_order(f"PO-{n}", lines=[line]))


def came(name: str, n: int, quantity: int = 1) -> Message:
    line = build.receipt_line("1", "SKU-1", quantity)
    return received(build.receipt(name, lines=[line], purchase_order_id=f"PO-{n}"))


async def test_of_two_receipts_for_a_purchase_order_that_nobody_announced_both_are_counted(
    database_url: str,
) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        await one.apply(received(build.receipt("R", lines=[build.receipt_line()])))
        for n in range(ROUNDS):
            await asyncio.gather(one.apply(came(f"A-{n}", n)), two.apply(came(f"B-{n}", n, 2)))
        units = await connection.fetch(
            "select sum(received)::int as units from bo_worker.supply group by purchase_order_id"
        )
        assert [row["units"] for row in units] == [3] * ROUNDS
        assert await audit(connection) == []


async def test_a_receipt_beside_the_announcement_of_its_purchase_order_leaves_both_true(database_url: str) -> None:
    async with direct_workers(database_url, 2) as (connection, (one, two)):
        await one.apply(received(build.receipt("R", lines=[build.receipt_line()])))
        for n in range(ROUNDS):
            await asyncio.gather(one.apply(truck(n)), two.apply(came(f"R-{n}", n)))
        rows = await connection.fetch(
            "select version, sum(quantity)::int as ordered, sum(received)::int as received"
            " from bo_worker.purchase_order join bo_worker.supply using (purchase_order_id)"
            " group by purchase_order_id, version"
        )
        assert [tuple(row) for row in rows] == [(1, 10, 1)] * ROUNDS
        assert await connection.fetchval("select incoming from bo_worker.product") == 9 * ROUNDS
        assert await audit(connection) == []
