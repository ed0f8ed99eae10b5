"""What reads everything may take longer than any other statement of its connection."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from bo_worker.store.audit import audit
from bo_worker.store.shop import Period, report_shop
from ledger import NOW, ledger

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def report(connection: asyncpg.Connection) -> dict[str, Any]:
    return await report_shop(connection, Period.until(NOW.date()), NOW)


@pytest.mark.parametrize("read", [audit, report])
async def test_it_ends_though_others_were_cut_off_meanwhile(
    database_url: str, read: Callable[[asyncpg.Connection], Awaitable[Any]]
) -> None:
    async with ledger(database_url) as books:
        holder = await books.connection()
        reader, other = [await asyncpg.connect(database_url, command_timeout=0.5) for _ in range(2)]
        try:
            async with holder.transaction():
                await holder.execute("lock table bo_worker.journal in access exclusive mode")
                reading = asyncio.ensure_future(read(reader))
                # The first may be cut off before the reader has come to the journal, the second comes after it.
                for _ in range(2):
                    with pytest.raises(TimeoutError):
                        await other.fetch("select from bo_worker.journal")
                assert not reading.done()
            found = await reading
            assert found == [] or found["waiting"]["lines"] == 0
        finally:
            await reader.close()
            await other.close()
