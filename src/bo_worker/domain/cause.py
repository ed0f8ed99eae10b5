"""Why something happens."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Cause:
    """The message that makes something happen: its topic, its natural id, its trace.

    `name` is what the ids of its facts are derived from.
    """

    topic: str
    natural_id: str
    traceparent: str | None = None
    name: str = field(init=False)

    def __post_init__(self) -> None:
        self.name = f"{self.topic}/{self.natural_id}"
