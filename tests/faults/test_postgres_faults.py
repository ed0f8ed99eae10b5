"""Postgres goes away, hangs up, or leaves open whether it committed: the worker waits, resumes, doubles nothing."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import asyncpg
import pytest
from pydantic import SecretStr

import build
from audit import audit
from bo_worker.app import Worker
from bo_worker.store.migrations import migrate
from bo_worker.store.session import Session
from children import side_by_side
from conftest import administer
from proxy import Cut, proxied
from workload import drawn, trickle
from world import PATIENCE_S, POLL_S, fresh_world, opened_world, placed, running, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.postgres import EmbeddedPostgres
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 7


async def test_postgres_is_killed_and_restarted_under_load(
    stack: Servers, own_postgres: EmbeddedPostgres, topic_prefix: str
) -> None:
    url = own_postgres.database_url
    await migrate(url)
    settings = world_settings(stack.bootstrap_servers, url, topic_prefix, batch_records_max=20)
    async with opened_world(settings) as world, running(world, Worker(settings), Worker(settings)):
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, drawn(SEED, 300, changes=100)))
            for orders in (50, 150):
                await world.until_placed(orders)
                await asyncio.to_thread(own_postgres.kill)
                await asyncio.to_thread(own_postgres.start)
        await world.settled()
        await audit(world)


async def test_backends_are_terminated_at_random_under_load(stack: Servers, template_database: str) -> None:
    draw = random.Random(SEED)  # noqa: S311 - a seeded generator, not a secret
    async with fresh_world(stack, template_database, batch_records_max=20) as world:
        workers = (Worker(world.settings), Worker(world.settings))
        async with running(world, *workers):
            async with asyncio.TaskGroup() as group:
                load = group.create_task(trickle(world, drawn(SEED, 300, changes=100)))
                while not load.done():
                    await _terminate_one(world, draw)
                    await asyncio.sleep(5 * POLL_S)
            await world.settled()
        await audit(world)


async def test_a_stranger_who_keeps_a_row_locked_is_waited_for(stack: Servers, template_database: str) -> None:
    async with (
        fresh_world(stack, template_database, database_lock_timeout_s=0.5) as world,
        running(world) as (worker,),
    ):
        await world.send(*drawn(SEED, 20, skus=1))
        await world.settled()
        given_up = asyncio.Event()
        worker.applier._retried = lambda _: given_up.set()
        stranger = await world.connected()
        async with stranger.transaction(), asyncio.timeout(PATIENCE_S):
            await stranger.execute("select from bo_worker.product for update")
            await world.send(placed(build.order("SO-late", lines=[build.order_line(sku="SKU-0")])))
            await given_up.wait()
        await world.settled()
        await audit(world)


async def test_a_worker_frozen_while_it_prepares_a_statement_keeps_its_locks_for_a_limited_time(
    database_url: str,
) -> None:
    session = Session(world_settings("localhost:1", database_url, "", database_statement_timeout_s=1), "apply")
    frozen = await session.connected()
    if frozen.get_server_version().major < 17:
        pytest.skip("this server knows no timeout of transactions")
    await frozen.execute("begin; insert into bo_worker.product (sku) values ('SKU-1')")
    await frozen.prepare("select 1")
    async with asyncio.timeout(PATIENCE_S):
        await administer(database_url, "insert into bo_worker.product (sku) values ('SKU-1')")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await frozen.execute("commit")
    session.abandon()


async def test_it_stays_unknown_whether_a_transaction_was_committed(stack: Servers, template_database: str) -> None:
    inputs = drawn(SEED, 150, changes=50)

    async def scenario(cut: Cut) -> None:
        # Few lines at a time, so that receipts are gone on with in steps, and hung up on there too.
        async with fresh_world(stack, template_database, batch_records_max=20, fill_lines_max=10) as world:
            async with proxied(world.settings.database_url.get_secret_value(), cut, nth=4) as (proxy, url):
                through_proxy = world.settings.model_copy(update={"database_url": SecretStr(url)})
                async with running(world, Worker(through_proxy)):
                    await world.send(*inputs)
                    await world.settled()
            await audit(world)
            assert proxy.cuts >= 2

    await side_by_side(Cut, scenario)


async def _terminate_one(world: World, draw: random.Random) -> None:
    backends = await world.fetch(
        "select pid from pg_stat_activity where datname = current_database()"
        " and application_name like 'bo-worker%' order by pid"
    )
    if backends:
        (pid,) = draw.choice(backends)
        await world.value("select pg_terminate_backend($1)", pid)
