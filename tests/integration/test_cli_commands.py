"""What an operator types before and beside a worker, on real servers: migrate, topics, check, show."""

from __future__ import annotations

import shlex
import socket
from typing import TYPE_CHECKING, Any

import orjson

import build
from bo_worker.kafka.topics import topic_specs
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.stack.servers import DATABASE_VARIABLE, KAFKA_VARIABLE
from bo_worker.store.migrations import migration_files
from command import command, started, variables
from world import message, opened_world, placed, received, running, world_settings

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.stack.servers import Servers

EARLIER = "2026-11-20T09:30:00Z"


async def states(settings: Settings, code: int) -> dict[str, str]:
    """The states that `check` finds, which must end with this code."""
    ended = await command("check", "--json", given=variables(settings))
    assert (ended.code, ended.err) == (code, "")
    assert ended.json["ok"] is (code == 0)
    return {check["name"]: check["state"] for check in ended.json["checks"]}


async def test_servers_are_prepared_once_and_check_says_what_is_missing(
    stack: Servers, bare_database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, bare_database_url, topic_prefix)
    migrations = [name for name, _ in migration_files()]
    topics = [spec.name for spec in topic_specs(settings, INPUT_TOPICS)]
    fine = dict.fromkeys(("configuration", "kafka", "topics", "database", "schema"), "ok")
    assert await states(settings, 1) == fine | {"topics": "failed", "schema": "failed"}
    for name, printed, nothing in (
        ("migrate", [f"applied {name}" for name in migrations], "the schema is up to date"),
        ("topics", [f"created {name}" for name in topics], "all topics are there"),
    ):
        first = await command(name, given=variables(settings))
        assert (first.code, sorted(first.out.splitlines()), first.err) == (0, sorted(printed), "")
        again = await command(name, given=variables(settings))
        assert (again.code, again.out, again.err) == (0, f"{nothing}\n", "")
    assert await states(settings, 0) == fine
    misspelt = await command("check", given=variables(settings, BO_HTP_PORT="1"))
    assert misspelt.code == 0
    assert "no setting is named BO_HTP_PORT (did you mean BO_HTTP_PORT?)" in misspelt.out


async def test_a_server_that_is_away_ends_a_command_with_69_after_a_bounded_wait(topic_prefix: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{reserved.getsockname()[1]}"
        settings = world_settings(nowhere, f"postgresql://me:hunter2@{nowhere}/bo", topic_prefix, startup_wait_s=1)
        given = variables(settings)
        for arguments in (["migrate"], ["topics"], ["show", "order", "SO-1"], ["dlq", "list"]):
            ended = await command(*arguments, given=given)
            assert (ended.code, ended.out, ended.err.count("\n")) == (69, "", 1)
            assert nowhere.partition(":")[2] in ended.err
            assert "hunter2" not in ended.err
    found = await states(settings, 69)
    assert found == {"configuration": "ok"} | dict.fromkeys(("kafka", "topics", "database", "schema"), "away")


async def test_show_tells_where_an_order_stands_and_how_a_product_is(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    async with opened_world(settings) as world, running(world):
        await world.send(received(build.receipt(lines=[build.receipt_line(quantity=4, lot="L1")])))
        await world.settled()
        await world.send(message("product-policy-updated", build.policy(safety_stock=1)))
        await world.settled()
        await world.send(
            placed(build.order("SO-1", lines=[build.order_line(quantity=2), build.order_line("2", "SKU-2")]))
        )
        await world.settled()
        await world.send(placed(build.order("SO-2", placed_at=EARLIER, lines=[build.order_line(quantity=5)])))
        await world.send(placed(build.order("SO-3", lines=[build.order_line("7", "SKU-2", 1)], priority=9)))
        await world.settled()
    given = variables(settings)
    compare_order((await command("show", "order", "SO-1", "--json", given=given)).json)
    compare_product((await command("show", "sku", "SKU-1", "--json", given=given)).json)
    plain = (await command("show", "sku", "SKU-2", given=given)).out.splitlines()
    assert plain[0] == "SKU-2: 4 units wait on 2 lines"
    head = plain.index("Head of the queue") + 2
    assert [line.split()[:4] for line in plain[head : head + 2]] == [["1", "SO-3", "7", "1"], ["2", "SO-1", "2", "3"]]
    printed = (await command("show", "order", "SO-1", given=given)).out
    assert "2 of 2" in printed
    assert "C-7" in printed
    for unknown, said in ((("order", "SO-9"), "order SO-9"), (("sku", "X"), "product X")):
        ended = await command("show", *unknown, "--json", given=given)
        assert (ended.code, ended.out, ended.err) == (1, "", f"bo-worker: there is no {said}\n")


def compare_order(order: dict[str, Any]) -> None:
    assert order.pop("received_at").startswith("20")
    first, second = order.pop("lines")
    history = [(entry["change"], entry["quantity"], entry["line_id"]) for entry in order.pop("history")]
    assert history == [("claimed", 2, "1"), ("backordered", 3, "2")]
    assert order == {
        "order_id": "SO-1",
        "placed_at": build.AT,
        "priority": 0,
        "ship_complete": False,
        "need_by": None,
        "ship_to_country": None,
        "customer_id": "C-7",
        "notices": [],
        "refused_answers": [],
        "payment": None,
    }
    (allocation,) = first.pop("allocations")
    assert allocation.pop("fulfillment_id").startswith("F-")
    none = {"cancelled": 0, "rejected": 0, "shipped": 0, "held": 0, "expected_from": None, "expected_to": None}
    assert first == none | {
        "line_id": "1",
        "sku": "SKU-1",
        "location": None,
        "quantity": 2,
        "backordered": 0,
        "released": 2,
        "queue": None,
    }
    assert allocation == {"location": "WH1", "held": 0, "released": 2, "shipped": 0, "lot": None, "receipt_id": None}
    assert (second["backordered"], second["queue"], second["allocations"]) == (
        3,
        {"rank": 2, "waiting_lines": 2},
        [],
    )


def compare_product(product: dict[str, Any]) -> None:
    assert product.pop("policy")["safety_stock"] == 1
    (waiting,) = product.pop("queue")
    history = [(entry["change"], entry["quantity"], entry["order_id"]) for entry in product.pop("history")]
    assert history[:3] == [("received", 4, None), ("put_away", 4, None), ("claimed", 2, "SO-1")]
    assert product == {
        "sku": "SKU-1",
        "waiting_units": 4,
        "waiting_lines": 1,
        "waitlist_untold": 0,
        "stock": [{"location": "WH1", "on_hand": 4, "allocated": 3, "safety_stock": 1, "available": 0}],
        "supply": [],
    }
    assert waiting == {
        "rank": 1,
        "order_id": "SO-2",
        "line_id": "1",
        "backordered": 4,
        "priority": 0,
        "placed_at": EARLIER,
        "expected_from": None,
        "expected_to": None,
    }


async def test_json_is_whole_even_for_an_order_with_every_line_waiting(
    stack: Servers, database_url: str, topic_prefix: str
) -> None:
    settings = world_settings(stack.bootstrap_servers, database_url, topic_prefix)
    lines = [build.order_line(str(number), quantity=1) for number in range(2000)]
    async with opened_world(settings) as world, running(world):
        await world.send(placed(build.order("SO-1", lines=lines)))
        await world.settled()
    ended = await command("show", "order", "SO-1", "--json", given=variables(settings))
    found = orjson.loads(ended.out)["lines"]
    assert [line["line_id"] for line in found] == [line["line_id"] for line in lines]
    assert [line["queue"]["rank"] for line in found] == list(range(1, 2001))


async def test_stack_prints_the_variables_to_use_and_ends_at_a_signal(stack: Servers) -> None:
    given = {KAFKA_VARIABLE: stack.bootstrap_servers, DATABASE_VARIABLE: stack.database_url}
    process = await started(["stack"], given)
    assert process.stdout
    lines = [(await process.stdout.readline()).decode() for _ in range(2)]
    process.terminate()
    out, err = await process.communicate()
    assert lines == [
        f"export BO_KAFKA_BOOTSTRAP_SERVERS={stack.bootstrap_servers}\n",
        f"export BO_DATABASE_URL={shlex.quote(stack.database_url)}\n",
    ]
    assert (process.returncode, out) == (0, b"")
    assert b"Traceback" not in err
