"""A proxy before Postgres that hangs up in the middle of a commit."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMMIT = b"COMMIT;\0"


class Cut(Enum):
    """When to hang up: before the server hears of the commit, or when it has committed and says so."""

    BEFORE_COMMIT = "before the commit"
    AFTER_COMMIT = "after the commit"


class PostgresProxy:
    """Passes everything on, but hangs up at every `nth` commit; `cuts` counts how often it did."""

    def __init__(self, database_url: str, cut: Cut, nth: int) -> None:
        self._address = urlsplit(database_url)
        self._cut = cut
        self._nth = nth
        self._commits = 0
        self.cuts = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> str:
        """Listen; return the URL of the same database through the proxy."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        user = self._address.netloc.rpartition("@")[0]
        return self._address._replace(netloc=f"{user}@{host}:{port}").geturl()

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server_reader, server_writer = await asyncio.open_connection(self._address.hostname, self._address.port)
        inward = asyncio.create_task(self._pass_on(reader, server_writer, watched=True))
        outward = asyncio.create_task(self._pass_on(server_reader, writer))
        await asyncio.wait({inward, outward}, return_when=asyncio.FIRST_COMPLETED)
        if inward.done() and inward.result() is Cut.AFTER_COMMIT:
            # ...
            pass
        for one in (writer, server_writer):
            one.close()
