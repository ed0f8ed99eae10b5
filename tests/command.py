"""The command as its users run it: a process that is given variables, what it says, and how it ends."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import orjson
from pydantic import SecretStr

from bo_worker.setting_texts import variable_of

if TYPE_CHECKING:
    import signal
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from bo_worker.config import Settings

PATIENCE_S: Final = 90
POLL_S: Final = 0.05


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return orjson.loads(self.out)


def variables(settings: Settings, **more: str) -> dict[str, str]:
    """The environment that gives a process these settings."""
    given = {variable_of(name): getattr(settings, name) for name in settings.model_fields_set}
    texts = {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for name, value in given.items()
    }
    return texts | more


async def command(*arguments: str, given: Mapping[str, str]) -> Ended:
    """Run a command to its end."""
    process = await started(arguments, given)
    async with asyncio.timeout(PATIENCE_S):
        out, err = await process.communicate()
    return Ended(process.returncode or 0, out.decode(), err.decode())


@dataclass
class WorkerCommand:
    """`bo-worker run` at work. `said` are the lines of its log so far."""

    process: asyncio.subprocess.Process
    said: list[dict[str, Any]] = field(default_factory=list)

    async def until_said(self, event: str) -> dict[str, Any]:
        """Wait for a line of the log."""
        await self.until(lambda: any(line["event"] == event for line in self.said))
        return next(line for line in self.said if line["event"] == event)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - a process tells no event
                await asyncio.sleep(POLL_S)

    async def until_ready(self, *, is_ready: bool = True) -> None:
        """Wait until /readyz says so."""
        async with asyncio.timeout(PATIENCE_S):
            while (await self.get("/readyz"))[0] != (200 if is_ready else 503):  # noqa: ASYNC110 - as above
                await asyncio.sleep(POLL_S)

    async def until_metric(self, line: str) -> None:
        """Wait until /metrics has a line that begins so."""
        async with asyncio.timeout(PATIENCE_S):
            while f"\n{line}" not in (await self.get("/metrics"))[1]:  # noqa: ASYNC110 - as above
                await asyncio.sleep(POLL_S)

    async def get(self, target: str) -> tuple[int, str]:
        """The status and the body of an answer."""
        port = (await self.until_said("http_serving"))["port"]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return int(head.split()[1]), body

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()

    async def listen(self) -> None:
        assert self.process.stderr
        async for line in self.process.stderr:
            self.said.append(_line(line))


@asynccontextmanager
async def worker_command(given: Mapping[str, str]) -> AsyncIterator[WorkerCommand]:
    """Run a worker, and kill it at the end of the context if it still runs."""
    worker = WorkerCommand(await started(["run"], given))
    listening = asyncio.create_task(worker.listen())
    try:
        yield worker
    finally:
        if worker.process.returncode is None:
            worker.process.kill()
        await listening
        await worker.process.wait()


async def started(arguments: Sequence[str], given: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start a command with these variables of ours and no others."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BO_")}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bo_worker",
        *arguments,
        env=kept | dict(given),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1024 * 1024,
    )


def _line(line: bytes) -> dict[str, Any]:
    """A line of the log, or a plain one as the text of an event without name."""
    try:
        found: dict[str, Any] = orjson.loads(line)
    except orjson.JSONDecodeError:
        return {"event": "", "text": line.decode().rstrip()}
    return found
