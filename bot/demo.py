"""The demo: a written story of several days, served as real feeds over loopback HTTP to the real daemon.

The clock jumps from one item of the story to the next and runs at its usual speed in between, so that leases, paces
and deadlines keep their meaning while six days pass in a minute.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape
from importlib import resources

from aiohttp import web

from bot.app import App, Parts, open_app
from bot.jobs import Daemon, Ticks
from bot.model import Delivery, Verdict
from bot.outbox import Told
from bot.pipeline import Decision
from bot.ports import Channel, Clock
from config.model import FeedSettings, FetchSettings, RuleSettings, Settings, WebSettings

DEMO_RULE = RuleSettings.model_validate(
    {
        "name": "south-caucasus",
        "countries": ["AM", "AZ"],
        "min_severity": "moderate",
        "quiet": {"start": "00:00", "end": "06:00", "zone": "UTC"},
    }
)
"""What the demo asks for where the settings have no rules: it sleeps at night, so that something is held."""
TICKS = Ticks(poll_s=0.05, held_s=0.2, heartbeat_s=5.0, care_s=3600.0)
LONGEST_STEP_S = 10.0


@dataclass(frozen=True, slots=True)
class ScriptFeed:
    """One feed of the story."""

    id: str
    path: str
    format: str
    title: str
    kind: str
    site: str


@dataclass(frozen=True, slots=True)
class ScriptItem:
    """One item of the story, visible in its feed from ``at`` on."""

    at: datetime
    feed: str
    title: str
    summary: str

    @property
    def slug(self) -> str:
        """Identity in links and guids."""
        return hashlib.blake2b(f"{self.feed}{self.at}{self.title}".encode(), digest_size=5).hexdigest()


@dataclass(frozen=True, slots=True)
class Script:
    """The whole story, in order."""

    title: str
    start: datetime
    feeds: tuple[ScriptFeed, ...]
    items: tuple[ScriptItem, ...]

    @property
    def watching_from(self) -> datetime:
        """The end of the first day: the items before it are history."""
        return self.start + timedelta(days=1)


def read_script() -> Script:
    """The story that ships in ``seeds/demo``."""
    raw = tomllib.loads(resources.files("seeds").joinpath("demo", "story.toml").read_text(encoding="utf-8"))
    start = datetime.fromisoformat(raw["start"])
    items = [ScriptItem(start + _offset(row["at"]), row["feed"], row["title"], row["summary"]) for row in raw["items"]]
    feeds = tuple(ScriptFeed(**row) for row in raw["feeds"])
    return Script(raw["title"], start, feeds, tuple(sorted(items, key=lambda item: item.at)))


def _offset(at: str) -> timedelta:
    day, _, clock = at.partition(" ")
    hours, _, minutes = clock.partition(":")
    return timedelta(days=int(day), hours=int(hours), minutes=int(minutes))


class JumpClock:
    """The machine's pace from a given time, with jumps forward."""

    def __init__(self, start: datetime) -> None:
        self._base = start
        self._since = time.monotonic()

    def now(self) -> datetime:
        """The story's time, aware UTC."""
        return self._base + timedelta(seconds=time.monotonic() - self._since)

    def jump(self, to: datetime) -> None:
        """Be there, unless that time is over."""
        self._base = max(self.now(), to)
        self._since = time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


# --- the feeds --------------------------------------------------------------------------------------------------


class FeedServer:
    """Serves the story's feeds on a free loopback port, each holding what is visible by now, with ETags."""

    def __init__(self, script: Script, clock: Clock) -> None:
        self._script = script
        self._clock = clock
        self._runner: web.AppRunner | None = None
        self.base = ""
        self.answers: dict[int, int] = {}
        """Requests answered, by status."""

    async def start(self) -> None:
        """Listen."""
        app = web.Application()
        for feed in self._script.feeds:
            app.router.add_get(feed.path, self._handler(feed))
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"

    async def close(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _handler(self, feed: ScriptFeed) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            now = self._clock.now()
            items = [item for item in self._script.items if item.feed == feed.id and item.at <= now]
            body = _WRITERS[feed.format](feed, items).encode()
            etag = f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'
            same = request.headers.get("If-None-Match") == etag
            status = 304 if same else 200
            self.answers[status] = self.answers.get(status, 0) + 1
            if same:
                return web.Response(status=304, headers={"ETag": etag})
            return web.Response(body=body, content_type=_TYPES[feed.format], headers={"ETag": etag})

        return handle


def _rss(feed: ScriptFeed, items: Sequence[ScriptItem]) -> str:
    entries = "".join(
        f"<item><guid isPermaLink='false'>{item.slug}</guid><title>{escape(item.title)}</title>"
        f"<link>{feed.site}/{item.slug}</link><pubDate>{format_datetime(item.at)}</pubDate>"
        f"<description>{escape(f'<p>{escape(item.summary)}</p>')}</description></item>"
        for item in reversed(items)
    )
    head = f"<title>{escape(feed.title)}</title><link>{feed.site}</link>"
    return f"<rss version='2.0'><channel>{head}{entries}</channel></rss>"


def _atom(feed: ScriptFeed, items: Sequence[ScriptItem]) -> str:
    entries = "".join(
        f"<entry><id>tag:{item.slug}</id><title>{escape(item.title)}</title><updated>{item.at.isoformat()}</updated>"
        f"<link href='{feed.site}/{item.slug}'/><summary>{escape(item.summary)}</summary></entry>"
        for item in reversed(items)
    )
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><id>{feed.site}</id><title>{escape(feed.title)}</title>"
        f"<updated>2026-09-27T00:00:00Z</updated>{entries}</feed>"
    )


def _json(feed: ScriptFeed, items: Sequence[ScriptItem]) -> str:
    rows = [
        {
            "id": item.slug,
            "url": f"{feed.site}/{item.slug}",
            "title": item.title,
            "content_text": item.summary,
            "date_published": item.at.isoformat(),
        }
        for item in reversed(items)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": feed.title, "items": rows})


_WRITERS = {"rss": _rss, "atom": _atom, "json": _json}
_TYPES = {"rss": "application/rss+xml", "atom": "application/atom+xml", "json": "application/feed+json"}


# --- the run ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Watcher:
    """Hears what happens, for whoever shows it."""

    on_time: Callable[[datetime], None] = lambda _now: None
    on_verdict: Callable[[Verdict, str], None] = lambda _verdict, _held: None
    """With the reason where the alert it caused is held for somebody, else ""."""
    on_delivery: Callable[[Delivery], None] = lambda _delivery: None


def demo_settings(settings: Settings, script: Script, base: str) -> Settings:
    """The operator's settings with the demo's feeds in place of theirs, and no port of its own."""
    feeds = tuple(
        FeedSettings.model_validate({"url": base + feed.path, "title": feed.title, "language": "en", "kind": feed.kind})
        for feed in script.feeds
    )
    fetch = FetchSettings(allow_networks=("127.0.0.0/8",), interval=timedelta(seconds=1))
    update = {"feeds": feeds, "catalogue": "", "fetch": fetch, "web": WebSettings(listen="")}
    return settings.model_copy(update=update | ({} if settings.rules else {"rules": (DEMO_RULE,)}))


async def play(settings: Settings, channels: dict[str, Channel] | None, watcher: Watcher, step_s: float = 1.5) -> App:
    """Run the daemon through the story; returns the closed app, whose counters tell how it went.

    ``step_s`` is how long a reader gets for each item, in real seconds.
    """
    script = read_script()
    clock = JumpClock(script.watching_from)
    server = FeedServer(script, clock)
    await server.start()
    app = await open_app(demo_settings(settings, script, server.base), Parts(clock=clock, channels=channels))
    app.on_settled = lambda told: _heard(told, watcher)
    daemon = Daemon(app, TICKS, on_decision=lambda decision: _decided(decision, watcher))
    running = asyncio.create_task(daemon.run())
    try:
        await _first_round(daemon, running)
        for at in sorted({item.at for item in script.items if item.at > script.watching_from}):
            await _step(clock, at, daemon, running, step_s, watcher)
        # A day later, so that what waits for the end of quiet hours or a digest comes out too.
        await _step(clock, script.items[-1].at + timedelta(days=1), daemon, running, step_s, watcher)
    finally:
        daemon.stop()
        await running
        await server.close()
        await app.close()
    return app


def _heard(told: Told, watcher: Watcher) -> None:
    watcher.on_delivery(told.delivery)


def _decided(decision: Decision, watcher: Watcher) -> None:
    held = {(held.alert.story_id, held.alert.link): held.reason.value for held in decision.batch.routing.held}
    for verdict in decision.batch.verdicts:
        watcher.on_verdict(verdict, held.get((verdict.update.story.id, verdict.update.item.link), ""))


async def _first_round(daemon: Daemon, running: asyncio.Task[None]) -> None:
    while not daemon.progress.first_round_over and not running.done():  # noqa: ASYNC110 - the demo looks on from outside
        await asyncio.sleep(0.02)


async def _step(
    clock: JumpClock, at: datetime, daemon: Daemon, running: asyncio.Task[None], step_s: float, watcher: Watcher
) -> None:
    """Jump to an item, let it be polled, decided and told, and give people a moment to read."""
    clock.jump(at)
    watcher.on_time(at)
    started = time.monotonic()
    before = daemon.progress.answered
    while not running.done() and time.monotonic() - started < LONGEST_STEP_S:
        rested = daemon.progress.answered - before >= daemon.app.watching and not await daemon.busy()
        if rested and time.monotonic() - started >= step_s:
            return
        await asyncio.sleep(0.02)
