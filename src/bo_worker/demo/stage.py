"""What the screen shows at this moment."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

from bo_worker.demo.figures import Figures
from bo_worker.demo.happenings import Happenings
from bo_worker.demo.tally import Tally

THROUGHPUT_WINDOW_S = 2.0


@dataclass(slots=True)
class Stage:
    """The state of the demonstration; `sent` of `total` messages were sent in this act."""

    act: str = ""
    sent: int = 0
    total: int = 0
    worker: str = ""
    worker_is_well: bool = True
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

    @property
    def lines_per_s(self) -> float:
        """Order lines that the worker committed per second, lately."""
        if not self._lines:
            return 0.0
        now, lines = self._lines[-1]
        then, lines_then = next(entry for entry in self._lines if now - entry[0] <= THROUGHPUT_WINDOW_S)
        return (lines - lines_then) / (now - then) if now > then else 0.0
