"""Kafka and Postgres in Docker, by way of testcontainers, which belongs to the extra `dev`."""

from __future__ import annotations

import importlib.util
import os
import secrets
import socket
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bo_worker.stack import kafka, postgres
from bo_worker.stack.jars import KAFKA_VERSION
from bo_worker.stack.process import StackError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from testcontainers.core.container import DockerContainer

KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
POSTGRES_IMAGE = "postgres:18"
KAFKA_PORT = 9092
POSTGRES_PORT = 5432
PING_TIMEOUT_S = 0.5
READY_TIMEOUT_S = 120.0
READY_POLL_S = 0.2
# Kafka must tell its clients an address that only exists once the container runs: it waits until it is told.
ADVERTISED_FILE = "/tmp/advertised"  # noqa: S108 - a file in a container of ours
KAFKA_SCRIPT = (
    f"while [ ! -s {ADVERTISED_FILE} ]; do sleep 0.1; done;"
    f" export KAFKA_ADVERTISED_LISTENERS=$(cat {ADVERTISED_FILE}); exec /etc/kafka/docker/run"
)


def docker_answers() -> bool:
    """Whether a Docker engine answers, and testcontainers is there to use it; takes less than two seconds."""
    return importlib.util.find_spec("testcontainers") is not None and any(map(_ping, _engines()))


@contextmanager
def containers(progress: Callable[[str], None], *, durable: bool) -> Iterator[tuple[str, str]]:
    """Both servers in containers: the bootstrap servers, and the URL of the maintenance database.

    Raises:
        StackError: a server did not answer in time.
    """
    progress(f"starting {KAFKA_IMAGE} and {POSTGRES_IMAGE} in Docker")
    password = secrets.token_hex(16)
    # One after the other: testcontainers' reaper, which removes what we leave behind, can't be made twice at once.
    with _kafka_container() as broker, _postgres_container(password, durable=durable) as database:
        host, port = broker.get_container_host_ip(), broker.get_exposed_port(KAFKA_PORT)
        advertised = f"CLIENTS://{host}:{port},BROKER://localhost:29092"
        broker.exec(["sh", "-c", f"echo {advertised} > {ADVERTISED_FILE}"])
        _await("Kafka", lambda: kafka.kafka_answers(host, port))
        _await("Postgres", lambda: database.exec(["pg_isready", "-h", "127.0.0.1"]).exit_code == 0)
        where = f"{database.get_container_host_ip()}:{database.get_exposed_port(POSTGRES_PORT)}"
        yield f"{host}:{port}", f"postgresql://postgres:{password}@{where}/postgres"


def _engines() -> list[str]:
    if named := os.environ.get("DOCKER_HOST"):
        return [named]
    return ["unix:///var/run/docker.sock", f"unix://{Path.home()}/.docker/run/docker.sock"]


def _ping(engine: str) -> bool:
    at = urlsplit(engine)
    family = socket.AF_UNIX if at.scheme == "unix" else socket.AF_INET
    try:
        with socket.socket(family) as connection:
            connection.settimeout(PING_TIMEOUT_S)
            connection.connect(at.path if at.scheme == "unix" else (at.hostname, at.port))
            connection.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except (OSError, TypeError, ValueError):
        return False


def _kafka_container() -> DockerContainer:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - a package of the extra `dev`

    # The broker talks to itself by a listener of its own: from within, the address its clients use leads nowhere.
    own = {
        "listeners": f"CLIENTS://:{KAFKA_PORT},BROKER://:29092,CONTROLLER://:29093",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": "1@localhost:29093",
    }
    container = DockerContainer(KAFKA_IMAGE).with_exposed_ports(KAFKA_PORT).with_command(["sh", "-c", KAFKA_SCRIPT])
    for name, value in (kafka.SETTINGS | own).items():
        container.with_env("KAFKA_" + name.replace(".", "_").upper(), value)
    return container.with_env("CLUSTER_ID", kafka.new_cluster_id())


def _postgres_container(password: str, *, durable: bool) -> DockerContainer:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - a package of the extra `dev`

    options = [part for each in postgres.settings(durable=durable).items() for part in ("-c", "=".join(each))]
    container = DockerContainer(POSTGRES_IMAGE).with_exposed_ports(POSTGRES_PORT)
    return container.with_command(["postgres", *options]).with_env("POSTGRES_PASSWORD", password)


def _await(name: str, answers: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not answers():
        if time.monotonic() > deadline:
            raise StackError(f"{name} did not answer in its container")
        time.sleep(READY_POLL_S)
