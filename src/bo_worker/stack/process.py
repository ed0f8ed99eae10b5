"""A server's process and its port: started, watched, ended, and never left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

from bo_worker.stack import guard

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HOST = "127.0.0.1"
END_TIMEOUT_S = 30.0


class StackError(Exception):
    """A server could not be had; the message says why, with the end of the server's log."""


class Identity(NamedTuple):
    """The user and group a server runs as, when not as ourselves."""

    uid: int
    gid: int


class ReservedPort:
    """A free port on loopback, kept for us even while its server is down: bound, never listened on.

    So nobody else can take it, not even a client that tries to reconnect and would be given the very port as its own
    end. On Linux the server may bind it all the same, since both sides set SO_REUSEADDR; elsewhere it is let go of
    when the server starts.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.bind((HOST, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.number = int(self._socket.getsockname()[1])

    def lend(self) -> None:
        """Let a server bind the port."""
        if sys.platform != "linux":
            self.release()

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()


class GuardedProcess:
    """A server that ends when we do, however we end: a guard process stands between and watches for it.

    Should we be killed, `end_signal` ends the server, and `folder` is removed with it.

    Raises:
        StackError: the command could not be run; the log says more.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folder: Path,
        log: Path,
        end_signal: signal.Signals,
        identity: Identity | None,
    ) -> None:
        as_whom = f"{identity.uid}:{identity.gid}" if identity else "-"
        guarding = [sys.executable, "-I", "-S", guard.__file__, str(int(end_signal)), as_whom, str(folder)]
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 - the command comes from this package
                [*guarding, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                cwd=folder,
                start_new_session=True,  # Ctrl-C in the terminal is for us, not for the servers
            )
        line = self._guard.stdout.readline() if self._guard.stdout else b""
        if not line:
            self._close()
            raise StackError("could not be run")
        self.pid = int(line)

    @property
    def running(self) -> bool:
        """Whether the server is still there, frozen or not."""
        return self._signal(0)

    def wait(self, timeout_s: float) -> int | None:
        """Wait for it to end by itself: its exit code, or None when it takes longer."""
        try:
            return self._guard.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def end(self, number: signal.Signals) -> None:
        """Send the signal and wait until the server and its children are gone; one that takes too long is killed."""
        self._signal(number)
        self._signal(signal.SIGCONT)  # a frozen server would not hear the first signal
        if self.wait(END_TIMEOUT_S) is None:
            self._signal(signal.SIGKILL)
        self._close()

    def _signal(self, number: int) -> bool:
        if self._guard.poll() is not None:
            return False  # the pid may belong to somebody else by now
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _close(self) -> None:
        self._guard.wait()
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe:
                pipe.close()
