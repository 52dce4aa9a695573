"""Kills a sender at random instants, and cuts its power, while it records and sends alerts; counts what got lost.

    python bench/crash.py [--kills 60] [--alerts 1000] [--cuts 20] [--cut-alerts 300] [--lease 3] [--seed 1]

The sender is the real store, outbox, Slack and Telegram channels in a process of their own: it records polls of ten
alerts each (a poll is recorded only where its items are unseen) and delivers them. The fakes of both services are
another process; they refuse what Slack and Telegram would refuse, but keep no pace, so that deaths are many in little
time. A third process kills the sender after a random number of messages and a random wait, and reads what it left.

What is promised, and exit code 1 where it is broken:

- every alert that was recorded arrives, whatever died when;
- a message arrives once more at most for every death at which it was in flight (its attempt written, its outcome not);
- at no death are more messages in flight than the channels' concurrency allows;
- the database passes its integrity check after each power cut and at every tenth kill, and holds every poll and every
  outcome that was acknowledged.

How a power cut is simulated stands in ``powercut.py``. ``--as-if-normal`` shows that rows would be lost without
the sync at each commit. The full figure: ``--kills 1000 --alerts 10000 --cuts 200
--cut-alerts 2000``.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import logging
import multiprocessing
import os
import random
import re
import select
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path

import structlog
from crash_sender import A_POLL, IN_FLIGHT, Plan, be_born
from powercut import cut_power

from bot.model import Alert
from bot.store import codec, engine, open_store
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram
from tests.store.builders import alert, one_feed

LONGEST_LIFE_S = 120.0
_NUMBER = re.compile(r"Alert number (\d{6})")


# --- the receivers ----------------------------------------------------------------------------------------------


def receive(ready: Connection) -> None:
    """Both fakes, until the process is ended. Half a request of a killed sender is no news to their log."""
    logging.getLogger("aiohttp.server").disabled = True
    asyncio.run(_receive(ready))


async def _receive(ready: Connection) -> None:
    async with FakeSlack() as slack, FakeTelegram() as telegram:
        ready.send((slack.origin, telegram.origin))
        await asyncio.Event().wait()


def arrivals(origins: tuple[str, str]) -> Counter[str]:
    """How often each alert arrived, in both services together."""
    found: Counter[str] = Counter()
    for origin in origins:
        with urllib.request.urlopen(f"{origin}/control/messages", timeout=60) as answer:  # noqa: S310 - our own fake
            for message in json.load(answer):
                number = _NUMBER.search(json.dumps(message))
                found[f"a{number[1]}" if number else "unreadable"] += 1
    return found


# --- deaths -----------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """What the deaths showed."""

    deaths: int = 0
    cuts_in_checkpoint: int = 0
    lost_bytes: int = 0
    checks: int = 0
    damaged: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    """Acknowledged polls or outcomes that were gone afterwards."""
    in_flight: Counter[str] = field(default_factory=Counter)
    """At how many deaths each message was in flight."""
    most_in_flight: int = 0
    known_open: set[tuple[str, int]] = field(default_factory=set)
    """Attempts that earlier deaths left open, by message and fence: their leases may not be over yet."""
    faults: list[str] = field(default_factory=list)


class Ledger:
    """What senders have acknowledged so far."""

    def __init__(self) -> None:
        self.polled = -1
        self.sent: set[str] = set()
        self.faults: list[str] = []
        self.settled = 0
        self.ready = False

    def note(self, line: str) -> None:
        """One line of a report; half a line, cut off by a death, was never acknowledged."""
        kind, _, what = line.partition(" ")
        if kind == "polled":
            self.polled = max(self.polled, int(what))
        elif kind == "sent":
            self.sent.add(what)
            self.settled += 1
        elif kind == "ready":
            self.ready = True
        else:
            self.faults.append(line)


class Life:
    """One process, from its birth to its death."""

    def __init__(self, plan: Plan, ledger: Ledger) -> None:
        self._ledger = ledger
        ledger.settled, ledger.ready = 0, False
        self._child, self._pipe = be_born(plan)
        self._half = b""

    def until(self, settled: int, wait_s: float) -> bool:
        """Kill it so many messages after it was ready, and a moment later; False where it ended by itself before."""
        over = not self._read_until(settled)
        if not over:
            time.sleep(wait_s)
            os.kill(self._child, signal.SIGKILL)
        self._read_until(None)
        os.close(self._pipe)
        _, status = os.waitpid(self._child, 0)
        if over and status:
            self._ledger.faults.append(f"a sender ended with status {status}")
        return not over

    def _read_until(self, settled: int | None) -> bool:
        deadline = time.monotonic() + LONGEST_LIFE_S
        while settled is None or not self._ledger.ready or self._ledger.settled < settled:
            if not select.select([self._pipe], [], [], max(0.0, deadline - time.monotonic()))[0]:
                self._ledger.faults.append(f"nothing was settled for {LONGEST_LIFE_S:g} s")
                return True
            got = os.read(self._pipe, 65536)
            if not got:
                return False
            *lines, self._half = (self._half + got).split(b"\n")
            for line in lines:
                self._ledger.note(line.decode())
        return True


def audit(database: Path, ledger: Ledger, alerts: int, tally: Tally, *, thoroughly: bool) -> None:
    """Look at what a death left, without changing it."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as raw:
        if thoroughly:
            tally.checks += 1
            found = [str(row[0]) for row in raw.execute("PRAGMA integrity_check")]
            tally.damaged += [line for line in found if line != "ok"]
        states = dict(raw.execute("SELECT id, state FROM outbox"))
        seen = {int(row[0][1:]) for row in raw.execute("SELECT key FROM items")}
        query = "SELECT id, attempts.fence FROM outbox JOIN attempts USING (seq) WHERE ended_at IS NULL"
        flying = {(str(row[0]), int(row[1])) for row in raw.execute(query)} - tally.known_open
    recorded = range(min((ledger.polled + 1) * A_POLL, alerts))
    tally.missing |= {f"item {n}" for n in recorded if n not in seen}
    tally.missing |= {f"alert {n}" for n in {*recorded, *seen} if f"a{n:06d}" not in states}
    tally.missing |= {f"outcome of {name}" for name in ledger.sent if states.get(name) != "sent"}
    tally.known_open |= flying
    tally.in_flight.update(name for name, _ in flying)
    tally.most_in_flight = max(tally.most_in_flight, len(flying))


def phase(place: Path, origins: tuple[str, str], asked: argparse.Namespace, *, cuts: bool) -> Tally:
    """Die again and again until all alerts are sent: by kills, or by power cuts."""
    deaths, alerts = (asked.cuts, asked.cut_alerts) if cuts else (asked.kills, asked.alerts)
    rng = random.Random(asked.seed + cuts)
    database, ledger, tally = place / "tocsin.sqlite3", Ledger(), Tally()
    synchronous = min(prepare(database), 1 if asked.as_if_normal else 2)
    while True:
        left, to_come = alerts - len(ledger.sent), deaths - tally.deaths
        plan = Plan(database, origins, alerts, max(0, ledger.polled), asked.lease)
        if to_come <= 0 or left <= 0:
            break
        if not Life(plan, ledger).until(rng.randint(0, int(1.2 * left / to_come)), rng.uniform(0, 0.03)):
            break
        tally.deaths += 1
        if cuts:
            done = cut_power(database, rng, synchronous=synchronous)
            tally.lost_bytes += done.lost_bytes
            tally.cuts_in_checkpoint += done.in_checkpoint
        audit(database, ledger, alerts, tally, thoroughly=cuts or tally.deaths % 10 == 0)
    Life(replace(plan, from_poll=0), ledger).until(10**9, 0)
    audit(database, ledger, alerts, tally, thoroughly=True)
    tally.faults = ledger.faults
    return tally


def prepare(database: Path) -> int:
    """A database with one feed; the value of ``PRAGMA synchronous`` under which the store writes."""
    child = os.fork()
    if child == 0:
        asyncio.run(_prepare(database))
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise SystemExit("the database could not be made")
    with closing(engine.connect(database, "write")) as raw:
        if raw.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            raise SystemExit(f"{database}: is not in WAL mode here, so a power cut cannot be simulated")
        return int(raw.execute("PRAGMA synchronous").fetchone()[0])


async def _prepare(database: Path) -> None:
    store = await open_store(database)
    await one_feed(store)
    await store.close()


# --- the figures ------------------------------------------------------------------------------------------------


def tell(name: str, tally: Tally, alerts: int, got: Counter[str], took_s: float) -> bool:
    """Print the figures of one phase; True where its promises hold."""
    ids = [f"a{n:06d}" for n in range(alerts)]
    lost = [one for one in ids if not got[one]]
    extra = {one: got[one] - 1 for one in ids if got[one] > 1}
    unexplained = {one: n - tally.in_flight[one] for one, n in extra.items() if n > tally.in_flight[one]}
    foreign = sorted(set(got) - set(ids))
    print(
        f"{tally.deaths} {name} over {alerts} alerts in {took_s:.0f} s: lost {len(lost)}\n"
        f"  copies {sum(extra.values())}, not explained by a message in flight at a death {sum(unexplained.values())}; "
        f"the worst arrived {max(got.values(), default=0)} times\n"
        f"  in flight at deaths {tally.in_flight.total()}, at one at most {tally.most_in_flight}\n"
        f"  acknowledged rows missing {len(tally.missing)}; integrity checks {tally.checks}, "
        f"damaged {len(tally.damaged)}"
    )
    if name == "power cuts":
        print(f"  unsynced bytes torn or lost {tally.lost_bytes}, cuts amid a checkpoint {tally.cuts_in_checkpoint}")
    for what, broken in (("lost", lost), ("unexplained", list(unexplained)), ("foreign", foreign)):
        _complain(what, broken)
    _complain("missing", sorted(tally.missing))
    _complain("damaged", tally.damaged)
    _complain("fault", tally.faults)
    return not (lost or unexplained or foreign or tally.missing or tally.damaged or tally.faults) and (
        tally.most_in_flight <= 2 * IN_FLIGHT
    )


def _complain(what: str, broken: list[str]) -> None:
    for one in broken[:5]:
        print(f"  {what}: {one}")
    if len(broken) > 5:
        print(f"  {what}: and {len(broken) - 5} more")


def run(asked: argparse.Namespace, name: str, *, cuts: bool) -> bool:
    """One phase with receivers of its own."""
    ours, theirs = multiprocessing.Pipe()
    receivers = multiprocessing.get_context("fork").Process(target=receive, args=(theirs,), daemon=True)
    receivers.start()
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as place:
            origins = ours.recv()
            tally = phase(Path(place), origins, asked, cuts=cuts)
            took = time.monotonic() - began
            _keep(Path(place), asked.keep)
        return tell(name, tally, asked.cut_alerts if cuts else asked.alerts, arrivals(origins), took)
    finally:
        receivers.terminate()
        receivers.join()


def _keep(place: Path, kept: Path | None) -> None:
    if kept is not None:
        shutil.copytree(place, kept / f"{time.time():.0f}")


def main() -> int:
    """Both phases; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--alerts", type=int, default=1000)
    parser.add_argument("--cuts", type=int, default=20, help="power cuts")
    parser.add_argument("--cut-alerts", type=int, default=300, help="alerts while power is cut")
    parser.add_argument("--lease", type=float, default=3.0, help="seconds that a dead sender's messages rest")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--as-if-normal",
        action="store_true",
        help="cut the power as if SQLite did not sync at commits (synchronous = NORMAL): this must lose rows",
    )
    parser.add_argument("--keep", type=Path, help="a folder that gets the databases")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.getLogger("bot").setLevel(logging.ERROR)
    codec.load(Alert, codec.dump(alert()))  # readers are built once here, not in each sender
    gc.freeze()
    kills = asked.kills == 0 or run(asked, "kills", cuts=False)
    cuts = asked.cuts == 0 or run(asked, "power cuts", cuts=True)
    return 0 if kills and cuts else 1


if __name__ == "__main__":
    sys.exit(main())
