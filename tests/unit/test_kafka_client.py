"""How clients connect and end, as far as it can be told without a broker."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import MessageSizeTooLargeError, NotLeaderForPartitionError
from aiokafka.partitioner import murmur2 as clients_murmur2

from bo_worker.config import ConfigurationError, load_settings
from bo_worker.kafka.client import cancel_all, client_arguments, ended_within
from bo_worker.kafka.errors import (
    ConsumerFailed,
    KafkaUnavailable,
    OffsetOutsideLog,
    PublishFailed,
    is_transient,
)
from bo_worker.kafka.publisher import murmur2

if TYPE_CHECKING:
    from pathlib import Path


def test_a_plain_connection_needs_the_servers_only() -> None:
    settings = load_settings(kafka_bootstrap_servers="a:1, b:2", kafka_request_timeout_s=1.5)
    arguments = client_arguments(settings, "consumer")
    assert arguments == {
        "bootstrap_servers": "a:1,b:2",
        "client_id": "bo-worker-consumer",
        "request_timeout_ms": 1500,
        "metadata_max_age_ms": 30_000,
        "security_protocol": "PLAINTEXT",
        "ssl_context": None,
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": None,
        "sasl_plain_password": None,
    }


def test_a_protected_connection_checks_the_broker_and_proves_who_we_are() -> None:
    settings = load_settings(
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_mechanism="SCRAM-SHA-512",
        kafka_sasl_username="worker",
        kafka_sasl_password="hunter2",  # noqa: S106 - not a real one
    )
    arguments = client_arguments(settings, "publisher")
    context = arguments.pop("ssl_context")
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert {name: arguments[name] for name in arguments if name.startswith(("sasl", "security"))} == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "worker",
        "sasl_plain_password": "hunter2",
    }


def test_a_file_that_is_no_certificate_is_a_fault_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("nothing of the kind")
    settings = load_settings(kafka_security_protocol="SSL", kafka_ssl_ca_file=file)
    with pytest.raises(ConfigurationError, match="expected readable PEM files"):
        client_arguments(settings, "consumer")


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (KafkaUnavailable("away"), True),
        (ConsumerFailed("broken"), True),
        (PublishFailed("late"), True),
        (PublishFailed("too large", unpublishable=True), False),
        (OffsetOutsideLog("order-created", 0, 5, 6, 9), False),
        (NotLeaderForPartitionError(), True),
        (MessageSizeTooLargeError(), False),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (ValueError(), False),
    ],
)
def test_errors_that_pass_by_themselves_are_told_from_those_that_do_not(error: Exception, *, transient: bool) -> None:
    assert is_transient(error) is transient


async def test_an_ending_that_takes_too_long_is_abandoned_and_one_that_fails_is_forgotten() -> None:
    async def hang() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise ConnectionError("gone")

    async def give_up() -> None:
        raise asyncio.CancelledError

    assert [await ended_within(0.05, ending()) for ending in (hang, fail, give_up)] == [False, True, True]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_task_that_waits_again_when_it_is_cancelled_is_cancelled_again() -> None:
    cancelled: list[int] = []

    async def stubborn() -> None:
        for attempt in range(3):
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(attempt)

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await cancel_all([task, None])
    assert (cancelled, task.done()) == ([0, 1, 2], True)


def test_keys_go_to_the_partitions_that_every_client_chooses() -> None:
    keys = [b"k" * size + bytes((byte,)) for size in range(20) for byte in range(0, 256, 17)]
    assert [murmur2(key) & 0x7FFFFFFF for key in keys] == [clients_murmur2(key) & 0x7FFFFFFF for key in keys]
