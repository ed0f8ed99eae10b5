"""The topics of the worker are made once, as they must be, and told apart from those that are not."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from bo_worker.config import Settings, load_settings
from bo_worker.kafka.errors import KafkaUnavailable, is_transient
from bo_worker.kafka.topics import ensure_topics, missing_topics, topic_specs

if TYPE_CHECKING:
    from bo_worker.stack.servers import Servers

INPUTS = ["order-created", "inventory-received"]
NAMES = [
    "order-created",
    "inventory-received",
    "order-created.dlq",
    "inventory-received.dlq",
    "customer-notification",
    "fulfillment",
    "availability-changed",
    "procurement",
    "payment",
]


@pytest.fixture
def settings(stack: Servers, topic_prefix: str) -> Settings:
    return load_settings(
        kafka_bootstrap_servers=stack.bootstrap_servers, topic_prefix=topic_prefix, topic_partitions=2
    )


async def test_what_is_missing_is_created_once_even_by_two_workers_at_the_same_time(settings: Settings) -> None:
    expected = [settings.topic_prefix + name for name in NAMES]
    assert await missing_topics(settings, INPUTS) == expected
    created = await asyncio.gather(ensure_topics(settings, INPUTS), ensure_topics(settings, INPUTS))
    assert sorted(created[0] + created[1]) == sorted(expected)
    assert await missing_topics(settings, INPUTS) == []
    with capture_logs() as logs:
        assert await ensure_topics(settings, INPUTS) == []
    assert logs == []


async def test_topics_look_as_specified(settings: Settings) -> None:
    await ensure_topics(settings, INPUTS)
    specs = {spec.name: spec.configs for spec in topic_specs(settings, INPUTS)}
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        described = await admin.describe_topics(list(specs))
        configs = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(specs[name])) for name in specs]
        )
    finally:
        await admin.close()
    assert {topic["topic"]: len(topic["partitions"]) for topic in described} == dict.fromkeys(specs, 2)
    found = {name: {e[0]: e[1] for e in entries} for r in configs for _, _, _, name, entries in r.resources}
    assert found == specs
    assert specs[settings.topic_prefix + "availability-changed"]["cleanup.policy"] == "compact"


async def test_an_existing_topic_that_loses_messages_is_warned_about_and_left_alone(settings: Settings) -> None:
    name = settings.topic_prefix + "availability-changed"
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    await admin.create_topics([NewTopic(name, 1, 1)])
    await admin.close()
    with capture_logs() as logs:
        created = await ensure_topics(settings, INPUTS)
    assert name not in created
    assert logs == [
        {
            "event": "topic_differs",
            "log_level": "warning",
            "topic": name,
            "expected": "compact",
            "found": "delete",
        }
    ]


async def test_no_kafka_is_told_within_the_deadline_and_may_pass() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        nowhere = load_settings(kafka_bootstrap_servers=f"127.0.0.1:{reserved.getsockname()[1]}")
        with pytest.raises(KafkaUnavailable, match="Kafka does not answer: ") as caught:
            await missing_topics(nowhere, INPUTS, deadline_s=0.5)
    assert is_transient(caught.value)
