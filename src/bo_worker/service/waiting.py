"""Waiting that ends in time."""

from __future__ import annotations

import asyncio


async def happens_within(wait_s: float, event: asyncio.Event) -> bool:
    """Wait for an event, or until the time is up; return whether it happened."""
    try:
        async with asyncio.timeout(wait_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
