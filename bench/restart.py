"""Stops and restarts of the real daemon: SIGTERM in the middle of a fan-out, and a storm of restarts.

    python bench/restart.py [--times 20] [--chats 60] [--storm 100] [--seconds 60] [--seed 1]

*Stops.* ``tocsin run`` (the real command, a process of its own) sends one alert to ``--chats`` chats for every stop, at
Telegram's pace. After a random number of messages it gets SIGTERM; at every fourth stop Telegram has just ceased to
answer. Promised: exit code 0 within 10 s each time, without a traceback; over all stops nothing is lost, and nothing
arrives twice but what was in flight when Telegram did not answer.

*Storm.* The same daemon is started again and again (forked from a process that has loaded everything, so that many
starts fit into little time) and ends after a random moment, by SIGTERM and SIGKILL in turn, spread over ``--seconds``.
Promised: no feed is asked more often than the interval allows, but for one poll whose answer died with a process and
one more, and every feed is asked once the storm is over; no alert arrives more than twice; no worker process outlives
its daemon.

Exit code 1 where a promise is broken. The full figure: ``--times 200``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from bot.model import Delivery, Lane
from bot.store import open_store
from tests.fakes.feeds import FakePublishers
from tests.fakes.server import Fault
from tests.fakes.telegram import DEFAULT_TOKEN, FakeTelegram
from tests.store.builders import alert

STOP_S = 10.0
FEEDS = 20
INTERVAL_S = 60.0
"""The least between two polls of a feed under the settings used here."""
ROOT = Path(__file__).parents[1]
PER_STOP_LONGEST_S = 90.0
Answer = Callable[[], object]


# --- the world --------------------------------------------------------------------------------------------------


def serve(door: Connection) -> None:
    """Feeds and Telegram, until the process is ended; answers what is asked through the door."""
    logging.getLogger("aiohttp.server").disabled = True
    asyncio.run(_serve(door))


async def _serve(door: Connection) -> None:
    async with FakePublishers(FEEDS) as press, FakeTelegram() as telegram:
        for feed in range(FEEDS):
            press.publish(feed, f"The fair of town {feed} opens", "Apples and music.", datetime.now(UTC))
        answers: dict[str, Answer] = {
            "origins": lambda: ([press.url(n) for n in range(FEEDS)], telegram.origin),
            "delivered": lambda: len(telegram.messages),
            "arrivals": lambda: Counter(sent.chat for sent in telegram.messages),
            "asked": lambda: Counter(feed for feed, _, _ in press.requests),
            "sulk": lambda: telegram.faults.add(Fault("hang", times=10_000, method="sendMessage")),
            "relent": lambda: setattr(telegram.faults, "_queue", type(telegram.faults._queue)()),
        }
        asyncio.get_running_loop().add_reader(door.fileno(), lambda: door.send(answers[door.recv()]()))
        await asyncio.Event().wait()


class World:
    """The driver's end of the door."""

    def __init__(self, door: Connection, folder: Path) -> None:
        self._door = door
        self.folder = folder
        urls, telegram = self._ask("origins")
        assert isinstance(urls, list)
        feeds = "".join(f'[[feeds]]\nurl = "{url}"\n' for url in urls)
        self.settings = folder / "tocsin.toml"
        self.settings.write_text(
            f'data_dir = "{folder / "data"}"\n[fetch]\nallow_networks = ["127.0.0.0/8"]\nper_host = 16\n{feeds}'
            f'[console]\nenabled = false\n[web]\nlisten = ""\n'
            f'[telegram]\ntoken = "{DEFAULT_TOKEN}"\nbase_url = "{telegram}"\nadmins = [111]\n'
        )
        self.settings.chmod(0o600)

    def _ask(self, what: str) -> tuple[object, ...]:
        self._door.send(what)
        answer = self._door.recv()
        return answer if isinstance(answer, tuple) else (answer,)

    def delivered(self) -> int:
        """Messages that arrived so far."""
        return int(str(self._ask("delivered")[0]))

    def counted(self, what: str) -> Counter[object]:
        """Arrivals by chat, or requests by feed."""
        found = self._ask(what)[0]
        assert isinstance(found, Counter)
        return found

    def tell(self, what: str) -> None:
        """``sulk``: sends hang from now on; ``relent``: no more."""
        self._ask(what)

    @property
    def database(self) -> Path:
        """The daemon's."""
        return self.folder / "data" / "tocsin.sqlite3"


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Feeds and Telegram up, and an empty folder."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    try:
        with tempfile.TemporaryDirectory() as place:
            yield World(ours, Path(place))
    finally:
        process.terminate()
        process.join()


async def owe(database: Path, chats: int) -> None:
    """One alert to so many chats, as the pipeline would have queued it."""
    database.parent.mkdir(exist_ok=True)
    store = await open_store(database)
    now = datetime.now(UTC)
    content = alert(title="Shelling of the port")
    owed = [
        Delivery(
            f"fan-{n}",
            f"telegram:{1000 + n}",
            content,
            Lane.URGENT,
            created_at=now,
            not_before=now,
            expires_at=now + timedelta(hours=6),
            story_id="s1",
        )
        for n in range(chats)
    ]
    await store.enqueue(owed)
    await store.close()


# --- stops ------------------------------------------------------------------------------------------------------


@dataclass
class Stops:
    """What the stops came to."""

    took: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    in_flight: int = 0
    """Messages that may have been in flight when Telegram did not answer."""


def stops(here: World, times: int, chats: int, rng: random.Random) -> Stops:
    """Start, send, stop, again and again; then send the rest."""
    found = Stops()
    asyncio.run(owe(here.database, times * chats))
    for number in range(times):
        _stop_once(here, found, number, min(20, chats - 1), rng)
    with _daemon(here) as process:
        _until(lambda: here.delivered() >= times * chats, PER_STOP_LONGEST_S + times * chats / 20)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    return found


def _stop_once(here: World, found: Stops, number: int, most: int, rng: random.Random) -> None:
    sulks, before = number % 4 == 3, here.delivered()
    with _daemon(here) as process:
        if not _until(lambda: here.delivered() > before + rng.randint(0, most), PER_STOP_LONGEST_S):
            found.wrong.append(f"stop {number}: nothing was sent in {PER_STOP_LONGEST_S:g} s")
        time.sleep(rng.uniform(0, 0.3))
        if sulks:
            here.tell("sulk")
            time.sleep(0.5)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        try:
            log = process.communicate(timeout=60)[1].decode(errors="replace")
        except subprocess.TimeoutExpired:
            found.wrong.append(f"stop {number}: still running after 60 s")
            return
        found.took.append(time.monotonic() - began)
        here.tell("relent")
    if process.returncode or "Traceback" in log or found.took[-1] > STOP_S:
        how = " while Telegram did not answer" if sulks else ""
        last = log.strip().splitlines()[-1:]
        found.wrong.append(f"stop {number}: exit {process.returncode} after {found.took[-1]:.1f} s{how}: {last}")


@contextlib.contextmanager
def _daemon(here: World) -> Iterator[subprocess.Popen[bytes]]:
    """``tocsin run``; killed where the body leaves it running."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
    command = [sys.executable, "-m", "bot", "run", "--config", str(here.settings)]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def _until(true: Callable[[], bool], within_s: float) -> bool:
    """Wait for something; False where it did not come."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.05)
    return False


def tell_stops(found: Stops, arrived: Counter[object], owed: int) -> bool:
    """Print the figures; True where the promises hold."""
    lost = owed - len(arrived)
    copies = sum(arrived.values()) - len(arrived)
    took = sorted(found.took) or [0.0]
    good = len(found.took) - len(found.wrong)
    print(
        f"{len(found.took)} stops in mid fan-out: exit 0 within {STOP_S:g} s {good} times (median "
        f"{took[len(took) // 2]:.1f} s, the longest {took[-1]:.1f} s); of {owed} messages lost {lost}, copies {copies}"
    )
    for line in found.wrong:
        print(f"  {line}")
    return not (found.wrong or lost or copies)


# --- storm ------------------------------------------------------------------------------------------------------


@dataclass
class Storm:
    """What the storm came to."""

    restarts: int = 0
    killed: int = 0
    took_s: float = 0.0
    exits: Counter[int] = field(default_factory=Counter)
    orphans: int = 0
    asked: Counter[object] = field(default_factory=Counter)
    """Requests during the storm, by feed."""
    asked_at_last: int = 0
    """Feeds that were asked by the end of the quiet that followed …"""
    late_s: float = 0.0
    """… and how long that took."""


def storm(here: World, restarts: int, seconds: float, rng: random.Random) -> Storm:
    """Live shortly, many times."""
    import bot.app
    import bot.channels.ptb
    import bot.chatting
    import bot.cli.daemon
    import bot.feeds.wire
    import bot.jobs
    import bot.workers

    del bot
    found, began = Storm(), time.monotonic()
    asyncio.run(owe(here.database, 40))
    for number in range(restarts):
        found.restarts += 1
        child = _fork(here.settings)
        time.sleep(rng.uniform(0.2, 1.8) * seconds / restarts)
        found.killed += number % 2
        os.kill(child, signal.SIGKILL if number % 2 else signal.SIGTERM)
        found.exits[os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])] += 1
    found.took_s = time.monotonic() - began
    found.asked = here.counted("asked")
    child = _fork(here.settings)
    _until(lambda: len(here.counted("asked")) == FEEDS, INTERVAL_S + 30)
    found.late_s = time.monotonic() - began - found.took_s
    found.asked_at_last = len(here.counted("asked"))
    os.kill(child, signal.SIGTERM)
    os.waitpid(child, 0)
    if not _until(lambda: not _orphans(here.settings), 10):
        found.orphans = len(_orphans(here.settings))
    return found


def _fork(settings: Path) -> int:
    """A daemon. Its workers must not load this module anew, so they are not told of it."""
    child = os.fork()
    if child:
        return child
    try:
        os.environ["TOCSIN_CONFIG"] = str(settings)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        del sys.modules["__main__"].__file__
        from bot.cli.daemon import run

        os._exit(run(settings))
    finally:
        os._exit(70)


def _orphans(settings: Path) -> list[int]:
    """Processes that carry the daemon's environment, though every daemon has ended."""
    mark = f"TOCSIN_CONFIG={settings}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (place / "environ").read_bytes().split(b"\0"):
                found.append(int(place.name))
    return found


def tell_storm(found: Storm, arrived: Counter[object]) -> bool:
    """Print the figures; True where the promises hold."""
    allowed, total = 2 + int(found.took_s / INTERVAL_S), found.asked.total()
    most, worst = max(found.asked.values(), default=0), max(arrived.values(), default=0)
    ends = ", ".join(f"{count} with {code}" for code, count in sorted(found.exits.items()))
    print(
        f"{found.restarts} restarts in {found.took_s:.0f} s ({found.killed} by SIGKILL; exits: {ends}):\n"
        f"  a feed was asked {most} times at most ({allowed} allowed), {total} requests for {FEEDS} feeds\n"
        f"  {found.asked_at_last} were asked {found.late_s:.0f} s after the storm\n"
        f"  an alert arrived {worst} times at most; {len(arrived)} of 40 messages sent\n"
        f"  worker processes left behind {found.orphans}"
    )
    soft = {0, -signal.SIGKILL, -signal.SIGTERM}  # the latter where a process had not yet taken its signals
    return (
        most <= allowed
        and found.asked_at_last == FEEDS
        and worst <= 2
        and not found.orphans
        and set(found.exits) <= soft
    )


def main() -> int:
    """Both; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="stops in mid fan-out")
    parser.add_argument("--chats", type=int, default=60, help="messages owed for each stop")
    parser.add_argument("--storm", type=int, default=100, help="restarts")
    parser.add_argument("--seconds", type=float, default=60.0, help="over which they are spread")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    good = True
    if asked.times:
        with world() as here:
            found = stops(here, asked.times, asked.chats, random.Random(asked.seed))
            good = tell_stops(found, here.counted("arrivals"), asked.times * asked.chats)
    if asked.storm:
        with world() as here:
            blown = storm(here, asked.storm, asked.seconds, random.Random(asked.seed))
            good = tell_storm(blown, here.counted("arrivals")) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
