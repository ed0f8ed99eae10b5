"""Policies of products, in and out of the database."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import orjson

from bo_worker.domain.commands import UpdatePolicy
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from bo_worker.domain.stock import Product


async def save_policies(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write the policies that changed."""
    changed = [product for product in products if product.is_policy_changed and product.policy]
    if changed:
        await connection.execute(
            QUERIES["update_policies"],
            [product.sku for product in changed],
            [orjson.dumps(product.policy).decode() for product in changed],
            [product.policy_digest for product in changed],
            [product.safety_stock for product in changed],
        )


def load_policy(text: str) -> UpdatePolicy:
    """Return a stored policy."""
    fields = orjson.loads(text)
    fields["updated_at"] = datetime.fromisoformat(fields["updated_at"])
    for name in ("release_on", "season_ends_on"):
        fields[name] = fields[name] and date.fromisoformat(fields[name])
    return UpdatePolicy(**fields)
