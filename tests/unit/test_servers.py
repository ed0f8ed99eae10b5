"""Which servers tests, demo and benchmarks get."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

import pytest

from bo_worker.stack.containers import docker_answers
from bo_worker.stack.process import StackError
from bo_worker.stack.servers import Provider, choose_provider

if TYPE_CHECKING:
    from pathlib import Path

KAFKA = {"BO_TEST_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
DATABASE = {"BO_TEST_DATABASE_URL": "postgresql://postgres/postgres"}


def there() -> bool:
    return True


def missing() -> bool:
    return False


def never_asked() -> bool:
    raise AssertionError("Docker was asked although the answer could not matter")


def test_servers_that_variables_name_win() -> None:
    assert choose_provider(KAFKA | DATABASE, never_asked) is Provider.VARIABLES


def test_a_docker_engine_that_answers_comes_before_our_own_servers() -> None:
    assert choose_provider({}, there) is Provider.TESTCONTAINERS


def test_without_docker_we_start_our_own_servers() -> None:
    assert choose_provider({}, missing) is Provider.EMBEDDED


@pytest.mark.parametrize("provider", list(Provider))
def test_a_provider_can_be_forced(provider: Provider) -> None:
    forced = KAFKA | DATABASE | {"BO_TEST_PROVIDER": provider.value}
    assert choose_provider(forced, never_asked) is provider


def test_an_empty_variable_counts_as_none() -> None:
    empty = dict.fromkeys((*KAFKA, *DATABASE, "BO_TEST_PROVIDER"), "")
    assert choose_provider(empty, missing) is Provider.EMBEDDED


@pytest.mark.parametrize("half", [KAFKA, DATABASE])
@pytest.mark.parametrize("forced", [{}, {"BO_TEST_PROVIDER": "variables"}])
def test_one_variable_without_the_other_is_refused(half: dict[str, str], forced: dict[str, str]) -> None:
    with pytest.raises(StackError, match="must both be set"):
        choose_provider(half | forced, never_asked)


def test_an_unknown_provider_is_refused_and_the_known_ones_are_named() -> None:
    with pytest.raises(StackError, match="BO_TEST_PROVIDER=cloud: there are variables, testcontainers, embedded"):
        choose_provider({"BO_TEST_PROVIDER": "cloud"}, never_asked)


@pytest.mark.parametrize(
    ("reply", "there"),
    [(b"HTTP/1.0 200 OK\r\n\r\nOK", True), (b"HTTP/1.0 500 Internal Server Error\r\n\r\n", False), (b"", False)],
)
def test_docker_is_there_when_its_engine_answers_a_ping(
    reply: bytes, *, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")
    with socket.socket(socket.AF_UNIX) as engine:
        engine.bind(f"{tmp_path}/docker.sock")
        engine.listen()
        answering = threading.Thread(target=answer_once, args=(engine, reply))
        answering.start()
        assert docker_answers() is there
        answering.join()


@pytest.mark.parametrize("host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "ssh://someone@elsewhere", "?"])
def test_docker_is_not_there_when_nothing_answers(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    assert docker_answers() is False


def answer_once(engine: socket.socket, reply: bytes) -> None:
    connection, _ = engine.accept()
    with connection:
        assert connection.recv(64).startswith(b"GET /_ping ")
        connection.sendall(reply)
