"""The topics the worker needs: what each must look like, and creating those that are missing."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, NoError, TopicAlreadyExistsError, for_code

from bo_worker.kafka.client import client_arguments, ended_within, started
from bo_worker.kafka.errors import KafkaFault, KafkaUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence

    from bo_worker.config import Settings

_MIB = 1024 * 1024
_DAY_MS = 24 * 60 * 60 * 1000
_END_DEADLINE_S = 2.0
_POLL_S = 0.05
_MESSAGE_BYTES_MAX = 4 * _MIB
_DEAD_LETTER_BYTES_MAX = 5 * _MIB  # the message as it came, and our headers
_DEAD_LETTER_DAYS = 90  # long enough that a person looks at it

DEAD_LETTER_SUFFIX = ".dlq"
COMPACTED_TOPIC = "availability-changed"
OUTPUT_TOPICS = ("customer-notification", "fulfillment", COMPACTED_TOPIC, "procurement", "payment")


class TopicSpec(NamedTuple):
    """A topic by its full name, with the settings that differ from the broker's defaults."""

    name: str
    partitions: int
    replication_factor: int
    configs: dict[str, str]


class TopicDifference(NamedTuple):
    """A topic whose clean-up policy is not what it must be."""

    name: str
    expected: str
    found: str


class TopicsState(NamedTuple):
    """The number of brokers, the full names of topics that do not exist, and those that are not as they must be."""

    brokers: int
    missing: list[str]
    differing: list[TopicDifference]


class CannotCreateTopics(KafkaFault):
    """The broker refuses to create a topic."""


def topic_specs(settings: Settings, input_topics: Sequence[str]) -> list[TopicSpec]:
    """Every topic of the worker: inputs, their dead-letter topics, outputs."""
    dead_letters = {
        "max.message.bytes": str(_DEAD_LETTER_BYTES_MAX),
        "retention.ms": str(_DEAD_LETTER_DAYS * _DAY_MS),
    }
    return [
        *(_spec(settings, topic, {}) for topic in input_topics),
        *(_spec(settings, topic + DEAD_LETTER_SUFFIX, dead_letters) for topic in input_topics),
        *(_spec(settings, topic, _output_configs(topic)) for topic in OUTPUT_TOPICS),
    ]


def _output_configs(topic: str) -> dict[str, str]:
    return {"cleanup.policy": "compact"} if topic == COMPACTED_TOPIC else {}


def _spec(settings: Settings, topic: str, configs: dict[str, str]) -> TopicSpec:
    return TopicSpec(
        name=settings.topic_prefix + topic,
        partitions=settings.topic_partitions,
        replication_factor=settings.topic_replication_factor,
        configs={"max.message.bytes": str(_MESSAGE_BYTES_MAX), **configs},
    )


async def ensure_topics(settings: Settings, input_topics: Sequence[str], deadline_s: float = 30) -> list[str]:
    """Create what is missing and return the names created; several workers may do so at once.

    An existing topic is left as it is; where it differs in a way that matters, a warning is logged.

    Raises:
        KafkaUnavailable: Kafka did not answer within `deadline_s`.
        CannotCreateTopics: The broker refused.
    """
    specs = topic_specs(settings, input_topics)
    async with _admin(settings, deadline_s) as admin:
        existing = set(await admin.list_topics())
        missing = [spec for spec in specs if spec.name not in existing]
        created = await _create(admin, missing) if missing else []
        await _wait_until_served(admin, [spec.name for spec in missing], deadline_s)
        for name, expected, found in await _differences(admin, [spec for spec in specs if spec.name not in created]):
            structlog.get_logger().warning("topic_differs", topic=name, expected=expected, found=found)
    return created


async def missing_topics(settings: Settings, input_topics: Sequence[str], deadline_s: float = 30) -> list[str]:
    """Full names of the topics that do not exist.

    Raises:
        KafkaUnavailable: Kafka did not answer within `deadline_s`.
    """
    async with _admin(settings, deadline_s) as admin:
        existing = set(await admin.list_topics())
    return [spec.name for spec in topic_specs(settings, input_topics) if spec.name not in existing]


async def delete_topics(settings: Settings, deadline_s: float = 30) -> None:
    """Delete all topics with the prefix of these settings: what was tried out leaves nothing on servers of others.

    Raises:
        KafkaUnavailable: Kafka did not answer within `deadline_s`.
        ValueError: The prefix is empty.
    """
    if not settings.topic_prefix:
        raise ValueError("without a prefix these would be the topics of everybody")
    async with _admin(settings, deadline_s) as admin:
        ours = [topic for topic in await admin.list_topics() if topic.startswith(settings.topic_prefix)]
        await admin.delete_topics(ours)


async def inspect_topics(settings: Settings, input_topics: Sequence[str], deadline_s: float = 30) -> TopicsState:
    """Look at the brokers and the topics, and change nothing.

    Raises:
        KafkaUnavailable: Kafka did not answer within `deadline_s`.
    """
    specs = topic_specs(settings, input_topics)
    async with _admin(settings, deadline_s) as admin:
        existing = set(await admin.list_topics())
        brokers = (await admin.describe_cluster())["brokers"]
        differing = await _differences(admin, [spec for spec in specs if spec.name in existing])
    return TopicsState(len(brokers), [spec.name for spec in specs if spec.name not in existing], differing)


@asynccontextmanager
async def _admin(settings: Settings, deadline_s: float) -> AsyncIterator[AIOKafkaAdminClient]:
    def make() -> AIOKafkaAdminClient:
        return AIOKafkaAdminClient(**client_arguments(settings, "admin"))

    admin = await started(make, _end, deadline_s)
    try:
        yield admin
    except KafkaError as error:
        raise KafkaUnavailable(f"Kafka does not answer as it should: {error!r}") from error
    finally:
        await _end(admin)


def _end(admin: AIOKafkaAdminClient) -> Awaitable[bool]:
    return ended_within(_END_DEADLINE_S, admin.close())


async def _create(admin: AIOKafkaAdminClient, specs: Iterable[TopicSpec]) -> list[str]:
    response = await admin.create_topics([_new_topic(spec) for spec in specs])
    created = []
    for name, code, reason in (answer[:3] for answer in response.topic_errors):
        match for_code(code):
            case error if error is NoError:
                created.append(name)
            case error if error is not TopicAlreadyExistsError:
                raise CannotCreateTopics(f"{name}: {reason or error.__name__}")
    return created


async def _wait_until_served(admin: AIOKafkaAdminClient, names: list[str], deadline_s: float) -> None:
    """A topic exists a moment before its brokers know of it, and until then clients of it fail."""
    try:
        async with asyncio.timeout(deadline_s):
            while names and not all(map(_is_served, await admin.describe_topics(names))):  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise KafkaUnavailable("Kafka does not serve the topics that were created") from error


def _is_served(topic: dict[str, Any]) -> bool:
    return topic["error_code"] == 0 and all(partition["leader"] >= 0 for partition in topic["partitions"])


def _new_topic(spec: TopicSpec) -> NewTopic:
    # The client takes -1, the broker's default, only beside an explicit mapping of replicas.
    return NewTopic(
        spec.name,
        spec.partitions,
        spec.replication_factor,
        replica_assignments={} if spec.replication_factor == -1 else None,
        topic_configs=spec.configs,
    )


async def _differences(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[TopicDifference]:
    """Only what would lose messages counts: compaction of the one, none of the others."""
    found = await _cleanup_policies(admin, [spec.name for spec in specs])
    wanted = {spec.name: spec.configs.get("cleanup.policy", "delete") for spec in specs}
    return [TopicDifference(name, wanted[name], policy) for name, policy in found.items() if policy != wanted[name]]


async def _cleanup_policies(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, Any]:
    wanted = {"cleanup.policy": None}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, wanted) for name in names]
    responses = await admin.describe_configs(resources) if resources else []
    return {
        name: entry[1] for response in responses for _, _, _, name, entries in response.resources for entry in entries
    }
