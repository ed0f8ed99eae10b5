"""How every Kafka client of the worker connects and how it ends, whatever state the broker is in."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from aiokafka.errors import KafkaError

from bo_worker.config import ConfigurationError
from bo_worker.kafka.errors import KafkaUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from bo_worker.config import Settings

_RETRY_S = 0.2
_ATTEMPT_S = 1.0  # a deadline of 0 still means one attempt
_METADATA_AGE_MS = 30_000  # new partitions and moved leaders are seen within this time
_INSIST_S = 0.05


class _Client(Protocol):
    async def start(self) -> None: ...


ClientT = TypeVar("ClientT", bound=_Client)


def client_arguments(settings: Settings, role: str) -> dict[str, Any]:
    """Arguments that consumers, producers and admin clients share; `role` names the client to the broker."""
    password = settings.kafka_sasl_password
    return {
        "bootstrap_servers": settings.kafka_bootstrap_servers.replace(" ", ""),
        "client_id": f"bo-worker-{role}",
        "request_timeout_ms": round(settings.kafka_request_timeout_s * 1000),
        "metadata_max_age_ms": _METADATA_AGE_MS,
        "security_protocol": settings.kafka_security_protocol,
        "ssl_context": _ssl_context(settings),
        "sasl_mechanism": settings.kafka_sasl_mechanism or "PLAIN",
        "sasl_plain_username": settings.kafka_sasl_username,
        "sasl_plain_password": password and password.get_secret_value(),
    }


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    try:
        context = ssl.create_default_context(cafile=settings.kafka_ssl_ca_file)
        if settings.kafka_ssl_cert_file:
            context.load_cert_chain(settings.kafka_ssl_cert_file, settings.kafka_ssl_key_file)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"BO_KAFKA_SSL_CA_FILE, _CERT_FILE, _KEY_FILE: expected readable PEM files, found {error}"
        ) from error
    return context


async def started(
    make: Callable[[], ClientT], end: Callable[[ClientT], Awaitable[object]], deadline_s: float
) -> ClientT:
    """Make clients until one of them connects, and end those that do not.

    Raises:
        KafkaUnavailable: None connected within `deadline_s`, or one second if that is longer.
    """
    reason: Exception | None = None
    try:
        async with asyncio.timeout(max(deadline_s, _ATTEMPT_S)):
            while True:
                try:
                    return await _started_once(make(), end)
                except (KafkaError, OSError) as error:
                    reason = error
                await asyncio.sleep(_RETRY_S)
    except TimeoutError as error:
        raise KafkaUnavailable(f"Kafka does not answer: {reason or 'no reply'}") from error


async def _started_once(client: ClientT, end: Callable[[ClientT], Awaitable[object]]) -> ClientT:
    try:
        await client.start()
    except BaseException:
        await end(client)
        raise
    return client


async def ended_within(deadline_s: float, ending: Coroutine[Any, Any, None]) -> bool:
    """Run `ending` for at most `deadline_s`; False when it had to be abandoned.

    Its error, if any, is dropped on purpose: what is being ended is of no further use. It has a task of its
    own, because with the broker down the client's coroutines may raise CancelledError in the middle.
    """
    task = asyncio.ensure_future(ending)
    await asyncio.wait([task], timeout=deadline_s)
    finished = task.done()
    await cancel_all([task])
    return finished


async def cancel_all(tasks: Iterable[asyncio.Future[Any] | None], deadline_s: float = 1.0) -> None:
    """Cancel until each has ended: clean-up code of the client waits again after a single cancel."""
    pending = {task for task in tasks if task is not None}
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + deadline_s
    while pending and loop.time() < ends_at:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=_INSIST_S)
        for task in done:
            with contextlib.suppress(asyncio.CancelledError):
                task.exception()
