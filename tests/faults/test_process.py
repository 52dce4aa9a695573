"""Faults of the process: signals, kills, stalls, too many feeds, too few descriptors, a whole day."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import io
import logging
import os
import random
import resource
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App, Parts, open_app
from bot.cli.daemon import _locked, _on_signals
from bot.clock import SystemClock
from bot.errors import FetchError, UsageError, WorkerError
from bot.feeds.fetch import HttpSource
from bot.health import Heartbeat, read_status
from bot.jobs import Daemon, Ticks
from bot.logs import PatientHandler
from bot.model import Delivery, Feed, FeedState, Fetched, Item, Lane, Notice, NotModified
from bot.outbox import Outbox
from bot.pulse import feel
from bot.store import open_store
from bot.workers import WorkerPool
from classifiers import Assessor
from classifiers.keywords import keyword_model
from config.model import Settings
from tests.bot.parts import START, ScriptedChannel, ScriptedSource, ScriptedWorkers, hours, item
from tests.bot.test_pipeline import Line
from tests.end_to_end.world import until
from tests.fakes.feeds import FakePublishers
from tests.faults.parts import ROOT


def settings(folder: Path, feeds: int = 1, **more: object) -> Settings:
    """Settings of a daemon that watches scripted feeds and speaks to nobody."""
    return Settings.model_validate(
        {
            "data_dir": folder,
            "catalogue": "",
            "feeds": [{"url": f"https://outlet{n}.example/feed"} for n in range(1, feeds + 1)],
            "console": {"enabled": False},
            "web": {"listen": ""},
            **more,
        }
    )


@contextlib.asynccontextmanager
async def daemon_of(given: Settings, source: ScriptedSource, assessor: Assessor):  # type: ignore[no-untyped-def]
    """The daemon over scripted feeds; closed afterwards."""
    app: App = await open_app(given, Parts(workers=ScriptedWorkers(source, assessor), channels={}))
    await app.source.close()
    app.source = app.pipeline._source = source
    try:
        yield Daemon(app, Ticks(poll_s=0.05))
    finally:
        await app.close()


# --- stopping ---------------------------------------------------------------------------------------------------


async def test_P01_told_to_stop_at_rest_it_ends_within_two_seconds(tmp_path: Path, assessor: Assessor) -> None:
    """SIGTERM at rest ends the daemon by itself, within two seconds, and its heartbeat with it."""
    async with daemon_of(settings(tmp_path), ScriptedSource(outcomes={1: []}), assessor) as daemon:
        _on_signals(daemon, None)
        running = asyncio.create_task(daemon.run())
        await until(lambda: daemon.progress.first_round_over)
        started = time.monotonic()
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await running
        assert time.monotonic() - started < 2
        assert "no daemon runs" in read_status(tmp_path)[1]
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)


async def test_P03_who_asks_twice_is_not_kept_waiting_and_loses_nothing(tmp_path: Path) -> None:
    """A second SIGTERM ends the process at once with 0, a message on the wire included; the next start sends what is owed."""
    path, now = tmp_path / "t.sqlite3", datetime.now(UTC)
    store = await open_store(path)
    owed = [Delivery(f"a{n}", "slack:desk", Notice("x", now), Lane.NORMAL, now, now, now + hours(1)) for n in range(5)]
    await store.enqueue(owed)
    await store.close()
    script = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.hurried", str(path),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL, cwd=ROOT,
    )  # fmt: skip
    assert script.stdout is not None
    async with asyncio.timeout(20):
        assert await script.stdout.readline() == b"sending\n"
        script.terminate()
        await asyncio.sleep(0.5)
        assert script.returncode is None
        script.terminate()
        started = time.monotonic()
        await script.communicate()
    assert time.monotonic() - started < 1
    assert script.returncode == 0
    store = await open_store(path)
    assert await store.check() is None
    assert await store.outbox_depth() == {"slack": 5}
    later = now + timedelta(minutes=5)
    assert len(await store.claim("slack", None, later, 10, 60.0)) == 5
    await store.close()


def kill_this_process() -> None:
    """As the kernel does where memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


async def test_P06_a_kill_for_memory_costs_one_task() -> None:
    """A worker that the kernel kills fails its task by name; the daemon lives and the next task gets a fresh worker."""
    pool = WorkerPool(timeout_s=20.0, memory=2 * 1024**3)
    try:
        with pytest.raises(WorkerError, match="ended its worker process"):
            await pool._run("parse", kill_this_process)
        assert await pool._run("parse", os.getpid) != os.getpid()
    finally:
        await pool.close()


# --- stalling ---------------------------------------------------------------------------------------------------


async def test_P08_a_loop_that_stands_still_shows_where_and_is_seen_to_be_late(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """While the loop is blocked the stacks of all threads are written to stderr; when it wakes, its lateness is known."""
    late: list[float] = []
    feeling = asyncio.create_task(feel(late.append, every_s=0.05, stall_s=0.2))
    await asyncio.sleep(0.12)
    time.sleep(0.5)  # noqa: ASYNC251 - the fault itself
    await asyncio.sleep(0.06)
    feeling.cancel()
    await asyncio.gather(feeling, return_exceptions=True)
    said = capfd.readouterr().err
    assert "Timeout (0:00:00.2" in said
    assert "test_P08" in said
    assert max(late) > 0.3
    assert min(late) < 0.1


async def test_P08_the_heartbeat_of_a_blocked_loop_grows_stale(tmp_path: Path, assessor: Assessor) -> None:
    """Half a minute without a beat is ill health, and only the loop itself can beat."""
    async with daemon_of(settings(tmp_path), ScriptedSource(outcomes={1: []}), assessor) as daemon:
        await daemon._beat()
        now = datetime.now(UTC)
        assert read_status(tmp_path, now + timedelta(seconds=25))[0]
        well, why = read_status(tmp_path, now + timedelta(seconds=31))
        assert not well
        assert "hangs or died" in why
    Heartbeat(tmp_path).clear()


class SlowSource(ScriptedSource):
    """Takes its time over every feed, ten at once, and notes when each was asked."""

    def __init__(self, feeds: int, takes_s: float) -> None:
        super().__init__(outcomes={n: [] for n in range(1, feeds + 1)})
        self.takes_s = takes_s
        self.at: dict[int, list[float]] = defaultdict(list)
        self.slots = asyncio.Semaphore(10)

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """After a while."""
        async with self.slots:
            self.at[feed.id].append(time.monotonic())
            await asyncio.sleep(self.takes_s)
            return await super().fetch(feed)


def late_polls(app: App) -> float:
    """How many polls were done later than an interval after their time."""
    page = app.metrics.page().decode()
    return float(next(line for line in page.splitlines() if line.startswith("tocsin_late_polls_total")).split()[1])


@pytest.mark.parametrize(("takes_s", "overloaded"), [(0.05, False), (0.5, True)])
async def test_P09_more_slow_feeds_than_slots_starve_none_and_lateness_is_counted(
    tmp_path: Path, assessor: Assessor, takes_s: float, overloaded: bool
) -> None:
    """Sixty slow feeds share ten slots: each is asked in turn, none twice before all once, and what comes late is counted."""
    source = SlowSource(60, takes_s)
    given = settings(tmp_path, 60, fetch={"interval": "1s", "concurrency": 10})
    async with daemon_of(given, source, assessor) as daemon:
        running = asyncio.create_task(daemon.run())
        await asyncio.sleep(5.0 if overloaded else 3.5)
        ended = time.monotonic()
        daemon.stop()
        await running
        assert len(source.at) == 60
        assert (late_polls(daemon.app) > 0) is overloaded
    if overloaded:
        rounds = [len(times) for times in source.at.values()]
        assert max(rounds) - min(rounds) <= 1
    else:
        gaps = [
            after - before
            for times in source.at.values()
            for before, after in zip(times, [*times[1:], ended], strict=True)
        ]
        assert max(gaps) < 2.4


# --- scarcity ---------------------------------------------------------------------------------------------------


async def test_P11_without_file_descriptors_a_feed_fails_and_answers_again_when_there_are_some() -> None:
    """Where no descriptor is left a fetch is one failed feed, not a crash; with descriptors it answers as before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    now = datetime.now(UTC)
    async with FakePublishers(2) as press, FakePublishers(1) as other:
        source = HttpSource("Tocsin/test", clock=SystemClock(), allow_networks=("127.0.0.0/8",), deadline_s=3)
        assert isinstance(await source.fetch(Feed(1, press.url(0), now, FeedState(now))), Fetched)
        held: list[int] = []
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            with pytest.raises(FetchError) as caught:
                await source.fetch(Feed(2, other.url(0), now, FeedState(now)))
        finally:
            for file in held:
                os.close(file)
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert str(caught.value).startswith(other.url(0))
        assert isinstance(await source.fetch(Feed(2, other.url(0), now, FeedState(now))), Fetched)
        await source.close()


def test_P11_a_log_that_nobody_reads_costs_lines_and_no_time() -> None:
    """With a full pipe behind it logging returns at once; when somebody reads again he sees how many lines are missing."""
    out, into = os.pipe()
    with os.fdopen(into, "w") as stream, os.fdopen(out, "rb", buffering=0) as reader:
        logger = logging.Logger("tocsin.test")
        handler = PatientHandler(stream)
        logger.addHandler(handler)
        started = time.monotonic()
        for number in range(2000):
            logger.info("%d %s", number, "x" * 5000 if number % 2 else "short")
        assert time.monotonic() - started < 5
        assert handler.lost > 1500
        lost = handler.lost
        os.set_blocking(out, False)
        before = b""
        while chunk := reader.read(65536):
            before += chunk
        logger.info("back")
        after = (reader.read(65536) or b"").decode().splitlines()
        assert before.startswith(b"0 short\n")
        assert after == [f"({lost} lines of log were lost: nobody read them)", "back"]


async def test_P11_a_console_that_nobody_reads_holds_up_no_other_channel(tmp_path: Path) -> None:
    """While standard output is blocked other channels deliver, and the console's message stays owed."""
    from bot.channels.console import ConsoleChannel

    out, into = os.pipe()
    os.set_blocking(into, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(into, b"x" * 4096)
    os.set_blocking(into, True)
    store, now = await open_store(tmp_path / "t.sqlite3"), datetime.now(UTC)
    slack = ScriptedChannel()
    console = ConsoleChannel(
        io.TextIOWrapper(io.FileIO(into, "w", closefd=False), line_buffering=True), SystemClock().now, deadline_s=0.2
    )
    box = Outbox(store, {"console": console, "slack": slack}, SystemClock(), lambda: 0.0)
    await store.enqueue(
        [
            Delivery(t, t, Notice("x" * 3000, now), Lane.NORMAL, now, now, now + hours(1))
            for t in ("console", "slack:desk")
        ]
    )
    running = asyncio.create_task(box.run())
    await until(lambda: bool(slack.sent))
    await asyncio.sleep(0.3)
    assert await store.outbox_depth() == {"console": 1}
    box.stop()
    async with asyncio.timeout(3):
        await running
    os.set_blocking(out, False)
    for _ in range(40):
        with contextlib.suppress(BlockingIOError):
            os.read(out, 65536)
        await asyncio.sleep(0.01)
    await console.close()
    await store.close()
    os.close(out)
    os.close(into)


def test_P13_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    """Where the data folder cannot be made the daemon refuses in one line that names folder and setting."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError) as caught:
        _locked(settings(tmp_path / "file" / "data"))
    assert str(caught.value) == f"{tmp_path}/file/data: {os.strerror(errno.ENOTDIR).lower()} (data_dir)"


# --- a whole day ------------------------------------------------------------------------------------------------


def somewhere(rng: random.Random) -> str:
    """A name that nobody has heard of, so that no two stories are alike."""
    return "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(4)).title()


async def test_P14_days_of_steady_work_leave_nothing_behind(line: Line) -> None:
    """After two days of warming up, a further day of news adds no descriptor, no task, and no lasting memory."""
    sizes: list[tuple[int, int, int, int]] = []
    rng = random.Random(4)
    line.workers.assessor = Assessor(keyword_model())  # quick, and as good for this
    for step in range(100):
        now = START + hours(step)
        line.clock.move(now)
        names = " ".join(somewhere(rng) for _ in range(8))
        news: list[Item] = [item(1, f"{names}: shelling kills {step + 3}", now)]
        calm: Sequence[Item] = [item(2, " ".join(somewhere(rng) for _ in range(8)), now)]
        line.source.outcomes = {1: news, 2: calm}
        await line.poll()
        if step % 25 == 24:
            gc.collect()
            files = len(os.listdir("/dev/fd"))
            known = line.pipeline._decider.grouper._index.items
            sizes.append((files, len(asyncio.all_tasks()), known, len(gc.get_objects())))
    before, after = sizes[-2:]
    assert after[:2] == before[:2]
    assert 50 < after[2] <= before[2] + 4
    assert after[3] - before[3] < 2000
