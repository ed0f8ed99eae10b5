"""Probes tell the truth, check by check, over real HTTP in the worker's own loop."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, Counter

from bo_worker.observability.health import Check, HealthState, Progress, health_app
from bo_worker.observability.http_server import serve_http

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "127.0.0.1"


async def get(port: int, target: str) -> tuple[int, str]:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(f"GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n".encode())
    head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return int(head.split()[1]), body


async def answer(
    target: str,
    *,
    live: Mapping[str, Check] | None = None,
    ready: Mapping[str, Check] | None = None,
    registry: CollectorRegistry | None = None,
) -> tuple[int, str]:
    state = HealthState(live or {}, ready or {}, registry or CollectorRegistry())
    async with serve_http(health_app(state), HOST, 0) as port:
        return await get(port, target)


async def fine() -> str | None:
    return None


async def draining() -> str | None:
    return "draining"


async def broken() -> str | None:
    raise ConnectionError("no route")


async def test_a_worker_whose_checks_pass_is_live_and_ready() -> None:
    assert await answer("/livez", live={"consumer": fine}) == (200, "ok")
    assert await answer("/readyz", ready={"database": fine, "group": fine}) == (200, "ok")


async def test_what_makes_a_worker_not_ready_leaves_it_live() -> None:
    live, ready = {"consumer": fine}, {"database": fine, "shutdown": draining}
    assert await answer("/livez", live=live, ready=ready) == (200, "ok")
    assert await answer("/readyz", live=live, ready=ready) == (503, "shutdown: draining")


async def test_verbose_gives_each_check_by_name() -> None:
    status, body = await answer("/readyz?verbose", ready={"database": broken, "group": fine})
    assert status == 503
    assert json.loads(body) == {
        "status": "failed",
        "checks": {"database": "ConnectionError: no route", "group": "ok"},
    }


async def test_metrics_are_served_for_prometheus() -> None:
    registry = CollectorRegistry()
    Counter("bo_worker_things", "Things.", registry=registry).inc(2)
    status, body = await answer("/metrics", registry=registry)
    assert status == 200
    assert "bo_worker_things_total 2.0" in body.splitlines()


async def test_another_path_is_not_found() -> None:
    assert (await answer("/admin"))[0] == 404


async def test_no_progress_for_too_long_is_a_finding_until_there_is_progress_again() -> None:
    now = [0.0]
    progress = Progress(silence_max_s=60, clock=lambda: now[0])
    now[0] = 60.0
    assert await progress.check() is None
    now[0] = 61.0
    assert await progress.check() == "no progress for 61 s"
    progress.mark()
    assert await progress.check() is None


async def test_the_server_leaves_the_signals_alone_and_frees_its_port() -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serve_http(health_app(HealthState({}, {}, CollectorRegistry())), HOST, 0) as port:
        assert signal.getsignal(signal.SIGTERM) is before
    with socket.create_server((HOST, port)):
        pass


async def test_a_port_in_use_is_an_error_at_once() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"):
            async with serve_http(health_app(HealthState({}, {}, CollectorRegistry())), HOST, port):
                raise AssertionError("the port was taken")


async def test_an_error_of_the_worker_passes_through_unchanged() -> None:
    with pytest.raises(LookupError, match=r"^mine$"):
        async with serve_http(health_app(HealthState({}, {}, CollectorRegistry())), HOST, 0):
            raise LookupError("mine")
