"""Runs one server and ends it when the process that wanted it is gone, even by kill -9.

Started by its path, in a session of its own: `python -I -S guard.py SIGNAL UID:GID FOLDER COMMAND...`, where `-` for
UID:GID means as ourselves. It tells the server's process id on standard output. What it waits for is the end of
standard input, a pipe that only the process that wanted the server holds open. A pipe, since Linux's parent-death
signal follows the thread that started a child, and such a thread may well end before its process does. Standard
library only.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading

END_TIMEOUT_S = 10.0


def guard(end_signal: int, identity: str, folder: str, command: list[str]) -> int:
    """Run the server to its end and return its exit code; an orphaned server takes its folder along."""
    uid, gid = (int(each) for each in identity.split(":")) if identity != "-" else (None, None)
    ends_with_the_last, held_by_all = os.pipe()
    server = subprocess.Popen(  # noqa: S603 - the command comes from this package
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        user=uid,
        group=gid,
        extra_groups=None if uid is None else [],
        pass_fds=[held_by_all],
    )
    os.close(held_by_all)
    os.write(1, f"{server.pid}\n".encode())
    orphaned = threading.Event()
    threading.Thread(target=_end_when_orphaned, args=(server, end_signal, orphaned), daemon=True).start()
    code = server.wait()
    # The server's children inherited the other end of this pipe: it ends when the last of them is gone.
    os.read(ends_with_the_last, 1)
    if orphaned.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    return code


def _end_when_orphaned(server: subprocess.Popen[bytes], end_signal: int, orphaned: threading.Event) -> None:
    os.read(0, 1)
    orphaned.set()
    server.send_signal(end_signal)
    server.send_signal(signal.SIGCONT)  # a frozen server would not hear the first signal
    try:
        server.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(guard(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]))
