"""What the screen shows at this moment."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from rich.text import Text

from bo_worker.demo.figures import Figures
from bo_worker.demo.happenings import Happenings
from bo_worker.demo.tally import Tally

THROUGHPUT_WINDOW_S = 2.0


class Crash(NamedTuple):
    """When the worker was killed (monotonic seconds), and how often workers had taken over partitions."""

    at: float
    takeovers: int


@dataclass(slots=True)
class Stage:
    """The state of the demonstration; `sent` of `total` messages were sent in this act.

    The worker's pid is None from when we kill it until there is another; `crash` is set until that one has caught up.
    """

    worker_pid: int | None
    act: str = ""
    sent: int = 0
    total: int = 0
    crash: Crash | None = None
    recovered_s: float | None = None
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
        if self.crash and not lag and figures.takeovers > self.crash.takeovers:
            self.recovered_s = time.monotonic() - self.crash.at
            self.crash = None
            self.tell(f"caught up {self.recovered_s:.1f} s after the crash")

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
