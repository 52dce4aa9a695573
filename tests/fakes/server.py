"""What the fakes share: a loopback server, scripted faults, a strict limiter."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import web

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class LoopbackServer:
    """An aiohttp application on 127.0.0.1, at a free port unless one is given."""

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._runner: web.AppRunner | None = None
        self._released = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        """The server's routes."""
        return []

    @property
    def origin(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._released.set()
        if self._runner is not None:
            await self._runner.cleanup()

    async def hang(self, limit_s: float = 60.0) -> None:
        """Say nothing until the server closes or a minute has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await self._released.wait()


@dataclass(slots=True)
class Fault:
    """What goes wrong with the next requests. ``accept`` says whether the request takes effect all the same."""

    kind: str
    """"answer", "hang" or "reset"."""
    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    method: str | None = None
    chat: str | None = None
    accept: bool = False


class Faults:
    """Scripted faults, taken first come first served."""

    def __init__(self) -> None:
        self._queue: deque[Fault] = deque()

    def add(self, fault: Fault) -> None:
        """Script one."""
        self._queue.append(fault)

    def take(self, method: str = "", chat: str = "") -> Fault | None:
        """The next fault that this request meets."""
        for fault in self._queue:
            if fault.method in (None, method) and fault.chat in (None, chat) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    async def play(self, fault: Fault, server: LoopbackServer, request: web.Request) -> web.StreamResponse:
        """Answer as scripted."""
        if fault.kind == "hang":
            await server.hang()
        if fault.kind in ("hang", "reset"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.Response(status=fault.status, text=fault.body, headers=dict(fault.headers))


class StrictLimiter:
    """Counts what arrives; every violation answers with a wait that grows, as flood control does."""

    def __init__(
        self,
        per_second: float | None = 30,
        per_chat_s: float | None = 1.0,
        group_per_minute: int | None = 20,
        penalty_s: float = 3.0,
    ) -> None:
        self._per_second = per_second
        self._per_chat_s = per_chat_s
        self._group = group_per_minute
        self._penalty_s = penalty_s
        self._all: deque[float] = deque()
        self._chats: dict[str, deque[float]] = {}
        self._closed_until = 0.0
        self.violations: list[str] = []

    def admit(self, chat: str) -> int | None:
        """None for welcome, else the seconds to wait. Asking while shut out makes it longer."""
        now = time.monotonic()
        if now < self._closed_until:
            return self._refuse(now, "sent while told to wait")
        recent = self._chats.setdefault(chat, deque())
        _forget(self._all, now - 1.0)
        _forget(recent, now - 60.0)
        if self._per_second is not None and len(self._all) >= self._per_second:
            return self._refuse(now, "over the bot's limit")
        if self._per_chat_s is not None and recent and now - recent[-1] < self._per_chat_s * 0.95:
            return self._refuse(now, f"over the chat's limit: {chat}")
        if self._group is not None and chat.startswith("-") and len(recent) >= self._group:
            return self._refuse(now, f"over the group's limit: {chat}")
        self._all.append(now)
        recent.append(now)
        return None

    def _refuse(self, now: float, why: str) -> int:
        self.violations.append(why)
        wait = self._penalty_s * len(self.violations)
        self._closed_until = max(self._closed_until, now) + wait
        return max(1, round(self._closed_until - now + 0.5))


def _forget(times: deque[float], before: float) -> None:
    while times and times[0] < before:
        times.popleft()
