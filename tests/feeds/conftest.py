"""A server that says exactly what it is told to, and a fetcher to be pointed at it. Loopback only."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from bot.clock import SteppedClock
from bot.feeds.check import probe
from bot.feeds.fetch import HttpSource
from bot.model import Feed, FeedSpec

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
LOOPBACK = ("127.0.0.0/8",)

RSS = (
    b'<?xml version="1.0"?><rss version="2.0"><channel><title>Valley Post</title><link>https://valley.example/</link>'
    b"<item><title>Shells fall near the bridge</title><link>https://valley.example/a</link><guid>a</guid>"
    b"<pubDate>Sat, 14 Mar 2026 08:00:00 GMT</pubDate><description>Two wounded.</description></item>"
    b"<item><title>Market day moved</title><link>https://valley.example/b</link><guid>b</guid>"
    b"<pubDate>Sat, 14 Mar 2026 07:00:00 GMT</pubDate></item></channel></rss>"
)

Reply = Callable[[asyncio.StreamWriter], Awaitable[None]]


def ok(body: bytes = RSS, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class Server:
    """Counts connections and requests, and answers each path with bytes, or by a coroutine that may misbehave."""

    port: int = 0
    answers: dict[str, bytes | Reply | list[bytes]] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    busy: int = 0
    most_busy: int = 0
    pause_s: float = 0.0
    starts: list[float] = field(default_factory=list)

    def url(self, path: str = "/feed", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def header(self, name: str, request: int = -1) -> str | None:
        """A header of a request as it came."""
        for line in self.heads[request].split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name.lower():
                return value
        return None

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8", "surrogateescape")
                self.heads.append(head)
                self.starts.append(asyncio.get_running_loop().time())
                await self._answer(head.split(" ")[1], writer)
                await writer.drain()
                if writer.is_closing():
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open_now -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        self.busy += 1
        self.most_busy = max(self.most_busy, self.busy)
        try:
            await asyncio.sleep(self.pause_s)
            answer = self.answers.get(path, ok(b"", status="404 Not Found"))
            if isinstance(answer, list):
                answer = answer.pop(0) if len(answer) > 1 else answer[0]
            if isinstance(answer, bytes):
                writer.write(answer)
            else:
                await answer(writer)
        finally:
            self.busy -= 1


@contextlib.asynccontextmanager
async def serving(host: str = "127.0.0.1", **options: object) -> AsyncIterator[Server]:
    """A server for the time of a block."""
    server = Server()
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(asyncio.CancelledError):
            await server.handle(reader, writer)
        tasks.discard(task)

    listener = await asyncio.start_server(handle, host, 0, **options)  # type: ignore[arg-type]
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with serving() as running:
        running.answers["/feed"] = ok()
        yield running


MakeSource = Callable[..., HttpSource]


async def known_names(host: str, _port: int) -> Sequence[str]:
    """The only names of these tests: nothing is ever asked of a real resolver."""
    if host == "localhost":
        return ["127.0.0.1"]
    raise socket.gaierror(socket.EAI_NONAME, "no such name")


@pytest.fixture
async def make_source() -> AsyncIterator[MakeSource]:
    """Makes fetchers with short deadlines, and closes them."""
    made: list[HttpSource] = []

    def make(**options: object) -> HttpSource:
        defaults: dict[str, object] = {
            "clock": SteppedClock(NOW), "allow_networks": LOOPBACK, "deadline_s": 5.0, "stall_s": 1.0,
            "resolver": known_names,
        }  # fmt: skip
        made.append(HttpSource("Tocsin-test/1 (+https://tests.example/contact)", **{**defaults, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for source in made:
        await source.close()


@pytest.fixture
def source(make_source: MakeSource) -> HttpSource:
    return make_source()


@pytest.fixture
def feed_at() -> Callable[..., Feed]:
    """Makes feeds with a given state."""

    def make(url: str, **state: object) -> Feed:
        feed = probe(FeedSpec(url), NOW)
        return replace(feed, id=7, state=replace(feed.state, **state))  # type: ignore[arg-type]

    return make
