"""Postgres goes away, hangs up, or leaves open whether it committed: the worker waits, resumes, and doubles nothing."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from audit import audit
from bo_worker.app import Worker
from bo_worker.store.migrations import migrate
from proxy import Cut, proxied
from workload import drawn, trickle
from world import opened_world, running, world_settings

if TYPE_CHECKING:
    from bo_worker.stack.postgres import EmbeddedPostgres
    from bo_worker.stack.servers import Servers
    from world import World

SEED = 7


async def test_postgres_is_killed_and_restarted_under_load(
    stack: Servers, own_postgres: EmbeddedPostgres, topic_prefix: str
) -> None:
    await migrate(own_postgres.database_url)
    settings = world_settings(
        stack.bootstrap_servers, own_postgres.database_url, topic_prefix, batch_records_max=20
    )
    async with opened_world(settings) as world, running(world, Worker(settings), Worker(settings)):
        async with asyncio.TaskGroup() as group:
            group.create_task(trickle(world, drawn(SEED, 400)))
            for wanted in (50, 150):
                await world.until(lambda wanted=wanted: _has_orders(world, wanted))
                await asyncio.to_thread(own_postgres.kill)
                await asyncio.to_thread(own_postgres.start)
        await world.settled()
        await audit(world)


async def test_backends_are_terminated_at_random_under_load(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=20)
    draw = random.Random(SEED)
    async with opened_world(settings) as world, running(world, Worker(settings), Worker(settings)):
        async with asyncio.TaskGroup() as group:
            load = group.create_task(trickle(world, drawn(SEED, 400)))
            while not load.done():
                backends = await world.fetch(
                    "select pid from pg_stat_activity where datname = current_database()"
                    " and application_name like 'bo-worker%' order by pid"
                )
                if backends:
                    (pid,) = draw.choice(backends)
                    await world.value("select pg_terminate_backend($1)", pid)
                await asyncio.sleep(0.1)
        await world.settled()
        await audit(world)


@pytest.mark.parametrize("cut", Cut)
async def test_it_stays_unknown_whether_a_transaction_was_committed(
    stack: Servers, database_url: str, topic_prefix: str, cut: Cut
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, batch_records_max=20, fill_lines_max=10)
    async with opened_world(settings) as world, proxied(database_url, cut, nth=5) as (proxy, url):
        through_proxy = settings.model_copy(update={"database_url": SecretStr(url)})
        async with running(world, Worker(through_proxy)):
            await world.send(*drawn(SEED, 200))
            await world.settled()
        await audit(world)
        assert proxy.cuts >= 3


async def _has_orders(world: World, count: int) -> bool:
    return bool(await world.value("select count(*) >= $1 from bo_worker.sales_order", count))
