"""Dead letters from the operator's side: listed, looked at, mended, sent back, and then dealt with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.messages.record import Message
from command import command, variables
from world import opened_world, placed, running, world_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from bo_worker.stack.servers import Servers
    from command import Ended

BROKEN = orjson.dumps(build.order("SO-1", lines=[build.order_line(quantity=-3)]))
MENDED = orjson.dumps(build.order("SO-1", lines=[build.order_line(quantity=3)]))
HEADERS = [("content-type", b"application/json"), ("x-trace", b"\xff\x00")]


async def test_a_dead_letter_is_listed_shown_mended_and_sent_back(
    stack: Servers, database_url: str, topic_prefix: str, tmp_path: Path
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    given = variables(settings)

    async def dlq(*arguments: str) -> Ended:
        return await command("dlq", *arguments, given=given)

    async with opened_world(settings) as world, running(world):
        nothing = await dlq("list")
        assert (nothing.code, nothing.out) == (0, "no dead letter waits to be dealt with\n")
        await world.send(Message("order-created", b"SO-1", BROKEN, HEADERS), placed(build.order("SO-2")))
        await world.settled()

        listed = (await dlq("list", "--json")).json
        assert listed["counts"] == [{"topic": "order-created", "error": "invalid_data", "count": 1}]
        (letter,) = listed["newest"]
        place = f"{letter.pop('partition')}:{letter.pop('offset')}"
        assert letter.pop("failed_at").endswith("Z")
        assert "lines[0].quantity" in letter.pop("reason")
        assert letter == {"topic": "order-created", "error": "invalid_data", "replays": 0, "replayed": False}
        plain = (await dlq("list", "order-created.dlq")).out
        assert "invalid_data" in plain
        assert "C-7" not in plain

        file = tmp_path / "value.json"
        file.write_text(await shown_value(dlq, f"{topic_prefix}order-created", place))
        still = await dlq("replay", "order-created", place, "--value-file", str(file), "--yes")
        assert (still.code, still.out) == (1, "")
        assert still.err.startswith("bo-worker: the value is still wrong (invalid_data): lines[0].quantity")
        file.write_bytes(MENDED)
        unasked = await dlq("replay", "order-created", place, "--value-file", str(file))
        assert unasked.code == 2
        sent = await dlq("replay", "order-created", place, "--value-file", str(file), "--yes")
        assert (sent.code, sent.out, sent.err) == (0, "1 sent back\n", "")

        await world.settled()
        assert await world.value("select quantity from bo_worker.order_line where order_id = 'SO-1'") == 3
        assert (await dlq("list", "--json")).json == {"counts": [], "newest": []}
        (kept,) = (await dlq("list", "--replayed", "--json")).json["newest"]
        assert kept["replayed"] is True
        assert (await dlq("replay", "--all", "--yes")).out == "0 sent back\n"

        absent = await dlq("show", "order-created", "0:4711")
        assert (absent.code, absent.err) == (1, "bo-worker: there is no dead letter at 0:4711 of order-created\n")
        absent = await dlq("replay", "order-created", "0:4711", "--yes")
        assert (absent.code, absent.err) == (1, "bo-worker: there is no dead letter at 0:4711 of order-created\n")


async def shown_value(dlq: Callable[..., Awaitable[Ended]], topic: str, place: str) -> str:
    """Look at the dead letter in all ways; return its value as it was received."""
    shown = (await dlq("show", topic, place, "--json")).json
    assert (shown["key"], orjson.loads(shown["value"])) == ("SO-1", orjson.loads(BROKEN))
    assert shown["headers"][:2] == [["content-type", "application/json"], ["x-trace", "base64:/wA="]]
    assert '"quantity": -3' in (await dlq("show", "order-created", place)).out
    value = (await dlq("show", "order-created", place, "--value")).out
    assert value == BROKEN.decode()
    return value


async def test_dead_letters_that_fail_again_come_back_once_each_and_not_for_ever(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix, dead_letter_replays_max=1)
    given = variables(settings)
    poison = [Message("order-created", b"SO-1", BROKEN, HEADERS), Message("inventory-received", None, b"{", [])]
    async with opened_world(settings) as world, running(world):
        await world.send(*poison)
        await world.settled()
        first = await command("dlq", "replay", "--error", "missing_key", "--yes", given=given)
        assert (first.code, first.out) == (0, "1 sent back\n")
        rest = await command("dlq", "replay", "--all", "order-created", "--yes", given=given)
        assert (rest.code, rest.out) == (0, "1 sent back\n")
        await world.settled()
        again = {(letter["topic"], letter["replays"]) for letter in await newest(given)}
        assert again == {("order-created", 1), ("inventory-received", 1)}
        refused = await command("dlq", "replay", "--all", "--yes", given=given)
        assert (refused.code, refused.out, refused.err) == (
            1,
            "0 sent back\n",
            "bo-worker: 2 not sent back: they were sent back 1 times before\n",
        )
    letters = world.dead_letters()
    assert sorted((letter.key, letter.value) for letter in letters if letter.key) == [(b"SO-1", BROKEN)] * 2
    replayed = next(letter for letter in letters if letter.key and "dlq_replays" in letter.why)
    assert list(replayed.headers[:3]) == [*HEADERS, ("dlq_replays", b"1")]


async def newest(given: dict[str, str]) -> list[dict[str, Any]]:
    return list((await command("dlq", "list", "--json", given=given)).json["newest"])
