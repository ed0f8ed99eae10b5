"""What processes have used: CPU time and memory, as Linux tells it; elsewhere nothing is told."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_LISTENING = "0A"


def cpu_s(pid: int) -> float | None:
    """Return the CPU time of a process and of all its children, ended ones too; None where it is not told."""
    times = [sum(_times(each)) for each in (pid, *_children(pid))]
    return sum(times) / os.sysconf("SC_CLK_TCK") if any(times) else None


def resident_mb(pid: int) -> float:
    """Return the memory of a process and of its children that is in RAM, in megabytes; 0 where it is not told.

    What they share counts once.
    """
    return sum(_resident_kb(each) for each in (pid, *_children(pid))) * 1024 / 1e6


def listener(port: int, program: str) -> int | None:
    """Return the process of this machine that listens on a port, if it is one of `program`."""
    sockets = {f"socket:[{inode}]" for inode in _listening_sockets(port)}
    for process in _PROC.glob("[0-9]*"):
        if _text(process / "comm").strip() == program and sockets & set(_open_files(process)):
            return int(process.name)
    return None


def _resident_kb(pid: int) -> int:
    found = re.search(r"Pss:\s+(\d+) kB", _text(_PROC / str(pid) / "smaps_rollup"))
    return int(found[1]) if found else 0


def _times(pid: int) -> list[int]:
    """Ticks of its own and of its ended children, in user mode and in the kernel."""
    fields = _text(_PROC / str(pid) / "stat").rpartition(")")[2].split()
    return [int(ticks) for ticks in fields[11:15]]


def _children(pid: int) -> list[int]:
    lists = (_text(task / "children") for task in (_PROC / str(pid) / "task").glob("*"))
    return [int(child) for each in lists for child in each.split()]


def _listening_sockets(port: int) -> Iterator[str]:
    for table in ("tcp", "tcp6"):
        for line in _text(_PROC / "net" / table).splitlines()[1:]:
            _, local, _, state, *rest = line.split()
            if state == _LISTENING and int(local.rpartition(":")[2], 16) == port:
                yield rest[5]


def _open_files(process: Path) -> Iterator[str]:
    try:
        for file in (process / "fd").iterdir():
            yield str(file.readlink())
    except OSError:
        return


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
