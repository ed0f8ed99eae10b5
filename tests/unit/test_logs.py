"""Logs are structured, have names from a closed list, and show neither customers nor secrets."""

from __future__ import annotations

import ast
import io
import json
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

import bo_worker
from bo_worker.observability.events import EVENTS
from bo_worker.observability.logs import _Forwarding, configure_logging
from bo_worker.observability.telemetry import telemetry_page

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(bo_worker.__file__).parent
DOCS = SOURCE.parent.parent / "docs"
LOG_METHODS = {"debug", "info", "warning", "error", "critical", "exception"}


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def stream() -> io.StringIO:
    stream = io.StringIO()
    configure_logging("json", "info", stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert all(line.pop("timestamp").endswith("Z") for line in found)
    return found


def event_names_used() -> set[str]:
    calls = (
        node
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS
    )
    return {
        call.args[0].value
        for call in calls
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def test_every_event_that_is_logged_is_in_the_catalogue() -> None:
    assert event_names_used() - EVENTS.keys() == set()


def test_the_telemetry_page_is_up_to_date() -> None:
    assert (DOCS / "telemetry.md").read_text() == telemetry_page()


def test_a_line_is_one_json_object(stream: io.StringIO) -> None:
    structlog.get_logger().info("batch_applied", records=3, seconds=0.5, outcomes={"applied": 3})
    assert lines(stream) == [
        {"event": "batch_applied", "level": "info", "records": 3, "seconds": 0.5, "outcomes": {"applied": 3}}
    ]


def test_a_stream_that_is_gone_does_not_stop_who_writes(stream: io.StringIO) -> None:
    stream.close()
    structlog.get_logger().info("batch_applied")
    assert stream.closed


def test_lines_below_the_level_are_not_written(stream: io.StringIO) -> None:
    structlog.get_logger().debug("batch_applied")
    assert lines(stream) == []


def test_customers_contents_and_secrets_are_masked_at_any_depth(stream: io.StringIO) -> None:
    structlog.get_logger().info(
        "message_dead_lettered",
        topic="order-created",
        value=b"{}",
        key="SO-1",
        inner={"customer": {"email": "a@example.com"}, "lines": [{"phone": "+46", "sku": "SKU-1"}]},
        raw=b"bytes are contents whatever their name",
        sasl_password="hunter2",  # noqa: S106 - not a real one
        url="postgresql://worker:hunter2@db:5432/bo",
    )
    assert lines(stream) == [
        {
            "event": "message_dead_lettered",
            "level": "info",
            "topic": "order-created",
            "value": "***",
            "key": "***",
            "inner": {"customer": "***", "lines": [{"phone": "***", "sku": "SKU-1"}]},
            "raw": "***",
            "sasl_password": "***",
            "url": "postgresql://***@db:5432/bo",
        }
    ]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_shows_no_local_variables(log_format: str) -> None:
    stream = io.StringIO()
    configure_logging(log_format, "info", stream)
    hidden = "not for" + " others"
    try:
        _fail(hidden)
    except ValueError:
        structlog.get_logger().exception("worker_crashed")
    assert "ValueError: a plain reason" in stream.getvalue()
    assert hidden not in stream.getvalue()


def _fail(_secret: str) -> None:
    raise ValueError("a plain reason")


def test_lines_of_libraries_come_out_the_same_way(stream: io.StringIO) -> None:
    logging.getLogger("aiokafka.conn").warning("Connection to %s lost", "kafka:9092")
    assert lines(stream) == [
        {
            "event": "library_logged",
            "level": "warning",
            "library": "aiokafka.conn",
            "text": "Connection to kafka:9092 lost",
        }
    ]


def test_warnings_come_out_the_same_way(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        configure_logging("json", "info", stream)
        warnings.warn("mind the gap", UserWarning, stacklevel=1)
    (line,) = lines(stream)
    assert (line["library"], "mind the gap" in line["text"]) == ("py.warnings", True)


def test_libraries_never_write_at_the_level_at_which_they_show_messages() -> None:
    stream = io.StringIO()
    configure_logging("json", "debug", stream)
    logging.getLogger("aiokafka.producer").debug("Sending %s", b"a customer's order")
    assert lines(stream) == []


def test_a_repeating_line_of_a_library_is_withheld_for_a_while(stream: io.StringIO) -> None:
    now = [100.0]
    logger = logging.getLogger("bo_worker_test_library")
    logger.handlers[:] = [_Forwarding(clock=lambda: now[0])]
    logger.propagate = False
    for at in (100.0, 101.0, 104.9, 105.0):
        now[0] = at
        logger.error("broker %s is away", at)
    assert [(line["text"], line.get("withheld")) for line in lines(stream)] == [
        ("broker 100.0 is away", None),
        ("broker 105.0 is away", 2),
    ]


def test_the_console_format_is_for_people() -> None:
    stream = io.StringIO()
    configure_logging("console", "info", stream)
    structlog.get_logger().warning("topic_differs", topic="availability-changed")
    assert "topic_differs" in stream.getvalue()
    assert "topic=availability-changed" in stream.getvalue()
