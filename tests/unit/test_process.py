"""Signals end the process in time, whatever its loop does."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, os, signal, sys
from bo_worker.cli.process import CLEAN, Signals, loop_factory

async def work(signals):
    stopping = asyncio.Event()
    signals.tell(asyncio.get_running_loop(), stopping)
    {work}
    return CLEAN

with Signals({deadline_s}) as signals, asyncio.Runner(loop_factory={factory}) as runner:
    sys.exit(runner.run(work(signals)))
"""
TERM = "os.kill(os.getpid(), signal.SIGTERM)"


def outcome(work: str, factory: str, deadline_s: float = 600) -> tuple[int, str]:
    program = PROGRAM.format(work=work, factory=factory, deadline_s=deadline_s)
    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, capture_output=True, text=True)
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("factory", ["None", "loop_factory()"])
def test_a_second_signal_ends_the_process_at_once(factory: str) -> None:
    work = f"{TERM}; await asyncio.sleep(0); {TERM}; await asyncio.sleep(600)"
    assert outcome(work, factory) == (128 + signal.SIGTERM, "")


@pytest.mark.parametrize("factory", ["None", "loop_factory()"])
def test_a_process_that_is_stuck_ends_when_its_time_is_over(factory: str) -> None:
    assert outcome(f"{TERM}\n    while True: pass", factory, deadline_s=0.1) == (
        1,
        "bo-worker: it did not end in time and was ended by force\n",
    )


def test_a_signal_before_the_worker_is_built_is_not_lost() -> None:
    program = PROGRAM.format(work="await stopping.wait()", factory="None", deadline_s=600)
    early = program.replace("    sys.exit(", f"    {TERM}\n    sys.exit(")
    assert subprocess.run([sys.executable, "-c", early], check=False, timeout=60).returncode == 0
