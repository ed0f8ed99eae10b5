"""Outputs in the words of the plain model, to compare the two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from bo_worker.messages.inbound import Decoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bo_worker.app import Worker
    from bo_worker.service.apply import Applied
    from bo_worker.service.batch import Batch
    from model import Data, Event
    from world import Output

# The model makes up no ids, and knows nothing of what is told to shops and to purchasing.
BLANK = {"fulfillment_id": "F-", "notification_id": "N-", "revokes": "F-"}
UNTOLD = ("availability-changed", "procurement")


def plain_events(outputs: Iterable[Output]) -> list[Event]:
    """The outputs as events of the model."""
    return [
        (output.topic, output.key.decode(), {name: BLANK.get(name, value) for name, value in output.data.items()})
        for output in outputs
        if output.topic not in UNTOLD
    ]


def in_any_order(events: Iterable[Event]) -> list[bytes]:
    """The events in a form that can be compared where their sequence is not promised."""
    return sorted(orjson.dumps(event, option=orjson.OPT_SORT_KEYS) for event in events)


def watch_commits(worker: Worker) -> list[tuple[str, Data]]:
    """A list that fills with the inputs of a worker, topic and data, in the order in which it commits them."""
    committed: list[tuple[str, Data]] = []
    tell: Any = worker.applier._committed

    def told(batch: Batch, applied: Applied) -> None:
        inputs = [item.record for item in batch.items if isinstance(item, Decoded)]
        committed.extend((record.topic, orjson.loads(record.value or b"")) for record in inputs)
        tell(batch, applied)

    worker.applier._committed = told
    return committed
