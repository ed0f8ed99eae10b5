"""What is known under a message key: its lock, its sequence numbers, and the natural ids that were applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bo_worker.store.queries import QUERIES
from bo_worker.store.rows import execute_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    import asyncpg

NaturalId = tuple[str, str]


@dataclass(slots=True, eq=False)
class Key:
    """The last sequence numbers published under one message key."""

    key: str
    notifications: int = 0
    fulfillments: int = 0
    payments: int = 0
    is_new: bool = True
    is_changed: bool = False

    def next_number(self, topic: str) -> int:
        """Count one more message of `topic`."""
        self.is_changed = True
        match topic:
            case "customer-notification":
                self.notifications += 1
                return self.notifications
            case "fulfillment":
                self.fulfillments += 1
                return self.fulfillments
            case "payment":
                self.payments += 1
                return self.payments
            case _:
                raise ValueError(f"no sequence is kept for {topic}")


async def lock_keys(connection: asyncpg.Connection, keys: Collection[str], *, nowait: bool = False) -> dict[str, Key]:
    """Lock keys in order; return all of them, the unknown ones as new.

    Raises:
        asyncpg.LockNotAvailableError: with `nowait`, somebody else has one of them.
    """
    found = {key: Key(key) for key in keys}
    for row in await connection.fetch(QUERIES["lock_keys_nowait" if nowait else "lock_keys"], list(keys)):
        found[row["key"]] = Key(row[0], row[1], row[2], row[3], is_new=False)
    return found


async def save_keys(connection: asyncpg.Connection, keys: Iterable[Key]) -> None:
    """Store sequence numbers; new keys in order, so that two workers with the same new keys can't deadlock."""
    changed = [key for key in keys if key.is_changed]
    new = sorted((key.key, key.notifications, key.fulfillments, key.payments) for key in changed if key.is_new)
    if new:
        await connection.copy_records_to_table(
            "message_key",
            schema_name="bo_worker",
            columns=("key", "notifications", "fulfillments", "payments"),
            records=new,
        )
    old = [(key.key, key.notifications, key.fulfillments, key.payments) for key in changed if not key.is_new]
    await execute_rows(connection, "update_keys", old)


async def find_applied(connection: asyncpg.Connection, natural_ids: Collection[NaturalId]) -> dict[NaturalId, bytes]:
    """Return the digests of those messages that were applied before."""
    if not natural_ids:
        return {}
    rows = await connection.fetch(
        QUERIES["find_applied"], [topic for topic, _ in natural_ids], [value for _, value in natural_ids]
    )
    return {(row["topic"], row["natural_id"]): row["digest"] for row in rows}


async def save_applied(connection: asyncpg.Connection, applied: Mapping[NaturalId, bytes]) -> None:
    """Store natural ids. A concurrent twin makes this fail with UniqueViolationError: try the batch again."""
    if applied:
        await connection.copy_records_to_table(
            "applied_message",
            schema_name="bo_worker",
            columns=("topic", "natural_id", "digest"),
            records=sorted((topic, value, digest) for (topic, value), digest in applied.items()),
        )
