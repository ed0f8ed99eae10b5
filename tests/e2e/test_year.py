"""A few days of the year as a newcomer runs it, and a day that does not come out right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import build
from bo_worker.messages.inbound import Decoded, decode
from bo_worker.stack.servers import DATABASE_VARIABLE, KAFKA_VARIABLE
from bo_worker.year.day_end import differences
from command import command
from ledger import ledger

if TYPE_CHECKING:
    from pathlib import Path

    from bo_worker.stack.servers import Servers


async def test_a_few_days_are_played_audited_and_reported(stack: Servers, tmp_path: Path) -> None:
    given = {KAFKA_VARIABLE: stack.bootstrap_servers, DATABASE_VARIABLE: stack.database_url}
    file = tmp_path / "year.html"
    ended = await command("year", "--days", "5", "--orders-per-day", "5", "--html", str(file), given=given)
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "268 real orders of 2 days" in ended.out
    month = next(line.split() for line in ended.out.splitlines() if line.startswith("2010-12"))
    assert int(month[1]) > 268
    assert month[8] == "5"
    assert "From 2010-12-01 to 2010-12-05 (UTC), as of 2010-12-05 23:30 UTC" in ended.out
    assert "Every day of the year held." in ended.out
    assert "Backorder report" in file.read_text()


async def test_a_difference_of_account_and_building_is_found(database_url: str) -> None:
    async with ledger(database_url) as books:
        received = decode(build.record("inventory-received", build.receipt()), 1_000_000)
        assert isinstance(received, Decoded)
        await books.apply(received)
        connection = await books.connection()
        assert await differences(connection, {("SKU-1", "WH1"): 10, ("SKU-2", "WH1"): 0}) == []
        assert await differences(connection, {("SKU-1", "WH1"): 9, ("SKU-2", "WH1"): 1}) == [
            "SKU-1 at WH1: 9 in the building, 10 in the account",
            "SKU-2 at WH1: 1 in the building, 0 in the account",
        ]
        await connection.execute("update bo_worker.product set waiting = 3 where sku = 'SKU-1'")
        assert len(await differences(connection, {("SKU-1", "WH1"): 10})) == 2
