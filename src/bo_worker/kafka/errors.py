"""What can go wrong with Kafka, in the words of the worker, and which of it passes by itself."""

from __future__ import annotations

from aiokafka.errors import KafkaError


class KafkaFault(Exception):  # noqa: N818 - named for what happened, like the others here
    """Anything that goes wrong between the worker and Kafka."""


class KafkaUnavailable(KafkaFault):
    """Kafka does not answer in time; trying again is right."""


class ConsumerFailed(KafkaFault):
    """The consumer can't go on: stop it and build a new one. Nothing is lost by that."""


class PublishFailed(KafkaFault):
    """Not every message is acknowledged: publish them all again, in the same order.

    Attributes:
        unpublishable: The broker will never take one of the messages; trying again is of no use.
    """

    def __init__(self, reason: str, *, unpublishable: bool = False) -> None:
        super().__init__(reason)
        self.unpublishable = unpublishable


class OffsetOutsideLog(KafkaFault):
    """A stored offset is not in the log: messages were removed unread, or the topic was made anew."""

    def __init__(self, topic: str, partition: int, offset: int, earliest: int, latest: int) -> None:
        super().__init__(
            f"{topic}[{partition}]: the next message to read has offset {offset}, "
            f"but the log holds offsets {earliest} to {latest}"
        )
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.earliest = earliest
        self.latest = latest


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed later without anybody's help."""
    match error:
        case PublishFailed():
            return not error.unpublishable
        case KafkaUnavailable() | ConsumerFailed():
            return True
        case KafkaError():
            return bool(error.retriable)
        case _:
            return isinstance(error, OSError | TimeoutError)
