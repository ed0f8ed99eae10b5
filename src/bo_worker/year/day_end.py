"""What is compared at the end of each day: the account with itself, and with what the warehouse counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bo_worker.store.audit import audit

if TYPE_CHECKING:
    from collections.abc import Mapping

    import asyncpg

_STOCK: Final = "select sku, location, on_hand from bo_worker.stock where on_hand <> 0"


async def differences(connection: asyncpg.Connection, counted: Mapping[tuple[str, str], int]) -> list[str]:
    """Return what is not as it must be, in words; `counted` are the units in the building by SKU and location."""
    found = [f"{one.what}: expected {one.expected}, found {one.found}" for one in await audit(connection)]
    known = {(sku, location): units for sku, location, units in await connection.fetch(_STOCK)}
    there = {place: units for place, units in counted.items() if units}
    return found + [
        f"{sku} at {location}: {there.get((sku, location), 0)} in the building, "
        f"{known.get((sku, location), 0)} in the account"
        for sku, location in sorted(there.keys() | known.keys())
        if there.get((sku, location)) != known.get((sku, location))
    ]
