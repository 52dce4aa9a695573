"""The composition root: the only place that names concrete adapters."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from os import getpid
from typing import TYPE_CHECKING, TextIO

import structlog

from bot.alerts.care import escalate
from bot.alerts.changes import Thresholds
from bot.alerts.judge import JudgePolicy
from bot.clock import SystemClock
from bot.decide import Decider
from bot.errors import StoreError
from bot.feeds.pacing import PaceLimits
from bot.health import Status
from bot.learning import Learning
from bot.metrics import Metrics
from bot.model import GivenUp, Sent, Subscription
from bot.outbox import Outbox, Told
from bot.pipeline import Decision, Pipeline, Polled
from bot.ports import Channel, Clock, Pace, Source, Store, Workers
from bot.stories.grouping import Grouper
from bot.telegram.feedback import SEEN_KEY
from bot.wiring import catalogue, own_feeds, subscriptions_of, user_agent
from bot.workers import PHRASES_ONLY
from config.model import Settings

if TYPE_CHECKING:
    from bot.chatting import Chatting
    from bot.jobs import Progress

log = structlog.get_logger(__name__)

STORY_WINDOW = timedelta(hours=48)
SECOND_CALL_WINDOW = timedelta(hours=2)
"""An alert that is older when the daemon comes back is past a second call."""


@dataclass(slots=True)
class Parts:
    """Adapters that somebody brings instead of the real ones: the demo its clock, a test its channels."""

    clock: Clock = field(default_factory=SystemClock)
    channels: Mapping[str, Channel] | None = None
    workers: Workers | None = None
    stream: TextIO | None = None
    jitter_seed: int | None = None


class App:
    """Everything wired together. Make one with :func:`open_app`."""

    def __init__(self, settings: Settings, store: Store, source: Source, workers: Workers, parts: Parts) -> None:
        self.settings = settings
        self.clock = parts.clock
        self.store = store
        self.source = source
        self.workers = workers
        self.metrics = Metrics()
        self.watching = 0
        self.on_settled: Callable[[Told], None] = lambda _told: None
        self.sent = 0
        """Messages delivered since the start."""
        self.gone: dict[str, str] = {}
        """Addresses of the settings that are dead, with the reason: they rest until a reload or a restart."""
        self.classifier_fault = ""
        """Why texts are read by phrases alone, or ""."""
        self._stored: tuple[Subscription, ...] = ()
        self._configured = subscriptions_of(settings)
        jitter = random.Random(parts.jitter_seed).random  # noqa: S311 - spreads load, guards nothing
        self.channels = dict(make_channels(settings, parts) if parts.channels is None else parts.channels)
        lease_s = settings.alerts.resend_after.total_seconds()
        self.outbox = Outbox(store, self.channels, self.clock, jitter, self._settled, lease_s)
        self.chatting = self._make_chatting()
        self.decider = Decider(Grouper(), judge_policy(settings))
        self.learning = Learning(store, self.decider, self.clock)
        self.pipeline = Pipeline(
            store=store,
            source=source,
            workers=workers,
            decider=self.decider,
            clock=self.clock,
            subscriptions=self.subscriptions,
            limits=pace_limits(settings),
            jitter=jitter,
        )

    def _make_chatting(self) -> Chatting | None:
        """The Telegram desk, where there is a bot and it may poll."""
        channel = self.channels.get("telegram")
        if channel is None or not self.settings.telegram.poll:
            return None
        from bot.channels.telegram import TelegramChannel
        from bot.chatting import Chatting
        from bot.telegram.needs import DeskSettings

        if not isinstance(channel, TelegramChannel):
            return None
        desk = DeskSettings(
            admins=frozenset(self.settings.telegram.admins),
            targets=tuple(sorted({subscription.target for subscription in self._configured})),
            zone=self.settings.alerts.zone,
            flood_limit=self.settings.alerts.flood_limit,
        )
        parts = (channel, self.store, self.source, self.workers, self.outbox, self.clock, desk)
        return Chatting(*parts, troubles=self._troubles, changed=self.refresh)

    async def _troubles(self) -> Sequence[str]:
        return self.known_troubles()

    def known_troubles(self) -> list[str]:
        """What is wrong with channels, addresses and the classifier, one line each."""
        silent = [*self.outbox.stopped_channels.items(), *self.gone.items()]
        fault = [("classifier", self.classifier_fault)] if self.classifier_fault else []
        return [f"{name}: {why}" for name, why in [*silent, *fault]]

    async def prepare(self) -> None:
        """Take up where the last run stopped: feeds of the settings, open stories, subscriptions."""
        now = self.clock.now()
        await self.store.sync_feeds(own_feeds(self.settings), now, origin="settings")
        await self.store.sync_feeds(catalogue(self.settings), now, origin="catalogue")
        self.decider.grouper.load(await self.store.open_stories(now - STORY_WINDOW))
        await self.learning.recall()
        restored = await self.store.meta_get("restored_at")
        self.pipeline.watching_since = datetime.fromisoformat(restored) if restored else None
        await self.refresh()

    async def refresh(self) -> None:
        """Read anew what chats and people may have changed."""
        self._stored = tuple(await self.store.subscriptions())
        self.watching = len(await self.store.feeds())
        self.metrics.feeds.set(self.watching)

    def subscriptions(self) -> Sequence[Subscription]:
        """Rules of the settings, then subscriptions of chats. What a dead address asks for rests."""
        if not self.gone:
            return (*self._configured, *self._stored)
        resting = (replace(one, suspended=self.gone.get(one.target)) for one in self._configured)
        return (*resting, *self._stored)

    async def reload(self, settings: Settings) -> None:
        """Take new settings: rules, feeds and limits at once; what is bound to a start (data, tokens) at the next."""
        self.settings = settings
        self._configured = subscriptions_of(settings)
        self.gone.clear()
        self.decider.policy = judge_policy(settings)
        self.pipeline.limits = pace_limits(settings)
        await self.store.sync_feeds(own_feeds(settings), self.clock.now(), origin="settings")
        await self.store.sync_feeds(catalogue(settings), self.clock.now(), origin="catalogue")
        await self.refresh()

    async def second_calls(self) -> bool:
        """Queue second calls for extreme alerts that nobody acknowledged in time; True where there are any."""
        subscriptions = [subscription for subscription in self.subscriptions() if subscription.escalate_to]
        if not subscriptions:
            return False
        now = self.clock.now()
        sent = await self.store.sent_urgent(now - SECOND_CALL_WINDOW)
        addressed = {(one.target, one.story_id) for one in sent if one.story_id}
        seen = {pair for pair in addressed if await self.store.chat_get(f"{pair[0]}/{SEEN_KEY}{pair[1]}")}
        return bool(await self.store.enqueue(escalate(sent, subscriptions, seen, now)))

    def services(self) -> Iterator[tuple[str, Coroutine[object, object, None]]]:
        """Work beside the straight line: the chat desk."""
        if self.chatting is not None:
            yield "telegram desk", self.chatting.run()

    def seen(self, batch: list[Polled], decision: Decision) -> None:
        """A decision was recorded."""
        self.metrics.polled(batch, decision)
        self.learning.seen(batch, decision)
        for assessment in decision.batch.assessments.values():
            faults = [note.removeprefix(f"{PHRASES_ONLY}: ") for note in assessment.notes if PHRASES_ONLY in note]
            self.classifier_fault = faults[0] if faults else ""
            break  # one classifier reads them all

    def _settled(self, told: Told) -> None:
        self.sent += isinstance(told.outcome, Sent)
        self._note_gone(told)
        self.metrics.settled(told.delivery, told.outcome)
        if self.chatting is not None:
            self.chatting.desk.settled(told.delivery, told.outcome)
        self.on_settled(told)

    def _note_gone(self, told: Told) -> None:
        """Stored subscriptions are suspended by the store; those of the settings rest here, and operators are told."""
        target = told.delivery.target
        if isinstance(told.outcome, Sent):
            self.gone.pop(target, None)
        elif isinstance(told.outcome, GivenUp) and told.outcome.suspend and target in self._configured_targets():
            self.gone[target] = told.outcome.reason

    def _configured_targets(self) -> set[str]:
        return {one.target for one in self._configured}

    async def status(self, progress: Progress, *, paused: bool = False) -> Status:
        """How things are."""
        problems: list[str] = []
        queued: Mapping[str, int] = {}
        try:
            queued = await self.store.outbox_depth()
        except StoreError as error:
            problems.append(str(error))
        if paused:
            problems.append("polling pauses: the database cannot record")
        problems += self.known_troubles()
        for channel, depth in queued.items():
            self.metrics.queued.labels(channel).set(depth)
        return Status(
            at=datetime.now(UTC),
            pid=getpid(),
            started=progress.started,
            ready=progress.answered > 0 or progress.first_round_over,
            feeds=self.watching,
            answered=progress.answered,
            failed=progress.failed,
            queued=dict(queued),
            problems=tuple(problems),
        )

    async def close(self) -> None:
        """Release everything, the database last."""
        await self.source.close()
        for channel in self.channels.values():
            await channel.close()
        await self.workers.close()
        await self.store.close()


def judge_policy(settings: Settings) -> JudgePolicy:
    """The settings of judging."""
    alerts = settings.alerts
    return JudgePolicy(
        stale=alerts.stale, thresholds=Thresholds(toll_share=alerts.toll_rise, toll_least=alerts.toll_step)
    )


def pace_limits(settings: Settings) -> PaceLimits:
    """Between one minute and the set interval; a shorter interval is taken as it stands."""
    interval = settings.fetch.interval.total_seconds()
    return PaceLimits(min_s=min(60.0, interval), max_s=interval)


def make_channels(settings: Settings, parts: Parts) -> Iterator[tuple[str, Channel]]:
    """Every channel that the settings set up. A library is imported only where its channel is."""
    now = parts.clock.now
    if settings.console.enabled:
        from bot.channels.console import ConsoleChannel

        yield "console", ConsoleChannel(parts.stream or sys.stdout, now)
    if settings.telegram.token is not None:
        from bot.channels.telegram import TelegramChannel

        telegram = settings.telegram
        pace = Pace(telegram.per_second, telegram.per_chat_per_second, telegram.per_group_per_minute, concurrency=32)
        yield (
            "telegram",
            TelegramChannel(settings.telegram.token.get_secret_value(), now, base_url=telegram.base_url, pace=pace),
        )
    if settings.slack:
        from bot.channels.slack import SlackChannel

        yield "slack", SlackChannel({s.name: s.webhook_url.get_secret_value() for s in settings.slack}, now)
    if settings.webhook:
        from bot.channels.webhook import Hook, WebhookChannel

        hooks = {w.name: Hook(w.url.get_secret_value(), w.secret.get_secret_value()) for w in settings.webhook}
        yield "webhook", WebhookChannel(hooks, now)
    if settings.apprise:
        from bot.channels.apprise import AppriseChannel

        yield "apprise", AppriseChannel({a.name: a.url.get_secret_value() for a in settings.apprise}, now)


def make_source(settings: Settings, clock: Clock) -> Source:
    """The guarded fetcher."""
    from bot.feeds.fetch import HttpSource

    fetch = settings.fetch
    return HttpSource(
        user_agent(settings),
        clock=clock,
        deadline_s=fetch.timeout.total_seconds(),
        max_bytes=fetch.max_size,
        per_host=fetch.per_host,
        connections=fetch.concurrency,
        allow_networks=fetch.allow_networks,
        proxy=fetch.proxy.get_secret_value() if fetch.proxy else None,
    )


def make_workers(settings: Settings) -> Workers:
    """Worker processes."""
    from bot.workers import WorkerPool

    workers = settings.workers
    return WorkerPool(
        workers.processes,
        workers.timeout.total_seconds(),
        workers.memory,
        settings.model.path,
        settings.fetch.max_items,
    )


async def open_app(settings: Settings, parts: Parts | None = None) -> App:
    """Open the database and wire everything. The caller holds the daemon lock, and closes the app."""
    from bot.store import open_store

    parts = parts or Parts()
    store = await open_store(settings.database)
    app = App(settings, store, make_source(settings, parts.clock), parts.workers or make_workers(settings), parts)
    try:
        await app.prepare()
    except BaseException:
        await app.close()
        raise
    return app
