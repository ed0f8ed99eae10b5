"""The sweep on a real Postgres: one leads, jobs are done to their end, what passes is tried again."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import pytest_asyncio

from bo_worker.app import Worker
from bo_worker.messages.packing import pack
from bo_worker.messages.record import Message
from bo_worker.service.apply import Applied
from bo_worker.service.batch import Batch
from bo_worker.service.failures import InvariantBrokenError
from bo_worker.service.parts import Parts
from bo_worker.service.sweep import Done, Sweep
from bo_worker.service.work import OrdersBusyError, Rules
from bo_worker.store.leadership import SWEEP_LOCK, lead
from bo_worker.store.outbox import append_outbox
from bo_worker.store.products import UnfinishedCauseError
from bo_worker.store.session import Session
from world import PATIENCE_S, fresh_world, running, world_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from bo_worker.service.sweep import Job
    from bo_worker.stack.servers import Servers

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SELDOM_S = 3600


class Sweeper:
    """A sweep, and what it tells: how each transaction ended, and the faults that passed."""

    def __init__(self, database_url: str, jobs: Mapping[str, Job], **more: Any) -> None:
        patient = {"sweep_poll_s": 0.01, "database_lock_timeout_s": 60, "database_statement_timeout_s": 60}
        settings = world_settings("localhost:1", database_url, "", **patient | more)
        self.now = NOON
        self.told: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self.faults: list[Exception] = []
        self.stopping = asyncio.Event()
        self.session = Session(settings, "sweep")
        self.sweep = Sweep(
            settings,
            self.session,
            Rules("placed_at", 10),
            jobs,
            clock=lambda: self.now,
            stopping=self.stopping,
            swept=lambda job, outcome, _: self.told.put_nowait((job, outcome)),
            retried=self.faults.append,
        )

    async def next(self, count: int = 1) -> list[tuple[str, str]]:
        """The next things told."""
        async with asyncio.timeout(PATIENCE_S):
            return [await self.told.get() for _ in range(count)]


class Writer:
    """A job that writes a line. Its first transaction waits in the middle until it may go on."""

    def __init__(self, line: str, *, waits: bool = False) -> None:
        self.line = line
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()
        if not waits:
            self.may_end.set()

    async def __call__(self, connection: asyncpg.Connection, _: Rules, now: datetime) -> Done:
        async with connection.transaction():
            await write(connection, self.line, now)
            self.begun.set()
            await self.may_end.wait()
            await write(connection, self.line, now)
        return Done()


async def write(connection: asyncpg.Connection, line: str, now: datetime) -> None:
    await connection.execute("insert into scratch values ($1, $2, pg_backend_pid())", line, now)


async def count(connection: asyncpg.Connection) -> int:
    return int(await connection.fetchval("select count(*) from scratch"))


async def lines(connection: asyncpg.Connection) -> set[str]:
    return {line for (line,) in await connection.fetch("select line from scratch")}


@pytest_asyncio.fixture
async def scratch(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the test's database, in which jobs find a table to write to."""
    connection = await asyncpg.connect(database_url)
    await connection.execute("create table scratch (line text, at timestamptz, pid int)")
    yield connection
    await connection.close()


@asynccontextmanager
async def sweeping(*sweepers: Sweeper) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Let sweeps run for as long as the context lasts; then they stop and must end in order."""
    tasks = [asyncio.create_task(sweeper.sweep.run()) for sweeper in sweepers]
    try:
        yield tasks
    finally:
        for sweeper in sweepers:
            sweeper.stopping.set()
        await asyncio.wait(tasks, timeout=PATIENCE_S)
        for sweeper in sweepers:
            await sweeper.session.discard()
    for task in tasks:
        task.result()


async def terminate(connection: asyncpg.Connection, session: Session) -> None:
    """End a session from the server's side, and wait until it is gone."""
    pid = (await session.connected()).get_server_pid()
    await connection.execute("select pg_terminate_backend($1, 60000)", pid)


async def test_of_two_sweeps_exactly_one_leads(database_url: str, scratch: asyncpg.Connection) -> None:
    sweepers = [Sweeper(database_url, {"write": Writer(name)}) for name in ("one", "other")]
    for _ in range(3):
        await asyncio.gather(*(sweeper.sweep._round() for sweeper in sweepers))
    assert sorted(sweeper.told.qsize() for sweeper in sweepers) == [0, 3]
    assert [sweeper.session.is_open for sweeper in sweepers] == [True, True]
    assert await scratch.fetchval("select count(distinct pid) from scratch") == 1
    for sweeper in sweepers:
        await sweeper.session.discard()


async def test_a_sweep_that_lost_its_session_writes_nothing_and_another_takes_over(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    slow, quick = Writer("lost", waits=True), Writer("taken over")
    one, other = Sweeper(database_url, {"write": slow}), Sweeper(database_url, {"write": quick})
    async with sweeping(one):
        async with asyncio.timeout(PATIENCE_S):
            await slow.begun.wait()
        async with sweeping(other):
            await terminate(scratch, one.session)
            assert await other.next() == [("write", "done")]
            slow.may_end.set()
            assert await one.next() == [("write", "failed")]
            assert await other.next(10) == [("write", "done")] * 10
            assert await lines(scratch) == {"taken over"}
        assert await one.next() == [("write", "done")]


async def test_a_sweep_that_is_frozen_between_rounds_loses_the_lead_in_time(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    settings = world_settings(
        "localhost:1",
        database_url,
        "",
        sweep_poll_s=0.01,
        retry_wait_max_s=0.1,
        database_lock_timeout_s=0.5,
        database_statement_timeout_s=1,
    )
    session = Session(settings, "sweep")
    leader = await session.connected()
    assert await lead(leader, SWEEP_LOCK)
    ended = asyncio.Event()
    leader.add_termination_listener(lambda _: ended.set())
    async with asyncio.timeout(PATIENCE_S):
        await ended.wait()
        await scratch.execute("select pg_advisory_lock($1)", SWEEP_LOCK)
    assert not session.is_open


async def test_a_job_is_called_until_it_has_no_more_and_again_when_woken(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    async def take_one(connection: asyncpg.Connection, _: Rules, now: datetime) -> Done:
        async with connection.transaction():
            await connection.execute("delete from scratch where ctid = (select min(ctid) from scratch)")
            return Done(more=await connection.fetchval("select exists (select from scratch where at <= $1)", now))

    async def fill(connection: asyncpg.Connection, lines: int) -> None:
        await connection.execute("insert into scratch select 'due', $2 from generate_series(1, $1)", lines, NOON)

    await fill(scratch, 5)
    sweeper = Sweeper(database_url, {"take": take_one, "write": Writer("last")}, sweep_poll_s=SELDOM_S)
    async with sweeping(sweeper):
        assert await sweeper.next(6) == [("take", "done")] * 5 + [("write", "done")]
        await scratch.execute("truncate scratch")
        await fill(scratch, 2)
        assert sweeper.told.empty()
        sweeper.sweep.woken.set()
        assert await sweeper.next(3) == [("take", "done")] * 2 + [("write", "done")]


async def test_what_is_due_follows_the_clock_of_the_worker(database_url: str, scratch: asyncpg.Connection) -> None:
    async def take_due(connection: asyncpg.Connection, _: Rules, now: datetime) -> Done:
        async with connection.transaction():
            await connection.execute("delete from scratch where at <= $1", now)
        return Done()

    for days in range(3):
        await write(scratch, f"day {days}", NOON + timedelta(days))
    sweeper = Sweeper(database_url, {"take": take_due}, sweep_poll_s=SELDOM_S)
    left = []
    async with sweeping(sweeper):
        for _ in range(3):
            assert await sweeper.next() == [("take", "done")]
            left.append(await lines(scratch))
            sweeper.now += timedelta(days=1)
            sweeper.sweep.woken.set()
    assert left == [{"day 1", "day 2"}, {"day 2"}, set()]


async def test_a_busy_job_leaves_no_trace_and_does_not_keep_the_others_from_running(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    obstacles: list[Exception] = [OrdersBusyError(["SO-1"]), UnfinishedCauseError("inventory-received:R-1")]

    async def meet(connection: asyncpg.Connection, _: Rules, now: datetime) -> Done:
        async with connection.transaction():
            await write(connection, f"met {len(obstacles)}", now)
            if obstacles:
                raise obstacles.pop()
        return Done()

    sweeper = Sweeper(database_url, {"meet": meet, "write": Writer("written")})
    async with sweeping(sweeper):
        told = await sweeper.next(6)
    assert told == [("meet", "busy"), ("write", "done")] * 2 + [("meet", "done"), ("write", "done")]
    assert await lines(scratch) == {"met 0", "written"}
    assert sweeper.faults == []


async def test_a_lost_connection_is_mended_and_the_job_runs_again(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    writer = Writer("written", waits=True)
    sweeper = Sweeper(database_url, {"write": writer})
    async with sweeping(sweeper):
        async with asyncio.timeout(PATIENCE_S):
            await writer.begun.wait()
        await terminate(scratch, sweeper.session)
        assert await count(scratch) == 0
        writer.may_end.set()
        assert await sweeper.next(2) == [("write", "failed"), ("write", "done")]
        assert len(sweeper.faults) == 1
    assert await lines(scratch) == {"written"}


async def test_a_job_that_keeps_failing_does_not_starve_the_others(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    async def fail(*_: object) -> Done:
        raise TimeoutError

    jobs: dict[str, Job] = {"fail": fail, "one": Writer("one"), "other": Writer("other")}
    sweeper = Sweeper(database_url, jobs, retry_wait_max_s=0.1)
    async with sweeping(sweeper):
        told = await sweeper.next(7)
    assert [job for job, _ in told] == ["fail", "one", "other", "fail", "one", "other", "fail"]
    assert await lines(scratch) == {"one", "other"}


async def test_a_fault_that_does_not_pass_stops_the_worker(database_url: str, scratch: asyncpg.Connection) -> None:
    async def divide(connection: asyncpg.Connection, *_: object) -> Done:
        return await connection.fetchval("select 1 / 0")  # type: ignore[no-any-return]  # it never returns

    sweeper = Sweeper(database_url, {"divide": divide, "write": Writer("never")})
    with pytest.raises(InvariantBrokenError, match="DivisionByZeroError"):
        async with sweeping(sweeper) as (task,):
            await asyncio.wait((task,), timeout=PATIENCE_S)
    assert await lines(scratch) == set()


async def test_stopping_ends_the_wait_for_the_next_round_at_once(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    sweeper = Sweeper(database_url, {"write": Writer("written")}, sweep_poll_s=SELDOM_S)
    async with sweeping(sweeper) as (task,):
        await sweeper.next()
        sweeper.stopping.set()
        async with asyncio.timeout(PATIENCE_S):
            await task
    assert await count(scratch) == 2


async def test_stopping_in_the_middle_of_a_job_lets_it_finish_and_begins_no_other(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    first, second = Writer("first", waits=True), Writer("second")
    sweeper = Sweeper(database_url, {"first": first, "second": second})
    async with sweeping(sweeper) as (task,), asyncio.timeout(PATIENCE_S):
        await first.begun.wait()
        sweeper.stopping.set()
        first.may_end.set()
        await task
    assert await lines(scratch) == {"first"}


async def test_a_job_that_does_not_end_is_cut_off_and_leaves_no_trace(
    database_url: str, scratch: asyncpg.Connection
) -> None:
    writer = Writer("hangs", waits=True)
    sweeper, parts = Sweeper(database_url, {"write": writer}), Parts()
    parts.start("sweeping", sweeper.sweep.run(), sweeper.session)
    async with asyncio.timeout(PATIENCE_S):
        await writer.begun.wait()
        sweeper.stopping.set()
        await parts.finish("sweeping", 0.01)
        await scratch.execute("select pg_advisory_lock($1)", SWEEP_LOCK)
    assert await sweeper.next() == [("write", "failed")]
    assert await lines(scratch) == set()


async def test_a_worker_without_jobs_leads_nothing(database_url: str) -> None:
    sweeper = Sweeper(database_url, {})
    async with sweeping(sweeper):
        await sweeper.sweep._round()
        assert not sweeper.session.is_open


async def test_a_batch_that_leaves_something_due_wakes_the_sweep(database_url: str) -> None:
    worker = Worker(world_settings("localhost:1", database_url, ""))
    worker._committed(Batch([], {}), Applied())
    assert not worker.sweep.woken.is_set()
    worker._committed(Batch([], {}), Applied(leaves_due=True))
    assert worker.sweep.woken.is_set()


async def test_what_a_job_commits_while_the_worker_stops_is_published_and_counted(
    stack: Servers, template_database: str
) -> None:
    begun = asyncio.Event()

    async def publish(connection: asyncpg.Connection, *_: object) -> Done:
        if not worker.intake.positions:  # A stop while it still joins the group is another story.
            return Done()
        async with connection.transaction():
            begun.set()
            await worker.stopping.wait()
            await append_outbox(connection, 1, pack([Message("procurement", b"SKU-1", b"{}", [])]))
        return Done(messages=1, units=Counter(backordered=3))

    async with fresh_world(stack, template_database, sweep_poll_s=0.05) as world:
        worker = Worker(world.settings, jobs={"publish": publish})
        async with running(world, worker), asyncio.timeout(PATIENCE_S):
            await begun.wait()
        assert await world.value("select count(*) from bo_worker.outbox") == 0
    value = worker.metrics.registry.get_sample_value
    assert value("bo_worker_messages_published_total", {"topic": "procurement"}) == 1
    assert value("bo_worker_sweep_jobs_total", {"job": "publish", "outcome": "done"})
    assert value("bo_worker_sweep_jobs_total", {"job": "publish", "outcome": "busy"}) == 0
    assert value("bo_worker_units_total", {"kind": "backordered"}) == 3
