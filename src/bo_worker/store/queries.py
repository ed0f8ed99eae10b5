"""Named SQL: every query stands in sql/*.sql under a line `-- name: NAME`, with what it means and what it locks."""

from __future__ import annotations

import re
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"^-- name: ([a-z_]+)$", re.MULTILINE)


def load_queries() -> Mapping[str, str]:
    """Read every named query; a name that stands twice is an error."""
    queries: dict[str, str] = {}
    folder = resources.files("bo_worker.store").joinpath("sql")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        _, *parts = _NAME.split(file.read_text("utf-8"))
        for name, sql in zip(parts[::2], parts[1::2], strict=True):
            if name in queries:
                raise ValueError(f"the query {name} stands twice")
            queries[name] = sql.strip()
    return MappingProxyType(queries)


def ranked(name: str, rank_by: str) -> str:
    """Return the name of the variant of a query that reads in the order of a rank."""
    return name if rank_by == "placed_at" else f"{name}_by_{rank_by}"


QUERIES = load_queries()
