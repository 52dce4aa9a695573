"""The daemon through many simulated hours, and what it holds at the end of each: memory, descriptors, tasks, its log.

    python bench/soak.py [--feeds 60] [--hours 6] [--interval 15m] [--items 0.5] [--loud 0.04] [--step 5] [--settle 1.5]

The feeds (RSS with ETags, on loopback), Slack and Telegram are a process of their own; the daemon is the real one with
its database, workers and channels, in this process. Its clock jumps ``--step`` minutes at a time, as in the demo, and
waits after each jump until every feed that is due was asked and every message that is due was sent. Each feed
publishes ``--items`` an hour; ``--loud`` of them are about violence somewhere, each of them a story of its own. What is
older than a quarter of the hours is purged, so that retention is at work too. Stories stay in memory for 48 hours,
about 18 kB each here: while that window fills, 60 new stories an hour alone are 1 MiB an hour.

What is promised, and exit code 1 where it is broken, from the end of the warm-up (a quarter of the hours) on: the
resident set grows by at most 1 MiB an hour (least squares), descriptors and tasks stay within ten of what they were,
the write-ahead log stays under 70 MiB (its limit is 64), and every feed was asked in every hour. Tasks and descriptors
of the moment are counted, so a poll under way shows. The full figure: ``--feeds 1000 --hours 24``.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
import multiprocessing
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from aiohttp import web

from bot.app import Parts, open_app
from bot.demo import JumpClock
from bot.jobs import Daemon, Ticks
from config.model import Settings
from config.quantities import parse_duration
from tests.fakes.server import LoopbackServer
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import DEFAULT_TOKEN, FakeTelegram

START = datetime(2026, 3, 1, tzinfo=UTC)
TICKS = Ticks(poll_s=0.05, held_s=0.5, heartbeat_s=5.0, watch_s=5.0, care_s=5.0)
SHOWN = 20
"""Items that a feed document holds."""
SLOPE_MIB, SPREAD, WAL_MIB = 1.0, 10, 70.0
LONGEST_STEP_S = 300.0
MIB = 1 << 20

_TOWNS = """
Aleppo, Bamako, Donetsk, El Fasher, Goma, Idlib, Kabul, Kharkiv, Khartoum, Marib, Mosul, Mogadishu, Myitkyina,
Sanaa, Tripoli, Port-au-Prince, Stepanakert, Zawiya, Zaporizhzhia, Odesa, Kherson, Gaza, Jenin, Nablus, Sidon, Tyre,
Homs, Daraa, Raqqa, Basra, Kirkuk, Erbil, Taiz, Aden, Hodeidah, Benghazi, Sirte, Misrata, Gao, Kidal, Timbuktu,
Agadez, Diffa, Maiduguri, Kano, Jos, Bangui, Bria, Juba, Malakal, Bentiu, Nyala, Geneina, Port Sudan, Mekelle,
Gondar, Kismayo, Baidoa, Bukavu, Beni, Bunia, Pemba, Mandalay, Sittwe, Lashio, Kandahar, Herat, Kunduz, Peshawar,
Quetta, Srinagar, Imphal, Marawi, Jolo, Cali, Culiacan, Tijuana, Caracas, Yerevan
""".replace("\n", " ").split(", ")
_PLACES = ("market", "hospital", "bridge", "airport", "camp", "school", "police post", "fuel depot", "station", "court")
_LOUD = (
    "Shelling of a {place} in {town} kills {n}, officials say",
    "Heavy clashes near the {place} of {town} leave {n} soldiers dead",
    "Air strike on a {place} in {town}: at least {n} killed",
    "Gunmen storm a {place} in {town}, {n} people are dead",
    "Car bomb at a {place} in {town} wounds {n}",
    "Both sides agree to a ceasefire around the {place} of {town}",
)
_QUIET = (
    "Council of {town} votes on its budget for a {place}, number {n}",
    "Football: {town} beats its guests {n} to nothing",
    "Harvest fair opens in {town} with {n} stalls beside the {place}",
    "Museum of {town} shows {n} paintings by a local master",
)


# --- the press --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Story:
    """One item."""

    at: datetime
    title: str
    summary: str
    slug: str


class Press(LoopbackServer):
    """Feeds whose items come at times of the simulated clock, which others set."""

    def __init__(self, feeds: int, hours: float, an_hour: float, loud: float) -> None:
        super().__init__()
        self._feeds = [_stories(n, hours, an_hour, loud) for n in range(feeds)]
        self._now = START

    def routes(self) -> list[web.RouteDef]:
        """Feeds, and a door for the process that measures."""
        return [web.get("/feed/{feed}", self._serve), web.get("/control/now", self._set_now)]

    async def _set_now(self, request: web.Request) -> web.Response:
        self._now = datetime.fromisoformat(request.query["at"])
        return web.Response()

    async def _serve(self, request: web.Request) -> web.Response:
        number = int(request.match_info["feed"])
        shown = [story for story in self._feeds[number] if story.at <= self._now][-SHOWN:]
        etag = f'"{shown[-1].slug if shown else "none"}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=_rss(number, shown), content_type="application/rss+xml", headers={"ETag": etag})


def _stories(feed: int, hours: float, an_hour: float, share: float) -> list[Story]:
    rng = random.Random(feed)
    minutes = sorted(rng.uniform(-300, hours * 60) for _ in range(max(1, round((hours + 5) * an_hour))))
    return [_story(feed, START + timedelta(minutes=minute), share, rng) for minute in minutes]


def _story(feed: int, at: datetime, share: float, rng: random.Random) -> Story:
    town, place = rng.choice(_TOWNS).strip(), rng.choice(_PLACES)
    loud = rng.random() < share
    title = rng.choice(_LOUD if loud else _QUIET).format(town=town, place=place, n=rng.randint(2, 90))
    names = " ".join(_name(rng) for _ in range(14 if loud else 6))
    return Story(at, f"{_name(rng)}: {title}" if loud else title, f"It is known as {names}.", _slug(feed, at))


def _name(rng: random.Random) -> str:
    """A word that no other story has, so that stories about alike events stay apart."""
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3)).capitalize()


def _slug(feed: int, at: datetime) -> str:
    return hashlib.blake2b(f"{feed}{at}".encode(), digest_size=6).hexdigest()


def _rss(feed: int, stories: list[Story]) -> bytes:
    items = "".join(
        f"<item><title>{story.title}</title><link>https://outlet{feed}.example/{story.slug}</link>"
        f"<description>{story.summary}</description><pubDate>{format_datetime(story.at)}</pubDate></item>"
        for story in reversed(stories)
    )
    return f"<rss version='2.0'><channel><title>Outlet {feed}</title>{items}</channel></rss>".encode()


def serve(ready: Connection, feeds: int, hours: float, an_hour: float, loud: float) -> None:
    """The world, until its process is ended."""
    asyncio.run(_serve(ready, Press(feeds, hours, an_hour, loud)))


async def _serve(ready: Connection, press: Press) -> None:
    async with press, FakeSlack() as slack, FakeTelegram() as telegram:
        ready.send((press.origin, slack.url("desk"), telegram.origin))
        await asyncio.Event().wait()


# --- the daemon -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What the daemon held at the end of an hour."""

    hour: float
    rss: float
    workers: float
    descriptors: int
    tasks: int
    wal: float
    database: float
    polls: int
    sent: int
    stories: int
    """Open ones, in memory."""


def settings_for(asked: argparse.Namespace, place: Path, press: str, slack: str, telegram: str) -> Settings:
    """The daemon's settings."""
    return Settings.model_validate(
        {
            "data_dir": str(place),
            "fetch": {"interval": asked.interval, "allow_networks": ["127.0.0.0/8"], "per_host": 16},
            "feeds": [{"url": f"{press}/feed/{n}"} for n in range(asked.feeds)],
            "console": {"enabled": False},
            "web": {"listen": ""},
            "telegram": {"token": DEFAULT_TOKEN, "base_url": telegram, "admins": [111]},
            "slack": [{"name": "desk", "webhook_url": slack}],
            "rules": [{"name": "all", "channels": ["slack:desk", "telegram:111"]}],
            "store": {"keep": f"{max(1, round(asked.hours * 15))}m"},
        }
    )


class Soak:
    """One run."""

    def __init__(self, asked: argparse.Namespace, settings: Settings, press: str) -> None:
        self._asked = asked
        self._settings = settings
        self._press = press
        self._clock = JumpClock(START)
        self.late: list[str] = []

    async def run(self) -> list[Sample]:
        """Every hour's sample."""
        import httpx

        app = await open_app(self._settings, Parts(clock=self._clock, jitter_seed=1))
        daemon = Daemon(app, TICKS)
        running = asyncio.create_task(daemon.run())
        samples: list[Sample] = []
        async with httpx.AsyncClient(base_url=self._press, trust_env=False) as control:
            try:
                await self._settle(daemon, running)
                for minute in self._minutes():
                    at = START + timedelta(minutes=minute)
                    await control.get("/control/now", params={"at": at.isoformat()})
                    self._clock.jump(at)
                    await self._settle(daemon, running)
                    if minute % 60 == 0:
                        samples.append(self._sample(minute / 60, daemon))
                        print(_line(samples[-1]), flush=True)
            finally:
                daemon.stop()
                await running
                await app.close()
        return samples

    def _minutes(self) -> range:
        return range(self._asked.step, round(self._asked.hours * 60) + 1, self._asked.step)

    async def _settle(self, daemon: Daemon, running: asyncio.Task[None]) -> None:
        """Until nothing is due; a moment longer, so that the ticks beside the polls happen too."""
        began = time.monotonic()
        while not running.done():
            took = time.monotonic() - began
            if took > LONGEST_STEP_S:
                self.late.append(f"at {self._clock.now():%H:%M} feeds were still due after {took:.0f} s")
                return
            if took >= self._asked.settle and not await self._due(daemon):
                return
            await asyncio.sleep(0.05)
        running.result()

    async def _due(self, daemon: Daemon) -> bool:
        due = await daemon.app.store.next_due()
        return (
            daemon.progress.last_tick is None or (due is not None and due <= self._clock.now()) or await daemon.busy()
        )

    def _sample(self, hour: float, daemon: Daemon) -> Sample:
        wal = self._settings.database.with_name(self._settings.database.name + "-wal")
        return Sample(
            hour=hour,
            rss=_rss_mib(os.getpid()),
            workers=sum(_rss_mib(child) for child in _children()),
            descriptors=len(os.listdir("/proc/self/fd")),
            tasks=len(asyncio.all_tasks()),
            wal=wal.stat().st_size / MIB if wal.exists() else 0.0,
            database=self._settings.database.stat().st_size / MIB,
            polls=daemon.progress.answered,
            sent=daemon.app.sent,
            stories=len(daemon.app.decider.grouper.stories),
        )


def _rss_mib(process: int) -> float:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / MIB


def _children() -> list[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def _line(one: Sample) -> str:
    return (
        f"hour {one.hour:g}: RSS {one.rss:.1f} MiB, workers and servers {one.workers:.0f} MiB, "
        f"{one.descriptors} descriptors, {one.tasks} tasks, WAL {one.wal:.1f} MiB, database {one.database:.1f} MiB, "
        f"{one.polls} polls, {one.stories} stories, {one.sent} messages"
    )


# --- the figures ------------------------------------------------------------------------------------------------


def slope(points: list[tuple[float, float]]) -> float:
    """Least squares: what the second value gains a unit of the first."""
    middle_x = sum(x for x, _ in points) / len(points)
    middle_y = sum(y for _, y in points) / len(points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread if spread else 0.0


def broken(samples: list[Sample], feeds: int) -> list[str]:
    """The promises that do not hold, one line each; prints the figures."""
    warm = [one for one in samples if one.hour >= samples[-1].hour / 4]
    gain = slope([(one.hour, one.rss) for one in warm])
    descriptors, tasks = (
        max(values) - values[0] for values in ([one.descriptors for one in warm], [one.tasks for one in warm])
    )
    wal = max(one.wal for one in samples)
    idle = [b.hour for a, b in pairwise(samples) if b.polls - a.polls < feeds]
    print(
        f"after the warm-up ({warm[0].hour:g} h): RSS {gain:+.2f} MiB an hour, descriptors {descriptors:+d}, "
        f"tasks {tasks:+d}; WAL at most {wal:.1f} MiB; {samples[-1].polls} polls, "
        f"{samples[-1].stories - warm[0].stories:+d} stories, {samples[-1].sent} messages"
    )
    found = [f"RSS grows by {gain:.2f} MiB an hour"] if gain > SLOPE_MIB else []
    found += [f"descriptors grew by {descriptors}"] if descriptors > SPREAD else []
    found += [f"tasks grew by {tasks}"] if tasks > SPREAD else []
    found += [f"the WAL grew to {wal:.1f} MiB"] if wal > WAL_MIB else []
    return found + [f"not every feed was asked in the hour before {hour:g}" for hour in idle]


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--feeds", type=int, default=60)
    parser.add_argument("--hours", type=int, default=6, help="simulated")
    parser.add_argument("--interval", default="15m", help="between two polls of a feed, at most")
    parser.add_argument("--items", type=float, default=0.5, help="that a feed publishes an hour")
    parser.add_argument("--loud", type=float, default=0.04, help="share of items about violence")
    parser.add_argument("--step", type=int, default=5, choices=(1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30), help="minutes")
    parser.add_argument("--settle", type=float, default=1.5, help="real seconds after each jump at least")
    asked = parser.parse_args()
    parse_duration(asked.interval)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.WARNING)
    ours, theirs = multiprocessing.Pipe()
    arguments = (theirs, asked.feeds, asked.hours, asked.items, asked.loud)
    world = multiprocessing.get_context("fork").Process(target=serve, args=arguments, daemon=True)
    world.start()
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as place:
            press, slack, telegram = ours.recv()
            soak = Soak(asked, settings_for(asked, Path(place), press, slack, telegram), press)
            samples = asyncio.run(soak.run())
    finally:
        world.terminate()
        world.join()
    print(f"{asked.feeds} feeds, {asked.hours} simulated hours in {time.monotonic() - began:.0f} s")
    wrong = [*broken(samples, asked.feeds), *soak.late]
    for line in wrong:
        print(f"broken: {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
