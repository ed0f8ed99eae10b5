"""Whether stored offsets are still in the log, before reading goes on from them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from bo_worker.kafka.errors import KafkaUnavailable, OffsetOutsideLog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaConsumer, TopicPartition

# A leader that has just been elected may know a smaller end of the log than its predecessor, for a moment.
_PAUSES_S = (0.2, 0.8, 2.0, 0.0)


async def offsets_in_log(
    consumer: AIOKafkaConsumer, wanted: Mapping[TopicPartition, int | None], timeout_s: float
) -> dict[TopicPartition, int]:
    """The wanted offsets, with the earliest one of the log in place of None. The end of the log is in range.

    Raises:
        OffsetOutsideLog: An offset is not in the log.
        KafkaUnavailable: Kafka did not say within `timeout_s`.
    """
    for pause_s in _PAUSES_S:
        earliest, latest = await _ends(consumer, list(wanted), timeout_s)
        offsets = {tp: earliest[tp] if offset is None else offset for tp, offset in wanted.items()}
        outside = [tp for tp, offset in offsets.items() if not earliest[tp] <= offset <= latest[tp]]
        if not outside:
            return offsets
        await asyncio.sleep(pause_s)
    tp = min(outside)
    raise OffsetOutsideLog(tp.topic, tp.partition, offsets[tp], earliest[tp], latest[tp])


async def _ends(
    consumer: AIOKafkaConsumer, partitions: list[TopicPartition], timeout_s: float
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    try:
        async with asyncio.timeout(timeout_s):
            return await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    except (KafkaError, TimeoutError) as error:
        raise KafkaUnavailable(f"Kafka does not say where its logs begin and end: {error!r}") from error
