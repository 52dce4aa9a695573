"""The daemon: APScheduler ticks, and everything that must happen again and again happens on one of its ticks.

APScheduler only ticks. Due times live in the database, because its own defaults drop late runs; every job here is
coalesced and never misfires, and none of them decides anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.alerts.digest import release
from bot.app import App
from bot.errors import FetchError, StoreError, StoreFull, WorkerError
from bot.feeds.pacing import after_outage, host_rest
from bot.health import Heartbeat
from bot.model import Feed, FeedState
from bot.pipeline import Decision, Polled
from bot.pulse import feel
from bot.watch import Sight, is_silence, notices, over, told, troubles
from bot.weekly import tell_weekly
from bot.wiring import operators, rules_in_force

log = structlog.get_logger(__name__)

WAITING = 10
"""Feeds under way at most, as a multiple of the connections."""
BATCH = 32
"""Polls recorded together at most: large enough to share a commit, small enough to be quick."""
GATHER_S = 0.05
"""How long a finished poll waits for others to share its transaction."""
FULL_PAUSE_S = 30.0
STOP_S = 6.5
"""Grace for what is in flight when the daemon is told to stop; containers give ten seconds, and closing takes some.

Measured on two busy cores: with a grace of 8 s a stop beside a silent Telegram took 9.1 s.
"""


@dataclass(frozen=True, slots=True)
class Ticks:
    """How often things happen, in real seconds; the demo ticks faster."""

    poll_s: float = 1.0
    held_s: float = 15.0
    heartbeat_s: float = 10.0
    watch_s: float = 30.0
    care_s: float = 3600.0
    weekly_s: float = 300.0


@dataclass(slots=True)
class Progress:
    """What the daemon has seen so far, for health and for people."""

    started: datetime
    last_tick: datetime | None = None
    answered: int = 0
    failed: int = 0
    last_answer: datetime | None = None
    first_round_over: bool = False
    asked: set[int] = field(default_factory=set)


class Daemon:
    """Runs an :class:`App` until told to stop."""

    def __init__(
        self, app: App, ticks: Ticks = Ticks(), on_decision: Callable[[Decision], None] = lambda _decision: None
    ) -> None:
        self.app = app
        self.ticks = ticks
        self.progress = Progress(app.clock.now())
        self._on_decision = on_decision
        self._polled: asyncio.Queue[Polled] = asyncio.Queue(maxsize=4 * BATCH)
        self._in_flight: dict[int, asyncio.Task[None]] = {}
        self._stop = asyncio.Event()
        self._paused_until: datetime | None = None
        self._troubles: set[str] = set(app.learning.habits.told)
        self._failures_in_a_row = 0
        self._heart = Heartbeat(app.settings.data_dir)

    def stop(self) -> None:
        """End soon: nothing new is started, what is in flight gets a moment."""
        self._stop.set()

    async def busy(self) -> bool:
        """True while anything polled is undecided or a message is due."""
        due = [await self.app.store.next_delivery(name) for name in self.app.channels]
        now = self.app.clock.now()
        return not self._polled.empty() or any(at is not None and at <= now for at in due)

    async def run(self) -> None:
        """Until :meth:`stop`."""
        scheduler = self._scheduler()
        outbox = asyncio.create_task(self.app.outbox.run(), name="outbox")
        decider = asyncio.create_task(self._decide_forever(), name="decider")
        pulse = asyncio.create_task(feel(self.app.metrics.lag.set), name="pulse")
        helpers = [asyncio.create_task(work, name=name) for name, work in self.app.services()]
        warming = asyncio.create_task(self._warm(), name="warm")
        scheduler.start()
        await self._beat()
        try:
            await self._until_stopped(outbox, decider, *helpers)
        finally:
            scheduler.shutdown(wait=False)
            warming.cancel()
            pulse.cancel()
            await self._wind_down(outbox, decider, helpers)

    async def _until_stopped(self, *vital: asyncio.Task[None]) -> None:
        """Until told to stop; a vital task that ends before is a fault, and is raised."""
        stopper = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({stopper, *vital}, return_when=asyncio.FIRST_COMPLETED)
        stopper.cancel()
        for task in done - {stopper}:
            task.result()

    async def _wind_down(
        self, outbox: asyncio.Task[None], decider: asyncio.Task[None], helpers: list[asyncio.Task[None]]
    ) -> None:
        for task in (*self._in_flight.values(), *helpers):
            task.cancel()
        self.app.outbox.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await asyncio.wait({outbox})
                await self._polled.join()
        for task in (decider, outbox):
            task.cancel()
        await asyncio.gather(outbox, decider, *helpers, *self._in_flight.values(), return_exceptions=True)
        await self.app.learning.keep()
        self._heart.clear()

    async def _warm(self) -> None:
        try:
            await self.app.workers.warm()
        except WorkerError as error:
            log.error("worker processes cannot start", error=str(error))

    # --- ticks ----------------------------------------------------------------------------------------------

    def _scheduler(self) -> AsyncIOScheduler:
        scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for work, every in (
            (self._poll_due, self.ticks.poll_s),
            (self._release_held, self.ticks.held_s),
            (self._beat, self.ticks.heartbeat_s),
            (self._watch, self.ticks.watch_s),
            (self._ping, self.app.settings.watch.ping_every.total_seconds()),
            (self._care, self.ticks.care_s),
            (self._weekly, self.ticks.weekly_s),
        ):
            scheduler.add_job(self._ending_quietly(work), "interval", seconds=every, name=work.__name__)
        # The first feeds are asked at once, not after a first interval.
        scheduler.add_job(self._ending_quietly(self._poll_due), "date", name="_poll_due")
        return scheduler

    def _ending_quietly(self, work: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        """The same work; where a stop cuts it short, APScheduler is not to log that as a fault with its traceback."""

        async def tick() -> None:
            try:
                await work()
            except asyncio.CancelledError:
                if not self._stop.is_set():
                    raise

        return tick

    async def _poll_due(self) -> None:
        """Start asking every feed whose time has come and that is not being asked."""
        now = self.progress.last_tick = self.app.clock.now()
        if self._stop.is_set() or (self._paused_until and now < self._paused_until):
            return
        # Feeds that wait for a turn at their host hold no connection: they must not fill the places of others.
        room = WAITING * self.app.settings.fetch.concurrency - len(self._in_flight)
        if room <= 0:
            return
        try:
            due = await self.app.store.due_feeds(now, room + len(self._in_flight))
            chosen = [feed for feed in due if feed.id not in self._in_flight][:room]
            await self._note_asked(chosen, now)
        except StoreError as error:
            self._pause(error)
            return
        for feed in chosen:
            if feed.id not in self._in_flight:
                self._in_flight[feed.id] = asyncio.create_task(self._collect(feed), name=f"feed {feed.id}")

    async def _note_asked(self, feeds: list[Feed], now: datetime) -> None:
        """Due times move on before feeds are asked: a daemon that dies again and again must not ask again each time."""
        until = now + timedelta(seconds=self.app.pipeline.limits.min_s)
        noted = (replace(feed.state, next_due=until) for feed in feeds)
        await asyncio.gather(
            *(self.app.store.set_feed_state(feed.id, state) for feed, state in zip(feeds, noted, strict=True))
        )

    async def _collect(self, feed: Feed) -> None:
        try:
            polled = await self.app.pipeline.collect(feed)
            await self._polled.put(polled)
        except asyncio.CancelledError:
            self._in_flight.pop(feed.id, None)
            raise

    async def _decide_forever(self) -> None:
        while True:
            batch = await self._gathered()
            try:
                decision = await self.app.pipeline.decide(batch)
            except StoreError as error:
                self._pause(error)
            else:
                self._seen(batch, decision)
                await self._settle_hosts(batch)
                if self._first_round():
                    await self._beat()
            finally:
                for polled in batch:
                    self._in_flight.pop(polled.feed.id, None)
                    self._polled.task_done()

    async def _gathered(self) -> list[Polled]:
        """The next finished poll, with those that finish within a moment of it."""
        batch = [await self._polled.get()]
        deadline = asyncio.get_running_loop().time() + GATHER_S
        while len(batch) < BATCH:
            try:
                async with asyncio.timeout_at(deadline):
                    batch.append(await self._polled.get())
            except TimeoutError:
                break
        return batch

    def _seen(self, batch: list[Polled], decision: Decision) -> None:
        now = self.app.clock.now()
        for polled in batch:
            self.progress.asked.add(polled.feed.id)
            self.app.metrics.done((now - polled.feed.state.next_due).total_seconds(), self.app.pipeline.limits.max_s)
            if isinstance(polled.outcome, Exception):
                self.progress.failed += 1
                # A feed that never answered is no news; one that stops answering is.
                tell = log.info if polled.feed.state.last_ok and not polled.feed.state.errors else log.debug
                tell("feed failed", url=polled.feed.url, problem=polled.problem, error=str(polled.outcome))
            else:
                self.progress.answered += 1
                self.progress.last_answer = now
        self.app.seen(batch, decision)
        if decision.batch.routing.deliveries:
            self.app.outbox.wake()
        self._on_decision(decision)

    async def _settle_hosts(self, batch: list[Polled]) -> None:
        """A host that asked for rest gets it from all its feeds; feeds that failed while we were offline come back."""
        limited = [p.outcome for p in batch if isinstance(p.outcome, FetchError) and p.outcome.host_wide]
        back = self._recovered(batch)
        if not limited and not back:
            return
        now = self.app.clock.now()
        try:
            feeds = await self.app.store.feeds()
            states: dict[int, FeedState] = dict(after_outage(feeds, now)) if back else {}
            for error in limited:
                states.update(host_rest(feeds, error, now))
            for feed_id, state in states.items():
                await self.app.store.set_feed_state(feed_id, state)
        except StoreError as error:
            log.error("due times not moved", error=str(error))

    def _recovered(self, batch: list[Polled]) -> bool:
        """True at the first answer after a stretch in which at least every feed once, or fifty in a row, failed."""
        dark = self._failures_in_a_row >= min(self.app.watching, 50)
        for polled in batch:
            self._failures_in_a_row = self._failures_in_a_row + 1 if polled.result == "failed" else 0
        return dark and any(polled.result != "failed" for polled in batch)

    def _first_round(self) -> bool:
        """Once every feed was asked: say how it went, and whether we seem to be offline; True at that moment."""
        progress = self.progress
        if progress.first_round_over or len(progress.asked) < self.app.watching:
            return False
        progress.first_round_over = True
        total = len(progress.asked)
        answered = total - progress.failed if progress.failed <= total else 0
        if answered:
            log.info("first round over", feeds=total, answered=answered)
        else:
            log.warning(f"0 of {total} feeds answered: is this machine online? Trying on, ever more slowly")
        return True

    def _pause(self, error: StoreError) -> None:
        """The database cannot record: ask nothing more until it may have recovered; nothing was marked as seen."""
        self._paused_until = self.app.clock.now() + timedelta(
            seconds=FULL_PAUSE_S if isinstance(error, StoreFull) else 5
        )
        log.error("polling pauses", error=str(error), until=self._paused_until.isoformat())

    async def _release_held(self) -> None:
        now = self.app.clock.now()
        try:
            held = await self.app.store.due_held(now)
            if held:
                await self.app.store.release_held(held, release(held, now, self.app.subscriptions()))
                self.app.outbox.wake()
            if await self.app.pipeline.look_after() | await self.app.second_calls():
                self.app.outbox.wake()
            await self.app.refresh()
        except StoreError as error:
            log.error("held alerts wait", error=str(error))

    async def _beat(self) -> None:
        paused = self._paused_until is not None and self.app.clock.now() < self._paused_until
        self._heart.beat(await self.app.status(self.progress, paused=paused))

    async def _watch(self) -> None:
        """Tell operators of trouble once, and once more when it is over."""
        now = self.app.clock.now()
        sight = Sight(
            now,
            self.progress.started,
            self.progress.last_answer,
            self.app.watching,
            tuple(self.app.outbox.stopped_channels.items()),
            tuple(self.app.gone.items()),
            self.app.classifier_fault,
        )
        blind_after = self.app.settings.watch.blind_after
        silent = await self.app.learning.silences(self.progress.started, self._troubles) if blind_after else ()
        current = (*troubles(sight, blind_after), *silent)
        new, ended = told(self._troubles, current)
        self._troubles = {trouble.key for trouble in current}
        words = [(trouble.text, trouble.avoid) for trouble in new] + [(over(key), "") for key in ended]
        targets = operators(self.app.settings)
        deliveries = [d for text, avoid in words for d in notices(text, targets, now, avoid=avoid)]
        for text, _ in words:
            log.warning(text)
        if deliveries:
            try:
                await self.app.store.enqueue(deliveries)
                self.app.outbox.wake()
            except StoreError as error:
                log.error("operators not told", error=str(error))
        await self.app.learning.told(self._troubles)

    async def _ping(self) -> None:
        """The dead man's switch: ask the ping address while all is well; whoever watches it misses us otherwise."""
        url = self.app.settings.watch.ping_url
        if url is None or not (await self.app.status(self.progress)).ok or not all(map(is_silence, self._troubles)):
            return
        import httpx

        try:
            async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                (await client.get(url.get_secret_value())).raise_for_status()
        except httpx.HTTPError as error:
            log.warning("ping failed", error=type(error).__name__)

    async def _care(self) -> None:
        """What was learnt is kept; retention, in small steps."""
        await self.app.learning.keep()
        try:
            gone = await self.app.store.purge(self.app.clock.now() - self.app.settings.store.keep)
            if gone:
                log.info("retention", rows=gone)
        except StoreError as error:
            log.error("retention waits", error=str(error))

    async def _weekly(self) -> None:
        """Tell operators once a week how readers judge the alerts."""
        settings = self.app.settings
        targets, rules = operators(settings), [rule.name for rule in rules_in_force(settings)]
        try:
            if await tell_weekly(self.app.store, targets, rules, settings.alerts.zone, self.app.clock.now()):
                self.app.outbox.wake()
        except StoreError as error:
            log.error("the weekly note waits", error=str(error))
