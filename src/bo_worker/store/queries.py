"""Named SQL: every query stands in sql/*.sql under a line `-- name: NAME`, with what it means and what it locks.

One that is `ranked` reads queues in the order of `placed_at`, and has a variant that reads them in the order
of `need_by`.
"""

from __future__ import annotations

import re
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"^-- name: ([a-z_]+)(, ranked)?$", re.MULTILINE)
_RANK = re.compile(r"\b(order by [a-z_, ]*priority(?: desc)?), placed_at( desc)?")


def load_queries() -> Mapping[str, str]:
    """Read every named query; a name that stands twice is an error."""
    queries: dict[str, str] = {}
    folder = resources.files("bo_worker.store").joinpath("sql")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        _, *parts = _NAME.split(file.read_text("utf-8"))
        for name, is_ranked, sql in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            if name in queries:
                raise ValueError(f"the query {name} stands twice")
            queries[name] = sql.strip()
            if is_ranked:
                queries[f"{name}_by_need_by"] = _RANK.sub(r"\1, need_by\2, placed_at\2", sql.strip())
    return MappingProxyType(queries)


def ranked(name: str, rank_by: str) -> str:
    """Return the name of the variant of a query that reads in the order of a rank."""
    return name if rank_by == "placed_at" else f"{name}_by_{rank_by}"


QUERIES = load_queries()
