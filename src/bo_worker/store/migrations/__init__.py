"""Schema migrations: plain SQL files, applied in order, once each, under one lock, with their checksums kept."""

from __future__ import annotations

import hashlib
from importlib import resources

import asyncpg

# Any constant will do, as long as every migrator uses the same one.
_LOCK = 0x626F5F776F726B65


class MigrationError(Exception):
    """The database holds migrations that differ from ours."""


def migration_files() -> list[tuple[str, str]]:
    """Return (name, SQL) of every migration, first to last."""
    folder = resources.files(__name__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(name, folder.joinpath(name).read_text("utf-8")) for name in names]


async def migrate(database_url: str) -> list[str]:
    """Bring the database to the newest schema; return the names applied now. Safe when several run at once."""
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("select pg_advisory_lock($1)", _LOCK)
        await connection.execute(
            "create schema if not exists bo_worker;"
            "create table if not exists bo_worker.migration ("
            " name text primary key, checksum text not null, applied_at timestamptz not null default now())"
        )
        applied = await _applied(connection)
        return [name for name, sql in migration_files() if await _apply(connection, name, sql, applied)]
    finally:
        await connection.close()


async def pending_migrations(connection: asyncpg.Connection) -> list[str]:
    """Return the names of migrations that the database lacks; raise MigrationError where it has foreign ones."""
    if await connection.fetchval("select to_regclass('bo_worker.migration')") is None:
        return [name for name, _ in migration_files()]
    applied = await _applied(connection)
    for name, sql in migration_files():
        _verify(name, sql, applied)
    return [name for name, _ in migration_files() if name not in applied]


async def _applied(connection: asyncpg.Connection) -> dict[str, str]:
    rows = await connection.fetch("select name, checksum from bo_worker.migration")
    return {row["name"]: row["checksum"] for row in rows}


async def _apply(connection: asyncpg.Connection, name: str, sql: str, applied: dict[str, str]) -> bool:
    _verify(name, sql, applied)
    if name in applied:
        return False
    async with connection.transaction():
        await connection.execute(sql)
        await connection.execute(
            "insert into bo_worker.migration (name, checksum) values ($1, $2)", name, _checksum(sql)
        )
    return True


def _verify(name: str, sql: str, applied: dict[str, str]) -> None:
    if applied.get(name, _checksum(sql)) != _checksum(sql):
        raise MigrationError(f"migration {name} was changed after it was applied to this database")


def _checksum(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
