"""Mutated feeds, Telegram updates and settings against their readers; counts crashes, and hangs past a deadline.

    python bench/fuzz.py [FEEDS] [--cases 2000] [--deadline 5] [--seed 1] [--first 0] [--save FOLDER]

FEEDS is a directory whose files (up to 200 kB of each) are what feeds are mutated from; without it four small ones of
our own serve. Of ten cases six are feeds (:func:`bot.feeds.parse.parse_feed`), two are Telegram updates (the webhook
door or the poller, the real desk, a real database), two are settings (:func:`config.load_settings`, files and
variables). A crash is

- any exception but the one that each reader promises (``ParseError``, none, ``SettingsFault``), or a dead process;
- an item with a link that is not http(s), or with a control character in its words;
- an update at which a handler failed, or that stays unhandled;
- a complaint about settings that takes several lines or says the secret.

A hang is a case that took more CPU seconds than the deadline, or ten times as long by the clock: then its process is
killed. Cases run in a process with the worker's memory limit; each is made from the seed and its number alone, so that
``--first N --cases 1`` repeats it (an update also meets the desk as the cases before it left it). Exit code 1 where
there was a crash or a hang. The full figure: ``--cases 100000``.
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import json
import logging
import mmap
import os
import random
import resource
import select
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from fuzz_desk import AT, Broken, Complaints, Desk
from fuzz_seeds import CANARY, FEEDS, SETTINGS, TYPED, UPDATES, URL, VALUES, VARIABLES
from mutate import spoiled_bytes, spoiled_settings, spoiled_text, spoiled_value

from bot.errors import ParseError
from bot.feeds.parse import feed_of, parse_feed
from bot.model import Fetched
from bot.store import open_store
from bot.telegram.routes import BUTTONS, COMMANDS
from config.loader import SettingsFault, load_settings

MEMORY = 1024**3
MOST_OF_A_SEED = 200_000
TYPES = (
    "",
    "application/rss+xml",
    "text/xml; charset=utf-16",
    "text/html; charset=koi8-r",
    "application/feed+json",
    ";;=",
)


@dataclass(frozen=True, slots=True)
class Case:
    """One mutated input, made from the seed and its number."""

    number: int
    kind: str
    body: bytes
    note: str = ""
    """A feed's content type, or the value of a variable."""
    rough: bool = False
    """Bytes were moved about, so that a secret may stand where none belongs."""


class Maker:
    """Makes cases."""

    def __init__(self, seed: int, feeds: Sequence[bytes], settings: Sequence[str]) -> None:
        self._seed = seed
        self._feeds = feeds
        self._settings = settings
        self._words = [
            *(f"/{name}" for name in COMMANDS),
            *(f"/{name} {word}" for name in COMMANDS for word in TYPED),
            *TYPED,
        ]
        self._data = [f"{name}:{word}" for name in BUTTONS for word in (*TYPED, "1", "a:b:c", "")]

    def case(self, number: int) -> Case:
        """The case of a number."""
        rng = random.Random(f"{self._seed}:{number}")
        if number % 10 < 6:
            return Case(number, "feed", spoiled_bytes(rng.choice(self._feeds), self._feeds, rng), rng.choice(TYPES))
        if number % 10 < 8:
            return self._update(number, rng)
        text = spoiled_settings(rng.choice(self._settings), rng)
        body, rough = text.encode("utf-8", "surrogatepass"), rng.random() < 0.2
        variable = spoiled_settings(rng.choice(VALUES), rng) if rng.random() < 0.3 else ""
        return Case(number, "settings", spoiled_bytes(body, [body], rng) if rough else body, variable, rough)

    def _update(self, number: int, rng: random.Random) -> Case:
        update: Any = copy.deepcopy(rng.choice(UPDATES))
        said = update.get("message") or update.get("channel_post")
        if said is not None and said["text"] and rng.random() < 0.8:
            said["text"] = rng.choice((rng.choice(self._words), spoiled_text(rng.choice(self._words), rng)))
        if "callback_query" in update:
            update["callback_query"]["data"] = rng.choice(self._data)
        spoiled = update if rng.random() < 0.2 else spoiled_value(update, rng, self._words)
        body = json.dumps(
            {**(spoiled if isinstance(spoiled, dict) else {"message": spoiled}), "update_id": number}
        ).encode()
        return Case(number, "update", spoiled_bytes(body, [body], rng) if rng.random() < 0.1 else body)


# --- the readers ------------------------------------------------------------------------------------------------


def read_feed(case: Case) -> str:
    """Parse; what it came to."""
    try:
        parsed = parse_feed(Fetched(feed_of(URL, AT), URL, case.body, AT, content_type=case.note))
    except ParseError:
        return "refused"
    for item in parsed.items:
        if item.link and not item.link.startswith(("http://", "https://")):
            raise Broken(f"a link that is no web address: {item.link[:80]!r}")
        if any(ord(letter) < 32 and letter not in "\t\n" for letter in item.title + item.summary):
            raise Broken(f"control characters in {item.title[:80]!r}")
    return "read" if parsed.items else "empty"


def read_settings(case: Case, place: Path) -> str:
    """Load; what it came to."""
    path = place / "tocsin.toml"
    path.write_bytes(case.body)
    environ = {random.Random(case.number).choice(VARIABLES): case.note.replace("\0", "")} if case.note else {}
    try:
        load_settings(path, environ, place)
    except SettingsFault as fault:
        complaint = str(fault)
        if not complaint or len(complaint.splitlines()) > 1:
            raise Broken(f"not one line: {complaint[:300]!r}") from None
        if CANARY in complaint and not case.rough:
            raise Broken(f"a secret is told: {complaint[:300]!r}") from None
        return "refused"
    return "read"


# --- the process that reads -------------------------------------------------------------------------------------

_SHARED = struct.Struct("=qdd")
"""Case, CPU seconds at its beginning, and when it began by the clock."""


def work(maker: Maker, numbers: range, shared: mmap.mmap, report: int, deadline_s: float) -> None:
    """Read cases in turn and report what each came to."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    complaints = Complaints()
    structlog.configure(processors=[complaints])
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as place:
        asyncio.run(_work(maker, numbers, shared, report, deadline_s, Path(place), complaints))


async def _work(
    maker: Maker, numbers: range, shared: mmap.mmap, report: int, deadline_s: float, place: Path, complaints: Complaints
) -> None:
    store = await open_store(place / "fuzz.db")
    desk = Desk(store, complaints)
    for number in numbers:
        case = maker.case(number)
        began = time.process_time()
        shared[: _SHARED.size] = _SHARED.pack(number, began, time.monotonic())
        try:
            result = await _read(case, desk, place)
            detail = ""
        except Exception as error:  # noqa: BLE001 - finding it is the purpose; it is reported
            result, detail = "crashed", "".join(traceback.format_exception(error)[-3:])
        took = time.process_time() - began
        result = "hung" if took > deadline_s else result
        line = json.dumps([number, case.kind, result, took, detail[-1500:]])
        os.write(report, line.encode() + b"\n")
    shared[: _SHARED.size] = _SHARED.pack(-1, 0.0, time.monotonic())
    await store.close()


async def _read(case: Case, desk: Desk, place: Path) -> str:
    if case.kind == "feed":
        return read_feed(case)
    if case.kind == "update":
        return await desk.read(case.number, case.body)
    return read_settings(case, place)


# --- the process that watches -----------------------------------------------------------------------------------


@dataclass
class Tally:
    """What came of all cases."""

    results: Counter[tuple[str, str]] = field(default_factory=Counter)
    slowest: dict[str, tuple[float, int]] = field(default_factory=dict)
    bad: list[tuple[int, str, str]] = field(default_factory=list)
    last: int = -1

    def note(self, number: int, kind: str, result: str, took: float, detail: str) -> None:
        """One case."""
        self.last = number
        self.results[kind, result] += 1
        self.slowest[kind] = max(self.slowest.get(kind, (0.0, 0)), (took, number))
        if result in ("crashed", "hung"):
            self.bad.append((number, result, detail or f"{took:.1f} s of CPU"))


def watch(maker: Maker, numbers: range, deadline_s: float) -> Tally:
    """Read all cases in processes that are begun anew after each that died or hung."""
    tally = Tally(last=numbers.start - 1)
    shared = mmap.mmap(-1, mmap.PAGESIZE)
    while tally.last + 1 < numbers.stop:
        shared[: _SHARED.size] = _SHARED.pack(tally.last + 1, 0.0, time.monotonic())
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                work(maker, range(tally.last + 1, numbers.stop), shared, writing, deadline_s)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
                raise
            os._exit(0)
        os.close(writing)
        _follow(child, reading, shared, deadline_s, tally)
        os.close(reading)
        _, status = os.waitpid(child, 0)
        if status:
            number = tally.last + 1
            result = "hung" if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL else "crashed"
            tally.note(number, maker.case(number).kind, result, 0.0, f"the process ended with status {status}")
    return tally


def _follow(child: int, reading: int, shared: mmap.mmap, deadline_s: float, tally: Tally) -> None:
    """Take reports until the child ends; end it where one case takes far too long by the clock."""
    rest = b""
    while True:
        if select.select([reading], [], [], 0.5)[0]:
            got = os.read(reading, 65536)
            if not got:
                return
            *lines, rest = (rest + got).split(b"\n")
            for line in lines:
                tally.note(*json.loads(line))
        number, _, began = _SHARED.unpack(shared[: _SHARED.size])
        if number >= 0 and time.monotonic() - began > 10 * deadline_s:
            os.kill(child, signal.SIGKILL)


def read_seeds(folder: Path | None) -> Sequence[bytes]:
    """The beginnings of all files of a directory, in their order; without one our own."""
    if folder is None:
        return FEEDS
    seeds = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                seeds.append(file.read(MOST_OF_A_SEED))
    return [seed for seed in seeds if seed] or FEEDS


def tell(tally: Tally, took_s: float) -> int:
    """Print the figures; the exit code."""
    for kind in ("feed", "update", "settings"):
        parts = {result: n for (of, result), n in sorted(tally.results.items()) if of == kind}
        slow, number = tally.slowest.get(kind, (0.0, 0))
        told = ", ".join(f"{result} {n}" for result, n in parts.items())
        print(f"{kind}: {sum(parts.values())} cases ({told}); the slowest {slow * 1000:.0f} ms of CPU (case {number})")
    for number, result, detail in tally.bad[:20]:
        print(f"case {number} {result}: {detail}")
    outcomes = Counter(result for _, result, _ in tally.bad)
    total = tally.results.total()
    print(f"{total} cases in {took_s:.0f} s: {outcomes['crashed']} crashes, {outcomes['hung']} hangs past the deadline")
    return 1 if tally.bad else 0


def main() -> int:
    """Everything; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("feeds", type=Path, nargs="?", help="a directory of feeds to mutate")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="the number of the first case")
    parser.add_argument("--deadline", type=float, default=5.0, help="CPU seconds that a case may take")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="a folder that gets the inputs of bad cases")
    asked = parser.parse_args()
    if asked.feeds is not None and not asked.feeds.is_dir():
        parser.error(f"{asked.feeds}: no such directory")
    default = Path(__file__).parents[1] / "config" / "default.toml"
    settings = [SETTINGS, default.read_text(encoding="utf-8")]
    maker = Maker(asked.seed, read_seeds(asked.feeds), settings)
    began = time.monotonic()
    tally = watch(maker, range(asked.first, asked.first + asked.cases), asked.deadline)
    if asked.save is not None:
        asked.save.mkdir(parents=True, exist_ok=True)
        for number, _, _ in tally.bad:
            (asked.save / f"case-{number}").write_bytes(maker.case(number).body)
    return tell(tally, time.monotonic() - began)


if __name__ == "__main__":
    sys.exit(main())
