"""One database session that is opened when needed and thrown away after an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bo_worker.store.database import connect_worker

if TYPE_CHECKING:
    import asyncpg

    from bo_worker.config import Settings

_CLOSE_TIMEOUT_S = 2.0


class Session:
    """A connection that comes back: `connected` opens it anew after `discard`."""

    def __init__(self, settings: Settings, purpose: str) -> None:
        self._settings = settings
        self._purpose = purpose
        self._connection: asyncpg.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether a connection is open, as far as one can know without asking."""
        return self._connection is not None and not self._connection.is_closed()

    async def connected(self) -> asyncpg.Connection:
        """Return the open connection, or open one."""
        if self._connection is None or self._connection.is_closed():
            self._connection = await connect_worker(self._settings, self._purpose)
        return self._connection

    async def discard(self) -> None:
        """Throw the connection away, politely if that is possible in time."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await connection.close()
        except Exception:  # noqa: BLE001 - whatever it is, the connection is of no use any more
            connection.terminate()

    def abandon(self) -> None:
        """Hang up at once: whoever waits for an answer gets an error."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()
