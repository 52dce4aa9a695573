"""A bot at work: the real store, channel and desk against the fake Bot API, and people who type and tap."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.channels.gate import Gate
from bot.channels.pace import PaceKeeper
from bot.channels.telegram import TelegramChannel
from bot.channels.voice import ChannelVoice
from bot.model import Certainty, Severity, SourceRef, Story, Subscription, Tally, Urgency, Where
from bot.ports import Store
from bot.store.sqlite import open_store
from bot.telegram.desk import TelegramDesk
from bot.telegram.needs import DeskSettings
from bot.telegram.updates import Poller
from tests.channels.rigs import UNHURRIED
from tests.fakes.telegram import FakeTelegram, Sent

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
OPERATOR, ANN, BOB = 900, 11, 12
GROUP = -1001


class StepClock:
    """Time that stands still and jumps over every sleep."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def karvin(name: str) -> Sequence[Where]:
    """A gazetteer of one place."""
    return [Where("Karvin", "AZ", 40.1, 47.2)] if name.casefold() == "karvin" else []


@dataclass
class Town:
    """Everything wired as the composition root wires it."""

    tg: FakeTelegram
    store: Store
    channel: TelegramChannel
    desk: TelegramDesk
    poller: Poller
    clock: Any

    async def settle(self) -> None:
        """Everything said so far is stored, handled and answered."""
        while True:
            wait = await self.poller.step()
            await self.desk.settle_down()
            if not wait and not len(self.tg.updates):
                return

    async def says(self, who: int, text: str, **more: Any) -> Sent:
        """Somebody types; the newest message in that chat afterwards."""
        self.tg.updates.say(who, text, **more)
        await self.settle()
        return self.tg.last(more.get("chat", who))

    async def taps(self, who: int, sent: Sent, label: str, language: str = "en") -> Sent:
        """Somebody taps a button; the newest message in that chat afterwards."""
        self.tg.press(who, sent, label, language=language)
        await self.settle()
        return self.tg.last(sent.chat)

    async def subscriptions(self, who: int) -> list[Subscription]:
        """What a chat has."""
        return [one for one in await self.store.subscriptions() if one.target == f"telegram:{who}"]


@asynccontextmanager
async def make_town(
    folder: Path, *, settings: DeskSettings | None = None, clock: Any = None, poll_s: int = 0, **tools: Any
) -> AsyncIterator[Town]:
    """A town up and running."""
    clock = clock or StepClock()
    store = await open_store(folder / "tocsin.db")
    settings = settings or DeskSettings(admins=frozenset({OPERATOR}), targets=("console",), zone="UTC")
    async with FakeTelegram() as tg:
        channel = TelegramChannel(tg.token, clock.now, base_url=tg.base_url, deadline_s=5, pace=UNHURRIED)
        gate = Gate(PaceKeeper(channel.pace), clock)
        desk = TelegramDesk(
            store, channel.api, ChannelVoice(channel), gate, clock, settings, **{"places": karvin, **tools}
        )
        desk.username = "tocsin_test_bot"
        poller = Poller(channel.api, store, clock, desk.wake, poll_s=poll_s)
        try:
            yield Town(tg, store, channel, desk, poller, clock)
        finally:
            await channel.close()
            await store.close()


def story(number: int, *, severity: Severity = Severity.SEVERE, days: float = 1.0, **changes: Any) -> Story:
    """An invented story, ``days`` old."""
    at = NOW - timedelta(days=days)
    fields: dict[str, Any] = {
        "id": f"s{number:07d}",
        "opened_at": at,
        "updated_at": at,
        "title": f"Shelling of Karvin, report {number}",
        "summary": "The port was shelled.",
        "link": f"https://morning.example/{number}",
        "outlet": "morning.example",
        "language": "en",
        "severity": severity,
        "certainty": Certainty.POSSIBLE,
        "urgency": Urgency.IMMEDIATE,
        "score": -9.5,
        "signals": {"remote_strike": 0.97, "casualties": 0.9},
        "countries": ("AZ",),
        "places": (Where("Karvin", "AZ", 40.1, 47.2),),
        "killed": Tally(best=number),
        "sources": (SourceRef(f"1:k{number}", "morning.example", f"https://morning.example/{number}", "t", at),),
    }
    return Story(**{**fields, **changes})
