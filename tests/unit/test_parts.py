"""The parts of a worker run side by side, fail together, and end in the time they have."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from bo_worker.service.parts import Parts
from bo_worker.service.waiting import done_before


class Part:
    """Work that ends when it is told to; `stubborn`, not even when it is cancelled once."""

    def __init__(self, *, stubborn: bool = False) -> None:
        self.may_end = asyncio.Event()
        self.stubborn = stubborn
        self.cancelled = 0

    async def run(self) -> None:
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            if self.stubborn:
                await asyncio.sleep(600)
            raise


async def fail() -> None:
    raise LookupError("broken")


async def test_parts_run_until_they_are_to_stop() -> None:
    parts, part, stopping = Parts(), Part(), asyncio.Event()
    parts.start("part", part.run())
    stopping.set()
    await parts.run_until(stopping)
    part.may_end.set()
    with capture_logs() as logs:
        await parts.finish("part", 60)
    assert (part.cancelled, logs) == (0, [])


async def test_the_failure_of_one_part_is_told_before_any_signal() -> None:
    parts, part = Parts(), Part()
    parts.start("part", part.run())
    parts.start("broken", fail())
    with pytest.raises(LookupError, match="broken"):
        await parts.run_until(asyncio.Event())
    await parts.cut_off_all()
    assert part.cancelled == 1


async def test_a_part_that_fails_while_another_is_waited_for_is_told_too() -> None:
    parts, part = Parts(), Part()
    parts.start("part", part.run())
    parts.start("broken", fail())
    with pytest.raises(LookupError, match="broken"):
        await parts.finish("part", 0.01)
    await parts.cut_off_all()


async def test_a_part_that_takes_too_long_is_cut_off_even_where_it_holds_out() -> None:
    parts, part = Parts(), Part(stubborn=True)
    parts.start("part", part.run())
    with capture_logs() as logs:
        await parts.finish("part", 0.01)
    assert logs == [{"event": "shutdown_deadline_passed", "log_level": "warning", "part": "part"}]
    assert part.cancelled == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_work_is_done_unless_something_happens_first() -> None:
    event, part, quick = asyncio.Event(), Part(), Part()
    quick.may_end.set()
    assert await done_before(event, quick.run())
    event.set()
    assert not await done_before(event, part.run())
    with pytest.raises(LookupError, match="broken"):
        await done_before(asyncio.Event(), fail())
    assert asyncio.all_tasks() == {asyncio.current_task()}
