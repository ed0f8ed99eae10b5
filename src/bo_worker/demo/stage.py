"""What the screen shows at this moment."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.text import Text

from bo_worker.demo.figures import Figures
from bo_worker.demo.happenings import Happenings
from bo_worker.demo.tally import Outage, Tally

THROUGHPUT_WINDOW_S = 2.0


@dataclass(slots=True)
class Stage:
    """The state of the demonstration; `sent` of `total` messages were sent in this act.

    The worker's pid is None from when we kill it until there is another.
    """

    worker_pid: int | None
    act: str = ""
    sent: int = 0
    total: int = 0
    lag: int = 0
    lines_per_s_max: float = 0.0
    figures: Figures = field(default_factory=Figures)
    tally: Tally = field(default_factory=Tally)
    happenings: Happenings = field(default_factory=Happenings)
    _lines: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=100))

    def begin(self, act: str, total: int) -> None:
        """A new act begins."""
        self.act, self.sent, self.total = act, 0, total

    def update(self, figures: Figures, lag: int) -> None:
        """Newer figures of the account."""
        self.figures, self.lag = figures, lag
        self._lines.append((time.monotonic(), figures.lines))
        self.lines_per_s_max = max(self.lines_per_s_max, self.lines_per_s)
        outage = self.tally.outage
        if outage and not outage.ended_at and not lag and figures.takeovers > outage.takeovers:
            outage.ended_at = datetime.now(UTC)
            self.tell(f"caught up {outage.seconds:.1f} s after the crash")

    def lose_worker(self) -> None:
        """The worker is about to be killed."""
        self.tell(f"kill -9 {self.worker_pid}: the worker is gone, orders keep coming")
        self.worker_pid = None
        self.tally.outage = Outage(self.figures.takeovers)

    def gain_worker(self, pid: int | None) -> None:
        """There is another worker."""
        self.worker_pid = pid
        self.tell(f"worker {pid} starts, and waits for the partitions of the dead one")

    def tell(self, sentence: str) -> None:
        """Add to the happenings."""
        self.happenings.tell(datetime.now(UTC).astimezone(), Text(sentence, "bold magenta"))

    @property
    def lines_per_s(self) -> float:
        """Order lines that the worker committed per second, lately."""
        if not self._lines:
            return 0.0
        now, lines = self._lines[-1]
        then, lines_then = next(entry for entry in self._lines if now - entry[0] <= THROUGHPUT_WINDOW_S)
        return (lines - lines_then) / (now - then) if now > then else 0.0
