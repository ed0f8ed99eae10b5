"""The command line before any server is asked: help, usage, settings, and what is said of expected errors."""

from __future__ import annotations

import logging
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
import structlog

from bo_worker.cli import main
from bo_worker.cli.failures import CommandFailedError, Failure, explain
from bo_worker.cli.output import print_json, print_table
from bo_worker.config import ConfigurationError
from bo_worker.kafka.errors import KafkaUnavailable, PublishFailed
from bo_worker.service.failures import InvariantBrokenError
from bo_worker.service.startup import NotThereError
from bo_worker.stack.process import StackError
from bo_worker.store.database import DatabaseUnavailableError
from bo_worker.store.migrations import MigrationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMANDS = ("run", "migrate", "topics", "check", "show", "report", "dlq", "stack", "demo", "year", "bench")
# What only commands at work need; each of them would double the time of --help.
HEAVY = ("aiokafka", "asyncpg", "pydantic", "prometheus_client", "starlette", "uvicorn", "uvloop")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """A command that gets as far as to a server sends all logs to its standard error, here one that is captured."""
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = [
        line.split()[0] for line in capsys.readouterr().out.partition("Commands")[2].splitlines() if line.split()
    ]
    assert sorted(listed[1:]) == sorted(COMMANDS)


def test_help_waits_for_none_of_the_libraries_that_only_work_needs() -> None:
    program = f"import sys, bo_worker.cli as c; c.main(['--help']); print([m for m in {HEAVY} if m in sys.modules])"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "arguments", [("year", "--html", "no/where.html"), ("bench", "--json", "no/where.json"), ("bench", "nothing")]
)
def test_what_takes_long_refuses_a_wrong_argument_before_it_begins(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert main(arguments) == 2
    assert "Invalid value: no" in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == "0.1.0\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["reun"],
        ["run", "--fast"],
        ["show", "order"],
        ["show", "invoice", "1"],
        ["report", "--json", "--csv"],
        ["report", "--from", "2026-13-01"],
        ["report", "--from", "2026-02-01", "--to", "2026-01-31"],
        ["report", "--to", "1969-12-31"],
        ["dlq", "show", "order-created"],
        ["dlq", "show", "order-created", "17"],
        ["dlq", "show", "fulfillment", "0:17"],
        ["dlq", "list", "--newest", "-1"],
        ["dlq", "replay"],
        ["dlq", "replay", "order-created"],
        ["dlq", "replay", "order-created", "0:x"],
        ["dlq", "replay", "order-created", "0:1", "--all"],
        ["dlq", "replay", "--all", "--value-file", "/nowhere"],
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Error: " in said.err


def test_a_mended_value_belongs_to_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "value.json"
    file.write_text("{}")
    for chosen in (["--all"], ["order-created", "0:1", "0:2"]):
        assert main(["dlq", "replay", *chosen, "--value-file", str(file)]) == 2
        assert "a mended value belongs to one message" in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    "command", [["run"], ["migrate"], ["topics"], ["check"], ["show", "sku", "X"], ["report"], ["dlq", "list"]]
)
def test_every_wrong_setting_is_a_line_and_the_exit_code_is_2(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BO_HTTP_PORT", "abc")
    monkeypatch.setenv("BO_LOG_FORMAT", "xml")
    assert main(command) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()) == (
        "",
        [
            "BO_HTTP_PORT: expected a whole number from 0 to 65535, found 'abc'",
            "BO_LOG_FORMAT: expected json or console, found 'xml'",
        ],
    )


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConfigurationError("BO_X: wrong"), Failure("BO_X: wrong", 2)),
        (NotThereError("no Kafka"), Failure("bo-worker: no Kafka", 69)),
        (KafkaUnavailable("no reply"), Failure("bo-worker: no reply", 69)),
        (DatabaseUnavailableError("no reply"), Failure("bo-worker: no reply", 69)),
        (StackError("no Java"), Failure("bo-worker: no Java", 69)),
        (CommandFailedError("there is no order 1"), Failure("bo-worker: there is no order 1", 1)),
        (MigrationError("changed"), Failure("bo-worker: changed", 1)),
        (PublishFailed("too large"), Failure("bo-worker: Kafka did not take the messages: too large", 1)),
        (asyncpg.ConnectionDoesNotExistError("closed"), Failure("bo-worker: Postgres hung up: closed", 69)),
        (asyncpg.InsufficientPrivilegeError("denied"), Failure("bo-worker: Postgres refused: denied", 1)),
        (ExceptionGroup("several", [KafkaUnavailable("no reply")]), Failure("bo-worker: no reply", 69)),
        (InvariantBrokenError("a bug"), None),
        (KeyError("a bug"), None),
    ],
)
def test_expected_errors_are_one_line_and_an_exit_code_and_bugs_are_not(
    error: Exception, failure: Failure | None
) -> None:
    assert explain(error) == failure


def test_a_table_in_a_pipe_is_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    rows: list[list[Any]] = [["SKU-1", 5, None, True], ["SKU-100", 1200, "", False]]
    print_table("Stock", ("sku", "units", "lot", "fresh"), rows)
    print_table("Nothing", ("sku",), [])
    assert capsys.readouterr().out.splitlines() == [
        "Stock",
        "sku      units  lot  fresh",
        "SKU-1        5  -    yes",
        "SKU-100   1200  -    no",
    ]


def test_json_has_instants_in_utc(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"placed_at": datetime(2026, 11, 21, 9, 30, tzinfo=UTC), "lines": []})
    assert capsys.readouterr().out == '{\n  "placed_at": "2026-11-21T09:30:00Z",\n  "lines": []\n}\n'
