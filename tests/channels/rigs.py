"""A channel beside the fake server it speaks to, behind one face, so that one contract suite serves all channels."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from bot.channels.apprise import AppriseChannel
from bot.channels.console import ConsoleChannel
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.webhook import Hook, WebhookChannel
from bot.ports import Channel, Pace
from tests.channels.samples import NOW
from tests.fakes.server import Fault, Faults
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import DEFAULT_TOKEN, FakeTelegram
from tests.fakes.webhook import FakeWebhook

DEADLINE_S = 0.4
UNHURRIED = Pace(per_second=10_000, per_address_per_second=10_000, group_per_minute=100_000)
"""No waiting in tests that are not about pace."""
WEBHOOK_KEY = b"a shared secret of some bytes"
APPRISE_URL = "json://token-q8s7secret@chat.example/room"


class Rig(Protocol):
    """What the contract needs of a channel under test."""

    channel: Channel
    target: str
    secrets: tuple[str, ...]

    @property
    def faults(self) -> Faults | None:
        """The server's scripted faults; None for channels without a server."""

    def received(self) -> list[str]:
        """Texts that arrived."""

    def break_down(self) -> None:
        """The other side fails from now on."""

    def stall(self) -> None:
        """The other side never answers from now on."""


@dataclass
class TelegramRig:
    server: FakeTelegram
    channel: Channel
    target: str = "telegram:11"
    secrets: tuple[str, ...] = (DEFAULT_TOKEN, "fake-token-AAAA")

    @property
    def faults(self) -> Faults | None:
        return self.server.faults

    def received(self) -> list[str]:
        return [sent.text for sent in self.server.messages]

    def break_down(self) -> None:
        self.server.faults.add(Fault("answer", 500, '{"ok":false,"error_code":500,"description":"x"}', times=99))

    def stall(self) -> None:
        self.server.faults.add(Fault("hang", times=99))


@dataclass
class SlackRig:
    server: FakeSlack
    channel: Channel
    secrets: tuple[str, ...]
    target: str = "slack:desk"

    @property
    def faults(self) -> Faults | None:
        return self.server.faults

    def received(self) -> list[str]:
        return [posted.words for posted in self.server.messages]

    def break_down(self) -> None:
        self.server.fail(500, "rollup_error", times=99)

    def stall(self) -> None:
        self.server.faults.add(Fault("hang", times=99))


@dataclass
class WebhookRig:
    server: FakeWebhook
    channel: Channel
    secrets: tuple[str, ...]
    target: str = "webhook:desk"

    @property
    def faults(self) -> Faults | None:
        return self.server.faults

    def received(self) -> list[str]:
        return [str(received.payload["text"]) for received in self.server.messages]

    def break_down(self) -> None:
        self.server.fail(502, "bad gateway", times=99)

    def stall(self) -> None:
        self.server.faults.add(Fault("hang", times=99))


class ScriptedStream(io.StringIO):
    """A stream that can be blocked or broken."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False
        self.open = threading.Event()
        self.open.set()

    def write(self, text: str) -> int:
        self.open.wait(5)
        if self.broken:
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


@dataclass
class ConsoleRig:
    stream: ScriptedStream
    channel: Channel
    target: str = "console"
    secrets: tuple[str, ...] = ()
    faults: Faults | None = None

    def received(self) -> list[str]:
        return [block for block in self.stream.getvalue().split("\n\n") if block.strip()]

    def break_down(self) -> None:
        self.stream.broken = True

    def stall(self) -> None:
        self.stream.open.clear()


@dataclass
class Service:
    """Stands where Apprise's notifier stands."""

    got: list[str] = field(default_factory=list)
    broken: bool = False
    open: threading.Event = field(default_factory=threading.Event)

    def notify(self, title: str, body: str) -> bool:
        if self.broken:
            raise RuntimeError(f"cannot reach {APPRISE_URL}")
        self.open.wait(5)
        self.got.append(f"{title}\n{body}")
        return True


@dataclass
class AppriseRig:
    service: Service
    channel: Channel
    target: str = "apprise:room"
    secrets: tuple[str, ...] = (APPRISE_URL, "token-q8s7secret")
    faults: Faults | None = None

    def received(self) -> list[str]:
        return self.service.got

    def break_down(self) -> None:
        self.service.broken = True

    def stall(self) -> None:
        self.service.open.clear()


@asynccontextmanager
async def make_rig(name: str) -> AsyncIterator[Rig]:
    """The rig of one channel, up and running."""
    async with _MAKERS[name]() as rig:
        try:
            yield rig
        finally:
            await rig.channel.close()
            await asyncio.sleep(0)


@asynccontextmanager
async def _telegram() -> AsyncIterator[Rig]:
    async with FakeTelegram() as server:
        channel = TelegramChannel(
            server.token, lambda: NOW, base_url=server.base_url, deadline_s=DEADLINE_S, pace=UNHURRIED
        )
        yield TelegramRig(server, channel)


@asynccontextmanager
async def _slack() -> AsyncIterator[Rig]:
    async with FakeSlack() as server:
        url = server.url("desk")
        channel = SlackChannel({"desk": url}, lambda: NOW, deadline_s=DEADLINE_S)
        yield SlackRig(server, channel, (url, "B0secret", "xdesksecret"))


@asynccontextmanager
async def _webhook() -> AsyncIterator[Rig]:
    async with FakeWebhook(WEBHOOK_KEY) as server:
        hook = Hook(server.url, server.secret)
        channel = WebhookChannel({"desk": hook}, lambda: NOW, deadline_s=DEADLINE_S)
        yield WebhookRig(server, channel, (server.url, "q7secretpath", server.secret))


@asynccontextmanager
async def _console() -> AsyncIterator[Rig]:
    stream = ScriptedStream()
    yield ConsoleRig(stream, ConsoleChannel(stream, lambda: NOW, deadline_s=DEADLINE_S))
    stream.open.set()


@asynccontextmanager
async def _apprise() -> AsyncIterator[Rig]:
    service = Service()
    service.open.set()
    channel = AppriseChannel({"room": APPRISE_URL}, lambda: NOW, deadline_s=DEADLINE_S, load=lambda _url: service)
    yield AppriseRig(service, channel)
    service.open.set()


_MAKERS = {
    "telegram": _telegram,
    "slack": _slack,
    "webhook": _webhook,
    "console": _console,
    "apprise": _apprise,
}
CHANNELS = tuple(_MAKERS)
HTTP_CHANNELS = ("telegram", "slack", "webhook")
