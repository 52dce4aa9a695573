"""Health and metrics over HTTP, on loopback unless the settings say otherwise. Nothing here changes anything."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict

import structlog
from aiohttp import web

from bot.health import Status

log = structlog.get_logger(__name__)

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class WebServer:
    """Serves ``/healthz``, ``/readyz`` and ``/metrics``."""

    def __init__(self, listen: str, status: Callable[[], Awaitable[Status]], metrics: Callable[[], bytes]) -> None:
        host, _, port = listen.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._status = status
        self._metrics = metrics
        self._runner: web.AppRunner | None = None

    async def start(self) -> bool:
        """Listen. A taken port is a warning, because alerts matter more than their metrics."""
        app = web.Application(client_max_size=1024)
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._metrics_page)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            log.warning(
                "no health page: the address cannot be used", listen=f"{self._host}:{self._port}", error=str(error)
            )
            await self.close()
            return False
        if not _loopback(self._host):
            log.warning(
                "the health pages have no password and are open to others: keep them behind a firewall or a proxy",
                listen=f"{self._host}:{self._port}",
            )
        return True

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _healthz(self, _request: web.Request) -> web.Response:
        status = await self._status()
        return _json(status, 200 if status.ok else 503)

    async def _readyz(self, _request: web.Request) -> web.Response:
        status = await self._status()
        return _json(status, 200 if status.ready else 503)

    async def _metrics_page(self, _request: web.Request) -> web.Response:
        return web.Response(body=self._metrics(), headers={**_HEADERS, "Content-Type": "text/plain; version=0.0.4"})


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _json(status: Status, code: int) -> web.Response:
    body = {"status": "ok" if status.ok else "trouble", **asdict(status)}
    text = json.dumps(body, default=str)
    return web.Response(text=text, status=code, content_type="application/json", headers=_HEADERS)
