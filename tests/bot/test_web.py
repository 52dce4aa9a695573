"""Health and metrics over HTTP: on loopback, bounded, and never the reason why nothing rings."""

from __future__ import annotations

import socket
from datetime import UTC, datetime

import httpx

from bot.health import Status
from bot.metrics import Metrics
from bot.web import WebServer

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


async def test_pages_say_how_things_are() -> None:
    """/healthz and /readyz answer 200 when all is well and 503 when not; /metrics is Prometheus text."""
    state: dict[str, tuple[str, ...] | bool] = {"problems": (), "ready": False}

    async def status() -> Status:
        problems = state["problems"]
        assert isinstance(problems, tuple)
        return Status(NOW, 1, NOW, bool(state["ready"]), 3, 2, 1, {}, problems)

    port = free_port()
    server = WebServer(f"127.0.0.1:{port}", status, Metrics().page)
    assert await server.start()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 503
        state.update(ready=True, problems=("disk full",))
        assert (await client.get("/readyz")).status_code == 200
        answer = await client.get("/healthz")
        assert (answer.status_code, answer.json()["problems"]) == (503, ["disk full"])
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
        metrics = await client.get("/metrics")
        assert "tocsin_items_total 0.0" in metrics.text
        assert (await client.get("/")).status_code == 404
        assert (await client.post("/healthz")).status_code == 405
    await server.close()


async def test_P13_a_taken_port_is_a_warning() -> None:
    """Where the port is taken the server says so and the daemon goes on without it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()

        async def status() -> Status:
            raise AssertionError("nobody can ask")

        server = WebServer(f"127.0.0.1:{sock.getsockname()[1]}", status, Metrics().page)
        assert not await server.start()
        await server.close()
