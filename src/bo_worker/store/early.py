"""Messages that came before their order, kept as they were received."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgpack

from bo_worker.messages.record import Record
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import asyncpg

    from bo_worker.store.keys import NaturalId


async def save_early(connection: asyncpg.Connection, messages: Sequence[tuple[str, NaturalId, Record]]) -> None:
    """Keep (order id, natural id, record) until the order comes."""
    if messages:
        await connection.execute(
            QUERIES["save_early"],
            [order_id for order_id, _, _ in messages],
            [topic for _, (topic, _), _ in messages],
            [value for _, (_, value), _ in messages],
            [_pack(record) for _, _, record in messages],
        )


async def load_early(connection: asyncpg.Connection, order_ids: Collection[str]) -> list[tuple[int, str, Record]]:
    """Return (row id, order id, record) of what waits for orders, in the order in which it came."""
    if not order_ids:
        return []
    rows = await connection.fetch(QUERIES["load_early"], list(order_ids))
    return [(row["id"], row["order_id"], _unpack(row["record"])) for row in rows]


async def delete_early(connection: asyncpg.Connection, row_ids: Collection[int]) -> None:
    """Forget messages whose orders have come."""
    if row_ids:
        await connection.execute(QUERIES["delete_early"], list(row_ids))


async def forget_applied(connection: asyncpg.Connection, natural_ids: Collection[NaturalId]) -> None:
    """Free the natural ids of messages that turned out to be wrong."""
    if natural_ids:
        await connection.execute(
            QUERIES["forget_applied"], [topic for topic, _ in natural_ids], [value for _, value in natural_ids]
        )


def _pack(record: Record) -> bytes:
    headers = list(record.headers)
    fields = (record.topic, record.partition, record.offset, record.key, record.value, headers)
    return bytes(msgpack.packb(fields))


def _unpack(packed: bytes) -> Record:
    topic, partition, offset, key, value, headers = msgpack.unpackb(packed)
    return Record(topic, partition, offset, key, value, [(name, content) for name, content in headers])
