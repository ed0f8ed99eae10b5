"""Policies of products, in and out of the database."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Final

import orjson

from bo_worker.domain.commands import UpdatePolicy
from bo_worker.store.queries import QUERIES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from bo_worker.domain.stock import Product

# So many substitutes of a product are looked at: each is locked with it.
SUBSTITUTES_MAX: Final = 20


async def save_policies(connection: asyncpg.Connection, products: Iterable[Product]) -> None:
    """Write the policies that changed, or turned."""
    changed = [product for product in products if product.is_policy_changed and product.policy]
    if changed:
        await connection.execute(
            QUERIES["update_policies"],
            [product.sku for product in changed],
            [orjson.dumps(product.policy).decode() for product in changed],
            [product.policy_digest for product in changed],
            [product.safety_stock for product in changed],
            [product.phase for product in changed],
            [product.next_change_on for product in changed],
        )


async def find_turning(connection: asyncpg.Connection, today: date, products_max: int) -> list[str]:
    """Return SKUs whose kind makes something else of the day than before."""
    return [row[0] for row in await connection.fetch(QUERIES["find_turning"], today, products_max)]


async def find_substitutes(connection: asyncpg.Connection, skus: Iterable[str]) -> set[str]:
    """Return the SKUs that may stand in for others, the first that policies name."""
    rows = await connection.fetch(QUERIES["find_substitutes"], sorted(skus))
    return {sku for row in rows for sku in (load_policy(row[0]).substitutes or ())[:SUBSTITUTES_MAX]}


def load_policy(text: str) -> UpdatePolicy:
    """Return a stored policy."""
    fields = orjson.loads(text)
    fields["updated_at"] = datetime.fromisoformat(fields["updated_at"])
    for name in ("release_on", "season_ends_on"):
        fields[name] = fields[name] and date.fromisoformat(fields[name])
    return UpdatePolicy(**fields)
