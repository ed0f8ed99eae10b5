"""A proxy before Postgres that hangs up on its clients in the middle of a commit."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMMIT = b"COMMIT;\0"
CHUNK_BYTES = 65_536


class Cut(Enum):
    """When to hang up: before the server hears of the commit, or when it has committed and says so."""

    BEFORE_COMMIT = "before the commit"
    BEFORE_ANSWER = "before the answer"


class HangUpError(Exception):
    """The connection ends here."""


class Proxy:
    """Passes everything on, but hangs up at every `nth` commit; `cuts` counts how often it did."""

    def __init__(self, database_url: str, cut: Cut, nth: int) -> None:
        self._address = urlsplit(database_url)
        self._cut = cut
        self._nth = nth
        self._commits = 0
        self._tasks: set[asyncio.Task[None] | None] = set()
        self.cuts = 0

    def url(self, port: int) -> str:
        """The URL of the same database by way of the proxy."""
        user = self._address.netloc.rpartition("@")[0]
        return self._address._replace(netloc=f"{user}@127.0.0.1:{port}").geturl()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client until one side, or the proxy, hangs up."""
        self._tasks.add(asyncio.current_task())
        from_server, to_server = await asyncio.open_connection(self._address.hostname, self._address.port)
        committing = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pass_in(reader, to_server, committing))
                group.create_task(self._pass_out(from_server, writer, committing))
        except* (HangUpError, OSError):
            pass
        finally:
            writer.transport.abort()
            to_server.transport.abort()

    async def ended(self) -> None:
        """Wait until every client has gone."""
        await asyncio.gather(*(task for task in self._tasks if task is not None))

    async def _pass_in(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if COMMIT in chunk and self._is_due():
                if self._cut is Cut.BEFORE_COMMIT:
                    break
                committing.set()
            writer.write(chunk)
            await writer.drain()
        raise HangUpError

    async def _pass_out(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while (chunk := await reader.read(CHUNK_BYTES)) and not committing.is_set():
            writer.write(chunk)
            await writer.drain()
        raise HangUpError

    def _is_due(self) -> bool:
        self._commits += 1
        if self._commits % self._nth:
            return False
        self.cuts += 1
        return True


@asynccontextmanager
async def proxied(database_url: str, cut: Cut, nth: int) -> AsyncIterator[tuple[Proxy, str]]:
    """Run a proxy; its clients must have gone when the context ends."""
    proxy = Proxy(database_url, cut, nth)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield proxy, proxy.url(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await proxy.ended()
