"""The Telegram desk wired to the rest: one connection, one pace, the gazetteer, and what may be asked backstage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from bot.adding import found
from bot.channels.gate import Gate
from bot.channels.telegram import TelegramChannel
from bot.channels.voice import ChannelVoice
from bot.channels.words import LANGUAGES
from bot.errors import StoreError
from bot.model import Feed, FeedSpec, Where
from bot.outbox import Outbox
from bot.ports import Clock, Source, Store, Workers
from bot.telegram.desk import TelegramDesk
from bot.telegram.menus import introduce
from bot.telegram.needs import DeskSettings
from bot.telegram.updates import Poller

log = structlog.get_logger(__name__)

LIVELY_S = 10.0


class Chatting:
    """Listens to the bot's chats and answers them, until cancelled."""

    def __init__(
        self,
        channel: TelegramChannel,
        store: Store,
        source: Source,
        workers: Workers,
        outbox: Outbox,
        clock: Clock,
        settings: DeskSettings,
        troubles: Callable[[], Awaitable[Sequence[str]]],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._channel = channel
        self._store = store
        self._source = source
        self._workers = workers
        self._clock = clock
        self._troubles = troubles
        self._changed = changed
        # The desk and the outbox share one pace: Telegram counts them together.
        self._outbox = outbox
        self._voice = ChannelVoice(channel)
        gate = Gate(outbox.pace("telegram"), clock)
        self.desk = TelegramDesk(
            store,
            channel.api,
            self._voice,
            gate,
            clock,
            settings,
            places=places_named,
            add_feed=self._add_feed,
            health=self._health,
        )
        self.poller = Poller(channel.api, store, clock, self._stored)
        self._lively_until = 0.0

    async def run(self) -> None:
        """Poll for updates and serve them; commands that change subscriptions hold at the next decision."""
        tasks = [
            asyncio.create_task(self.poller.run(), name="telegram updates"),
            asyncio.create_task(self.desk.run(), name="telegram desk"),
            asyncio.create_task(self._follow(), name="telegram changes"),
            asyncio.create_task(self._introduce(), name="telegram name"),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            self.desk.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _stored(self) -> None:
        self._lively_until = asyncio.get_running_loop().time() + LIVELY_S
        self.desk.wake()

    async def _introduce(self) -> None:
        await introduce(self.desk, self._channel.api, self._voice, self._clock, LANGUAGES)

    async def _follow(self) -> None:
        """For a while after somebody wrote, what chats change is taken up every second and what they queue goes out."""
        while True:
            await asyncio.sleep(1.0)
            if asyncio.get_running_loop().time() < self._lively_until:
                try:
                    await self._changed()
                except StoreError as error:
                    log.error("subscriptions not read", error=str(error))
                self._outbox.wake()

    async def _add_feed(self, url: str) -> Feed:
        now = self._clock.now()
        spec, _ = await found(self._source, self._workers, FeedSpec(url), now)
        return await self._store.add_feed(spec, now)

    async def _health(self) -> Sequence[str]:
        return [*([self.poller.problem] if self.poller.problem else []), *await self._troubles()]


def places_named(text: str) -> Sequence[Where]:
    """Places with coordinates that somebody may mean by what he typed."""
    from classifiers.assessment import Text
    from classifiers.places import read_places

    reading = read_places(Text(text), "en")
    return [Where(p.name, p.country, p.lat, p.lon) for p in reading.places if p.lat is not None][:5]
