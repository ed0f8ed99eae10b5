"""Whether the worker lives and is ready, and its metrics, for probes and for Prometheus."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from starlette.requests import Request

Check = Callable[[], Awaitable[str | None]]
"""Gives the reason why something is not well, or None."""

_CHECK_TIMEOUT_S = 2.0


class HealthState(NamedTuple):
    """The checks behind the probes, by name.

    Attributes:
        live: What only a restart mends; a probe that fails ends the process. Never asks another server.
        ready: What must hold for the worker to do its work now.
        registry: The metrics.
    """

    live: Mapping[str, Check]
    ready: Mapping[str, Check]
    registry: CollectorRegistry


class Progress:
    """A check that fails when nothing has gone on for too long."""

    def __init__(self, silence_max_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._silence_max_s = silence_max_s
        self._clock = clock
        self._marked_at = clock()

    def mark(self) -> None:
        """Something went on."""
        self._marked_at = self._clock()

    async def check(self) -> str | None:
        """The check itself."""
        silence_s = self._clock() - self._marked_at
        return f"no progress for {silence_s:.0f} s" if silence_s > self._silence_max_s else None


def health_app(state: HealthState) -> Starlette:
    """`/livez`, `/readyz` (both with `?verbose` for the single checks) and `/metrics`."""

    async def livez(request: Request) -> Response:
        return await _answer(request, state.live)

    async def readyz(request: Request) -> Response:
        return await _answer(request, state.ready)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(state.registry), media_type=content_type)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


async def _answer(request: Request, checks: Mapping[str, Check]) -> Response:
    reasons = await asyncio.gather(*(_reason(check) for check in checks.values()))
    failed = [f"{name}: {reason}" for name, reason in zip(checks, reasons, strict=True) if reason]
    status = 503 if failed else 200
    if "verbose" in request.query_params:
        results = {name: reason or "ok" for name, reason in zip(checks, reasons, strict=True)}
        return JSONResponse({"status": "failed" if failed else "ok", "checks": results}, status)
    return PlainTextResponse("\n".join(failed) or "ok", status)


async def _reason(check: Check) -> str | None:
    try:
        async with asyncio.timeout(_CHECK_TIMEOUT_S):
            return await check()
    except TimeoutError:
        return f"no answer within {_CHECK_TIMEOUT_S:.0f} s"
    except Exception as error:  # noqa: BLE001 - whatever a check raises is its finding
        return f"{type(error).__name__}: {error}"
