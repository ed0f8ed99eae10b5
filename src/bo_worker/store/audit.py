"""The audit of the account: every counter recomputed from the rows it counts, and from the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bo_worker.store.database import PATIENCE_S
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    import asyncpg

AUDITS = tuple(name for name in QUERIES if name.startswith("audit_"))


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not what its rows say; both numbers are units."""

    audit: str
    what: str
    expected: int
    found: int


async def audit(connection: asyncpg.Connection) -> list[Difference]:
    """Return every difference, none where the account is true. One snapshot, so it may run beside workers."""
    differences = []
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        # The settings of a worker's session suit small batches; here whole tables are read.
        await connection.execute(
            "set local enable_seqscan = on; set local enable_hashjoin = on; set local enable_mergejoin = on;"
            "set local statement_timeout = 0"
        )
        for name in AUDITS:
            rows = await connection.fetch(QUERIES[name], timeout=PATIENCE_S)
            kind = name.removeprefix("audit_")
            differences += [Difference(kind, what, int(expected or 0), int(found)) for what, expected, found in rows]
    return differences
