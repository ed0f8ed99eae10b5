"""Kafka and Postgres from wherever they are to be had: named by variables, in Docker, or started here."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, assert_never

from bo_worker.stack.containers import containers, docker_answers
from bo_worker.stack.kafka import EmbeddedKafka
from bo_worker.stack.postgres import EmbeddedPostgres
from bo_worker.stack.process import StackError
from bo_worker.stack.server import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROVIDER_VARIABLE = "BO_TEST_PROVIDER"
KAFKA_VARIABLE = "BO_TEST_KAFKA_BOOTSTRAP_SERVERS"
DATABASE_VARIABLE = "BO_TEST_DATABASE_URL"


@dataclass(frozen=True)
class Servers:
    """Where Kafka and Postgres are; the user in `database_url`, a maintenance database, may create databases."""

    bootstrap_servers: str
    database_url: str


class Provider(Enum):
    """Where the servers come from."""

    VARIABLES = "variables"
    TESTCONTAINERS = "testcontainers"
    EMBEDDED = "embedded"


@contextmanager
def servers(progress: Callable[[str], None] = silent, *, durable: bool = True) -> Iterator[Servers]:
    """Both servers for as long as the context lasts; `progress` gets short phrases while they start.

    Not durable means a Postgres without fsync, for tests that neither crash nor measure. Blocking.

    Raises:
        StackError: they could not be had.
    """
    match choose_provider(os.environ, docker_answers):
        case Provider.VARIABLES:
            yield Servers(os.environ[KAFKA_VARIABLE], os.environ[DATABASE_VARIABLE])
        case Provider.TESTCONTAINERS:
            with containers(progress, durable=durable) as found:
                yield Servers(*found)
        case Provider.EMBEDDED:
            with _embedded(progress, durable=durable) as own:
                yield own
        case never:
            assert_never(never)


def choose_provider(environment: Mapping[str, str], docker: Callable[[], bool]) -> Provider:
    """Servers that variables name win, else a Docker engine, else our own; BO_TEST_PROVIDER forces one.

    Raises:
        StackError: the variables are incomplete, or name a provider that isn't there.
    """
    named = [bool(environment.get(variable)) for variable in (KAFKA_VARIABLE, DATABASE_VARIABLE)]
    forced = environment.get(PROVIDER_VARIABLE) or None
    known = {provider.value: provider for provider in Provider}
    if forced not in {None, *known}:
        raise StackError(f"{PROVIDER_VARIABLE}={forced}: there are {', '.join(known)}")
    if not all(named) and (forced == Provider.VARIABLES.value or (forced is None and any(named))):
        raise StackError(f"{KAFKA_VARIABLE} and {DATABASE_VARIABLE} must both be set")
    if forced is not None:
        return known[forced]
    if all(named):
        return Provider.VARIABLES
    return Provider.TESTCONTAINERS if docker() else Provider.EMBEDDED


@contextmanager
def _embedded(progress: Callable[[str], None], *, durable: bool) -> Iterator[Servers]:
    kafka, postgres = EmbeddedKafka(progress), EmbeddedPostgres(progress, durable=durable)
    with ExitStack() as ending:
        ending.callback(kafka.stop)
        ending.callback(postgres.stop)
        # Kafka takes longest, and starts in this thread, so that Ctrl-C can interrupt it.
        with ThreadPoolExecutor(1) as beside:
            postgres_started = beside.submit(postgres.start)
            kafka.start()
            postgres_started.result()
        yield Servers(kafka.bootstrap_servers, postgres.database_url)
