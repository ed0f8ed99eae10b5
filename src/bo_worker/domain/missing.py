"""What the core needs and was not given: the caller loads more and starts again."""

from __future__ import annotations


class NotLoadedError(Exception):
    """More of a product must be loaded before a command can be decided; nothing of the attempt may be kept."""

    def __init__(self, sku: str, location: str) -> None:
        super().__init__(f"the loaded part of {sku} at {location!r} is used up")
        self.sku = sku
        self.location = location


class QueueExhaustedError(NotLoadedError):
    """More lines of the lane of `location` are needed."""


class ClaimsExhaustedError(NotLoadedError):
    """More claims at `location` are needed, in the order in which they give way."""


class QueueUndividedError(NotLoadedError):
    """Lines that are loaded as one have others between them by now: they must be loaded one by one."""
