"""Whether the account is true: the database, the messages and the rules must agree, unit by unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from bo_worker.demo.evidence import Evidence
    from bo_worker.demo.figures import Account
    from bo_worker.demo.tally import Tally

STOCK = "select sku, location, on_hand, allocated from bo_worker.stock_status"
CLAIMED = """
select sku, location, sum(held + released)::bigint as claimed from bo_worker.allocation_status group by sku, location
"""
RELEASED = "select order_id, line_id, location, released from bo_worker.allocation_status where released > 0"
ORDERS = "select distinct order_id from bo_worker.order_line_status"
WAITING_BESIDE_FREE_UNITS = """
select line.order_id, line.line_id
from bo_worker.order_line_status as line
join bo_worker.stock_status as stock using (sku)
where line.backordered > 0 and stock.available > 0 and coalesce(line.location, stock.location) = stock.location
"""

DAYS = "select order_id, line_id, expected_to::text from bo_worker.order_line_status where backordered > 0"


class Finding(NamedTuple):
    """Whether something holds, and the sentence that says so with its numbers."""

    holds: bool
    sentence: str


async def check(account: Account, evidence: Evidence, tally: Tally) -> list[Finding]:
    """Check everything. Nothing may be under way, and nothing shipped or corrected."""
    return [
        await _orders(account, evidence, tally),
        await _stock(account, evidence),
        await _claims(account),
        await _queue(account),
        await _days(account, evidence),
        _dock(evidence),
        await _instructions(account, evidence),
        _sequences(tally),
    ]


async def _orders(account: Account, evidence: Evidence, tally: Tally) -> Finding:
    known = {row["order_id"] for row in await account.fetch(ORDERS)}
    holds = known == tally.orders_sent == evidence.answers.keys()
    again = f", {tally.orders_again} sent twice without effect" if tally.orders_again else ""
    return Finding(holds, f"{len(known):,} of {len(tally.orders_sent):,} orders taken in and answered{again}")


async def _stock(account: Account, evidence: Evidence) -> Finding:
    on_hand = {(row["sku"], row["location"]): row["on_hand"] for row in await account.fetch(STOCK) if row["on_hand"]}
    received, stored = sum(evidence.received.values()), sum(on_hand.values())
    return Finding(
        on_hand == evidence.received,
        f"{received:,} units received = {stored:,} on hand, article by article (none shipped)",
    )


async def _claims(account: Account) -> Finding:
    claimed = {(row["sku"], row["location"]): row["claimed"] for row in await account.fetch(CLAIMED)}
    rows = await account.fetch(STOCK)
    holds = all(
        0 <= row["allocated"] <= row["on_hand"] and row["allocated"] == claimed.get((row["sku"], row["location"]), 0)
        for row in rows
    )
    allocated = sum(row["allocated"] for row in rows)
    return Finding(holds, f"{allocated:,} units allocated, nowhere more than on hand, all claimed by order lines")


async def _queue(account: Account) -> Finding:
    passed_over = await account.fetch(WAITING_BESIDE_FREE_UNITS)
    return Finding(not passed_over, "nobody waits for an article of which usable stock is free")


async def _days(account: Account, evidence: Evidence) -> Finding:
    days = {(row["order_id"], row["line_id"]): row["expected_to"] for row in await account.fetch(DAYS)}
    holds = all(evidence.told.get(line) == day for line, day in days.items())
    dated = sum(day is not None for day in days.values())
    return Finding(
        holds,
        f"{dated:,} of {len(days):,} waiting lines have a promised day, each the one its customer was told last",
    )


def _dock(evidence: Evidence) -> Finding:
    units = sum(evidence.moved.values())
    return Finding(
        evidence.moved == evidence.arrived,
        f"{units:,} units cross-docked or put away, of each receipt as many as arrived",
    )


async def _instructions(account: Account, evidence: Evidence) -> Finding:
    rows = await account.fetch(RELEASED)
    released = {(row["order_id"], row["line_id"], row["location"]): row["released"] for row in rows}
    units = sum(evidence.released.values())
    return Finding(released == evidence.released, f"{units:,} units in instructions to send them, and in the account")


def _sequences(tally: Tally) -> Finding:
    again = f"; {tally.repeated} came again and had the same ce_id" if tally.repeated else ""
    return Finding(not tally.faults, f"ce_sequence without a gap for {tally.keys:,} topics and keys{again}")
