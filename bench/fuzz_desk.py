"""The real desk, poller and webhook door on a real database, and a Bot API that takes everything: for ``fuzz.py``."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import structlog
from fuzz_seeds import OPERATOR

from bot.channels.gate import Gate
from bot.channels.pace import PaceKeeper
from bot.channels.telegram import TelegramChannel
from bot.channels.voice import ChannelVoice
from bot.chatting import places_named
from bot.clock import SteppedClock
from bot.ports import Pace
from bot.store import SqliteStore
from bot.telegram.desk import TelegramDesk
from bot.telegram.incoming import read_update
from bot.telegram.needs import DeskSettings
from bot.telegram.updates import SECRET_HEADER, Poller, WebhookDoor

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Broken(Exception):
    """A promise that is not an exception was broken."""


class QuietApi:
    """A Bot API that takes everything."""

    def __init__(self) -> None:
        self.updates: list[object] = []
        self._said = 0

    async def call(self, method: str, params: Mapping[str, object], *, deadline_s: float | None = None) -> object:
        """What the service would answer."""
        del deadline_s
        if method == "getUpdates":
            updates, self.updates = self.updates, []
            return updates
        json.dumps(params)  # what cannot be written would fail on the wire
        self._said += 1
        if method == "getChatMember":
            return {"status": ("creator", "member")[self._said % 2]}
        return {"message_id": self._said} if method.startswith(("send", "edit")) else True


@dataclass
class Complaints:
    """Takes errors out of the log."""

    events: list[str] = field(default_factory=list)

    def __call__(self, _logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """As a structlog processor."""
        if method in ("error", "critical", "exception"):
            self.events.append(json.dumps({name: str(value) for name, value in event.items()})[:2000])
        raise structlog.DropEvent


class Desk:
    """The real desk on a real database."""

    def __init__(self, store: SqliteStore, complaints: Complaints) -> None:
        self._store = store
        self._complaints = complaints
        self._clock = SteppedClock(AT)
        self._api = QuietApi()
        channel = TelegramChannel("123456:fuzz", self._clock.now)
        gate = Gate(PaceKeeper(Pace(1e6, 1e6)), self._clock)
        settings = DeskSettings(admins=frozenset({OPERATOR}), targets=("console",), bucket=10**9)
        self._desk = TelegramDesk(
            store, self._api, ChannelVoice(channel), gate, self._clock, settings, places=places_named
        )
        self._poller = Poller(self._api, store, self._clock, self._desk.wake, poll_s=0)
        self._door = WebhookDoor("secret", store, self._clock, self._desk.wake)

    async def read(self, number: int, body: bytes) -> str:
        """Take one update, by the door or by the poller; what it came to."""
        self._complaints.events.clear()
        if number % 2:
            status = await self._door.knock({SECRET_HEADER: "secret"}, body)
            if status not in (200, 400, 413):
                raise Broken(f"the door answers {status}")
        else:
            try:
                update = json.loads(body)
            except (ValueError, RecursionError):
                return "refused"
            self._api.updates = [update]
            await self._poller.step()
            if isinstance(update, dict):
                read_update(update)
        await self._desk.settle_down()
        left = await self._store.pending_commands(1)
        for one in left:
            await self._store.done_command(one.update_id, AT)
        if self._complaints.events or left:
            raise Broken("; ".join(self._complaints.events) or "an update stays unhandled")
        return "read"
