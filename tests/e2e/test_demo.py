"""The demonstration as a newcomer runs it: it tells the truth, ends by itself, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from bo_worker.stack.servers import DATABASE_VARIABLE, KAFKA_VARIABLE, PROVIDER_VARIABLE, Provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bo_worker.stack.servers import Servers

PATIENCE_S = 150
AUDIT = """
 ✓ # of # orders taken in and answered, # sent twice without effect
 ✓ # units received = # on hand, article by article (none shipped)
 ✓ # units allocated, nowhere more than on hand, all claimed by order lines
 ✓ nobody waits for an article of which usable stock is free
 ✓ # of # waiting lines have a promised day, each the one its customer was told last
 ✓ # units cross-docked or put away, of each receipt as many as arrived
 ✓ # units in instructions to send them, and in the account
 ✓ ce_sequence without a gap for # topics and keys
"""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A folder for everything temporary, which an ordinary user may pass through, as Postgres must."""
    folder = Path(tempfile.mkdtemp(prefix="bo-worker-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def test_it_plays_orders_tells_a_story_checks_itself_and_leaves_nothing_behind(scratch: Path) -> None:
    with demonstration(scratch, "--orders", "40") as demo:
        said, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 0, said
    assert numbers_hidden(section(said, "The audit")).partition("; # came again")[0] == AUDIT.strip("\n")
    assert "40 of 40 orders" in section(said, "The audit")
    kinds = (
        "purchase-order-updated",
        "order-created",
        "order_backordered",
        "inventory-received",
        "cross_dock",
        "backorder_filled",
    )
    assert [kind for kind in kinds if kind not in section(said, "The story")] == []
    assert "40 orders, " in section(said, "Summary")
    assert re.search(r"[1-9]\d* lines were promised a day that holds with 90%", section(said, "Summary"))
    assert "one crash of the worker" in section(said, "Summary")
    assert what_is_left(scratch) == []


async def test_on_servers_of_others_it_does_the_same_and_leaves_nothing_behind(scratch: Path, stack: Servers) -> None:
    named = {KAFKA_VARIABLE: stack.bootstrap_servers, DATABASE_VARIABLE: stack.database_url}
    before = await what_servers_hold(stack)
    with demonstration(scratch, "--orders", "20", **named) as demo:
        said, _ = await asyncio.to_thread(demo.communicate, timeout=PATIENCE_S)
    assert demo.returncode == 0, said
    assert numbers_hidden(section(said, "The audit")).partition("; # came again")[0] == AUDIT.strip("\n")
    assert what_is_left(scratch) == []
    assert await what_servers_hold(stack) <= before


def test_ctrl_c_in_the_middle_ends_everything(scratch: Path) -> None:
    with demonstration(scratch, "--orders", "100") as demo:
        assert demo.stdout
        assert any(line.startswith("  trading:") for line in demo.stdout)
        assert what_is_left(scratch) != []
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 130, said
    assert said.endswith("Interrupted; nothing is left behind.\n")
    assert what_is_left(scratch) == []


def test_ctrl_c_while_the_servers_start_ends_everything(scratch: Path) -> None:
    with demonstration(scratch) as demo:
        assert demo.stdout
        assert any(line.startswith("  starting Kafka") for line in demo.stdout)
        demo.send_signal(signal.SIGINT)
        said, _ = demo.communicate(timeout=PATIENCE_S)
    assert demo.returncode == 130, said
    assert what_is_left(scratch) == []


def demonstration(scratch: Path, *arguments: str, **servers: str) -> subprocess.Popen[str]:
    """The demonstration, whose temporary folders are all in `scratch`, on its own servers or those that are named."""
    given = {"TMPDIR": str(scratch), "COLUMNS": "100", "BO_TOPIC_PREFIX": "of another worker"}
    provider = Provider.VARIABLES if servers else Provider.EMBEDDED
    return subprocess.Popen(
        [sys.executable, "-m", "bo_worker", "demo", *arguments],
        env=os.environ | given | servers | {PROVIDER_VARIABLE: provider.value},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


async def what_servers_hold(servers: Servers) -> set[str]:
    """The names of their databases, and of their topics but for those that Kafka keeps for itself."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap_servers)
    await admin.start()
    connection = await asyncpg.connect(servers.database_url)
    try:
        databases = await connection.fetch("select datname from pg_database")
        topics = [topic for topic in await admin.list_topics() if not topic.startswith("__")]
        return {*topics, *(f"database {name}" for (name,) in databases)}
    finally:
        await connection.close()
        await admin.close()


def section(said: str, title: str) -> str:
    """What was said under a headline."""
    _, _, after = said.partition(f"\n{title}")
    return after.partition("\n")[2].partition("\n\n")[0]


def numbers_hidden(text: str) -> str:
    return re.sub(r"(?<![\w_])\d[\d,]*", "#", text)


def what_is_left(scratch: Path) -> list[str]:
    """Files in the folder, and processes that were started with it or work in it."""
    files = [str(path) for path in scratch.iterdir()]
    processes = psutil.process_iter(["cmdline", "cwd"])
    mine = [f"{each.info['cwd']} {each.info['cmdline']}" for each in processes]
    return files + [process for process in mine if str(scratch) in process]
