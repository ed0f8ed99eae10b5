"""The claims that give way when a count is corrected downwards, lowest rank first (R6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bo_worker.store.products import TooManyLinesError
from bo_worker.store.queries import QUERIES, ranked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import asyncpg

    from bo_worker.domain.account import Account

Place = tuple[str, str]
LosingClaim = tuple[str, int, int, int]


async def find_losing_claims(
    connection: asyncpg.Connection, places: Mapping[Place, int], rank_by: str, claims_max: int
) -> dict[Place, list[LosingClaim]]:
    """Return (order_id, position, number, units) of claims in the order of loss, enough for the units of each place.

    Raises:
        TooManyLinesError: it would be more than `claims_max` claims at a place.
    """
    found: dict[Place, list[LosingClaim]] = {place: [] for place in places}
    rows = await connection.fetch(
        QUERIES[ranked("load_losing_claims", rank_by)],
        [sku for sku, _ in places],
        [location for _, location in places],
        list(places.values()),
        claims_max + 1,
    )
    for sku, location, *claim in rows:
        found[sku, location].append(tuple(claim))
    if any(len(claims) > claims_max for claims in found.values()):
        raise TooManyLinesError
    return found


def set_tails(account: Account, places: Mapping[Place, int], found: Mapping[Place, Sequence[LosingClaim]]) -> None:
    """Note up to where the claims at each place are loaded. Their orders are loaded whole."""
    for (sku, location), claims in found.items():
        tail = None
        if sum(units for *_, units in claims) >= places[sku, location]:
            order_id, position, number, _ = claims[-1]
            line = next(line for line in account.orders[order_id].lines if line.position == position)
            held = any(claim.held for claim in line.claims if claim.number == number)
            tail = (held, account.rank(line))
        account.products[sku].claims_tail[location] = tail
