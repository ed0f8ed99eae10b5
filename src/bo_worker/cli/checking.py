"""`check`: whether a worker with these settings would find everything it needs."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from bo_worker.cli.failures import FAILED, NOT_THERE
from bo_worker.cli.output import print_json, print_table, quiet_logs, wait_s
from bo_worker.config import unknown_variables
from bo_worker.kafka.errors import KafkaUnavailable
from bo_worker.kafka.topics import inspect_topics
from bo_worker.messages.inbound import INPUT_TOPICS
from bo_worker.service.startup import some
from bo_worker.store.audit import audit
from bo_worker.store.database import MAJOR_VERSION_MIN, DatabaseUnavailableError, inspect_database, reach
from bo_worker.store.migrations import MigrationError, migration_files

if TYPE_CHECKING:
    from bo_worker.config import Settings
    from bo_worker.kafka.topics import TopicsState

_NO_ANSWER: Final = "not asked: the server does not answer"
_NO_ACCOUNT: Final = "not audited: the database or its schema is not as it must be"


class Finding(NamedTuple):
    """What was found: fine, fine but odd, wrong, or not to be had."""

    name: str
    state: Literal["ok", "warning", "failed", "away"]
    detail: str


def print_checks(settings: Settings, *, audited: bool, as_json: bool) -> int:
    """Print what was found; return the exit code: 0 all fine, 1 something is wrong, 69 a server is away."""
    quiet_logs()
    findings = asyncio.run(find_all(settings, audited=audited))
    states = {finding.state for finding in findings}
    code = NOT_THERE if "away" in states else FAILED if "failed" in states else 0
    if as_json:
        print_json({"ok": code == 0, "checks": [finding._asdict() for finding in findings]})
    else:
        print_table("Checks", Finding._fields, findings)
    return code


async def find_all(settings: Settings, *, audited: bool = False) -> list[Finding]:
    """Look at everything, whatever is wrong on the way; at the account only where it is to be `audited`."""
    kafka, database = await asyncio.gather(_find_kafka(settings), _find_database(settings))
    findings = [_find_configuration(), *kafka, *database]
    if audited:
        is_ready = all(finding.state == "ok" for finding in database)
        findings += await _audit(settings) if is_ready else [Finding("account", "away", _NO_ACCOUNT)]
    return findings


async def _audit(settings: Settings) -> list[Finding]:
    """Name each counter that is not what its rows or the journal say."""
    connection = await reach(settings, "audit", wait_s(settings))
    try:
        differences = await audit(connection)
    finally:
        await connection.close()
    if not differences:
        return [Finding("account", "ok", "every counter is the sum of its rows and of the journal")]
    return [
        Finding("account", "failed", f"{found.what}: expected {found.expected}, found {found.found}")
        for found in differences
    ]


def _find_configuration() -> Finding:
    unknown = unknown_variables(os.environ)
    if unknown:
        return Finding("configuration", "warning", f"no setting is named {', '.join(unknown)}")
    return Finding("configuration", "ok", "every variable is understood")


async def _find_kafka(settings: Settings) -> list[Finding]:
    try:
        state = await inspect_topics(settings, INPUT_TOPICS, wait_s(settings))
    except KafkaUnavailable as error:
        return [Finding("kafka", "away", str(error)), Finding("topics", "away", _NO_ANSWER)]
    return [
        Finding("kafka", "ok", f"{state.brokers} broker(s) at {settings.kafka_bootstrap_servers}"),
        _find_topics(state),
    ]


async def _find_database(settings: Settings) -> list[Finding]:
    try:
        version, pending = await inspect_database(settings, wait_s(settings))
    except DatabaseUnavailableError as error:
        return [Finding("database", "away", str(error)), Finding("schema", "away", _NO_ANSWER)]
    except MigrationError as error:
        return [Finding("database", "ok", "answers"), Finding("schema", "failed", str(error))]
    return [_find_version(version), _find_schema(pending)]


def _find_topics(state: TopicsState) -> Finding:
    faults = [f"{name}: cleanup.policy is {found}, not {wanted}" for name, wanted, found in state.differing]
    if state.missing:
        faults.append(
            f"{len(state.missing)} are missing ({some(state.missing)}); create them with `bo-worker topics`"
        )
    return Finding("topics", "failed", "; ".join(faults)) if faults else Finding("topics", "ok", "all as needed")


def _find_version(version: int) -> Finding:
    if version < MAJOR_VERSION_MIN:
        return Finding("database", "failed", f"Postgres {version}, expected {MAJOR_VERSION_MIN} or newer")
    return Finding("database", "ok", f"Postgres {version}")


def _find_schema(pending: list[str]) -> Finding:
    if pending:
        return Finding("schema", "failed", f"lacks {some(pending)}; apply them with `bo-worker migrate`")
    return Finding("schema", "ok", f"up to date with {migration_files()[-1][0]}")
