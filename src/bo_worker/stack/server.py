"""The life of a server started here: made, started, stopped, killed and started again."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from bo_worker.stack.process import GuardedProcess, Identity, ReservedPort, StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

LOG_LINES_SHOWN = 30
PREPARE_TIMEOUT_S = 60.0
READY_POLL_S = 0.02


def silent(_phrase: str) -> None:
    """Progress that nobody watches."""


class EmbeddedServer(ABC):
    """A real server on loopback with a data folder of its own, which `stop` removes.

    Blocking, and for one thread at a time; from asyncio use `asyncio.to_thread`. After `kill`, `stop(keep_data=True)`
    or a death of its own, `start` goes on with the same port and the same data.
    """

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    kill_signal: ClassVar[signal.Signals] = signal.SIGKILL

    def __init__(self, progress: Callable[[str], None]) -> None:
        self._progress = progress
        self._folder: Path | None = None
        self._ports: list[ReservedPort] = []
        self._identity: Identity | None = None
        self._process: GuardedProcess | None = None

    @property
    def pid(self) -> int:
        """The server's main process.

        Raises:
            StackError: it isn't started.
        """
        if self._process is None:
            raise StackError(f"{self.name} is not running")
        return self._process.pid

    @property
    def port(self) -> int:
        """The port clients connect to, from the first start on."""
        return self._ports[0].number

    @property
    def folder(self) -> Path:
        """Where its data and its log are, from the first start on.

        Raises:
            StackError: there is none yet, or no longer.
        """
        if self._folder is None:
            raise StackError(f"{self.name} has no folder: it has not been started")
        return self._folder

    def start(self, *, timeout_s: float = 90.0) -> None:
        """Start it, the first time with empty data, and wait until it answers; one that still runs is killed first.

        Raises:
            StackError: it did not come up; nothing of it is left.
        """
        self.kill()
        try:
            if self._folder is None:
                self._find_programs()
                self._create()
            self._progress(f"starting {self.name}")
            self._process = self._spawn(self._command())
            self._await_ready(time.monotonic() + timeout_s)
        except BaseException:
            self.kill()
            self._remove()
            raise

    def stop(self, *, keep_data: bool = False) -> None:
        """Shut it down in order, then remove its data; does nothing where there is nothing."""
        try:
            self._end(self.stop_signal)
        finally:  # where Ctrl-C cuts the wait short, too
            self.kill()
            if not keep_data:
                self._remove()

    def kill(self) -> None:
        """End it at once, as a crash would; its data stay."""
        self._end(self.kill_signal)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    @abstractmethod
    def _find_programs(self) -> None:
        """Get hold of the server's programs; may download them."""

    @abstractmethod
    def _prepare(self) -> None:
        """Fill the new folder with what the first start needs."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The server's command line; it must stay in the foreground."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether the server serves its clients now."""

    def _create(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix=f"bo-worker-{self.name.lower()}-"))
        self._ports = [ReservedPort(), ReservedPort()]
        self._log.touch()
        self._prepare()

    def _run(self, *command: str) -> None:
        """Run a program that prepares the data."""
        self._process = self._spawn(command)
        if self._process.wait(PREPARE_TIMEOUT_S) != 0:
            raise self._failure("could not make its data folder")
        self._end(self.kill_signal)

    def _spawn(self, command: Sequence[str]) -> GuardedProcess:
        for port in self._ports:
            port.lend()
        try:
            return GuardedProcess(
                command,
                folder=self.folder,
                log=self._log,
                end_signal=self.kill_signal,
                identity=self._identity,
            )
        except StackError as error:
            raise self._failure(str(error)) from error

    def _await_ready(self, deadline: float) -> None:
        while not self._answers():
            if self._process is None or not self._process.running:
                raise self._failure("ended while starting")
            if time.monotonic() > deadline:
                raise self._failure("did not answer in time")
            time.sleep(READY_POLL_S)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.end(number)
        self._process = None

    def _remove(self) -> None:
        for port in self._ports:
            port.release()
        self._ports = []
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None

    @property
    def _log(self) -> Path:
        return self.folder / "server.log"

    def _failure(self, what: str) -> StackError:
        lines = self._log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return StackError("\n".join([f"{self.name} {what}. The end of its log:", *lines]))
