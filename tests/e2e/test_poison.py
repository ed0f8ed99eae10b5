"""Poison of every kind in the middle of good messages: it ends among the dead letters, they go through."""

from __future__ import annotations

from typing import TYPE_CHECKING

import build
import poison
from audit import audit
from bo_worker.messages.record import Message
from world import fresh_world, placed, running

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers


async def test_every_poison_ends_among_the_dead_letters_and_its_neighbours_go_through(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database) as world:
        bad = [Message(one.topic, one.key, one.value, list(one.headers)) for one in poison.ALL]
        good = [placed(build.order(f"SO-good-{number}")) for number in range(len(bad))]
        world.poison += bad
        await world.send(*(message for pair in zip(good, bad, strict=True) for message in pair))
        async with running(world):
            await world.settled()
        await audit(world)
        expected = {(one.topic, one.key, one.value, tuple(one.headers)): one.error for one in poison.ALL}
        for letter in world.dead_letters():
            why = letter.why
            received = tuple(header for header in letter.headers if header[0] not in why)
            topic = letter.topic.removesuffix(".dlq")
            assert why["dlq_error"] == expected[topic, letter.key, letter.value, received]
            assert why["dlq_topic"] == world.settings.topic_prefix + topic
            assert why["dlq_reason"]
        assert await world.value("select count(*) from bo_worker.sales_order") == len(good)


async def test_a_conflict_hidden_in_a_batch_is_told_from_the_order_it_contradicts(
    stack: Servers, template_database: str
) -> None:
    async with fresh_world(stack, template_database) as world:
        other = placed(build.order("SO-1", priority=9))
        world.poison.append(other)
        await world.send(placed(build.order("SO-1")), placed(build.order("SO-2")), other, placed(build.order("SO-1")))
        async with running(world):
            await world.settled()
        await audit(world)
        (letter,) = world.dead_letters()
        assert letter.why["dlq_error"] == "conflict"
        assert "SO-1" in letter.why["dlq_reason"]
