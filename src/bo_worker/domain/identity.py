"""Ids that follow from their cause: the same cause gives the same id, on every attempt."""

from __future__ import annotations

from hashlib import blake2b


def derive_id(prefix: str, *parts: str) -> str:
    """Return `prefix` and 20 hexadecimal digits that depend on every part and on where parts begin."""
    return prefix + blake2b("\x1f".join(parts).encode(), digest_size=10).hexdigest()
