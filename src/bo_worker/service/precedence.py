"""Who runs first, of those that share a core."""

from __future__ import annotations

import asyncio

from bo_worker.service.waiting import happens_within

_WAIT_MAX_S = 0.05


class Precedence:
    """The applier's precedence over the reader and the relay.

    While the applier locks and decides, Postgres has little to do; while it saves, Postgres has the most, and the
    applier waits. What reader and relay do in the first part delays the second one, where they would have had time
    for nothing. So the applier claims the core for the first part, and they give way meanwhile.

    A relay with a process of its own shares another core with Postgres, and gives way in the second part. Nobody
    waits for more than `wait_max_s`.
    """

    def __init__(self, wait_max_s: float = _WAIT_MAX_S) -> None:
        self._wait_max_s = wait_max_s
        self._unclaimed = asyncio.Event()
        self._unclaimed.set()

    def claim(self) -> None:
        """Go first from now on."""
        self._unclaimed.clear()

    def waive(self) -> None:
        """Let the others go on."""
        self._unclaimed.set()

    async def give_way(self) -> None:
        """Let the applier go first, but for a limited time: it may be waiting for the lock of another worker."""
        await asyncio.sleep(0)
        if not self._unclaimed.is_set() and not await happens_within(self._wait_max_s, self._unclaimed):
            self.waive()
