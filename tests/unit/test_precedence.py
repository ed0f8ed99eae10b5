"""The applier goes first while it locks and decides; the others wait for it, but not for ever."""

from __future__ import annotations

import asyncio

from bo_worker.service.precedence import Precedence


async def test_nobody_waits_while_the_applier_claims_nothing() -> None:
    precedence = Precedence()
    async with asyncio.timeout(30):
        await precedence.give_way()
    precedence.claim()
    precedence.waive()
    async with asyncio.timeout(30):
        await precedence.give_way()
    assert len(asyncio.all_tasks()) == 1


async def test_others_go_on_once_the_applier_waives() -> None:
    steps: list[str] = []
    precedence = Precedence()
    precedence.claim()

    async def other() -> None:
        await precedence.give_way()
        steps.append("other")

    task = asyncio.create_task(other())
    for _ in range(5):
        await asyncio.sleep(0)
    steps.append("applier")
    precedence.waive()
    await task
    assert steps == ["applier", "other"]


async def test_an_applier_that_waits_itself_keeps_nobody_for_ever() -> None:
    precedence = Precedence()
    precedence.claim()
    async with asyncio.timeout(30):
        await precedence.give_way()
    rounds = 0
    async with asyncio.timeout(30):
        while rounds < 100:  # It is waited for once, not before every step.
            await precedence.give_way()
            rounds += 1
    assert rounds == 100
