"""The straight line from a due feed to the outbox. Deciding is pure and lives in its rooms; this only acts.

:meth:`Pipeline.collect` runs for many feeds at once and touches nothing shared; :meth:`Pipeline.decide` runs one at a
time, because stories are shared, and records everything it decides in one transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from bot.alerts.care import all_clear
from bot.channels.own import is_own
from bot.decide import Decider, Judged
from bot.errors import FetchError, FetchProblem, ParseError, WorkerError
from bot.feeds.pacing import PaceLimits, after_fetch, moved
from bot.model import (
    Batch,
    Feed,
    Fetched,
    Item,
    NotModified,
    ParsedFeed,
    PollResult,
    Routing,
    Subscription,
)
from bot.ports import Clock, Source, Store, Workers
from classifiers.assessment import Assessment, Text

log = structlog.get_logger(__name__)

UNDERSTOOD_HISTORY = timedelta(hours=48)
"""History younger than this is read, silently, so that news about a running story finds its story."""

REVISED_WHILE = timedelta(hours=24)
"""How long after publication a changed headline counts as news."""

Outcome = Fetched | NotModified | FetchError | ParseError | WorkerError


@dataclass(frozen=True, slots=True)
class Polled:
    """What one poll of one feed brought, before anything is decided."""

    feed: Feed
    outcome: Outcome
    parsed: ParsedFeed | None = None
    elapsed_s: float = 0.0

    @property
    def result(self) -> str:
        """changed, unchanged or failed."""
        if isinstance(self.outcome, Exception):
            return "failed"
        return "unchanged" if isinstance(self.outcome, NotModified) else "changed"

    @property
    def problem(self) -> str | None:
        """The short name of what failed, for people and metrics; the names are a closed set."""
        if isinstance(self.outcome, FetchError):
            return self.outcome.problem.value
        if isinstance(self.outcome, ParseError):
            return (FetchProblem.BLOCKED if self.outcome.blocked else FetchProblem.PARSE).value
        return "worker" if isinstance(self.outcome, WorkerError) else None


@dataclass(frozen=True, slots=True)
class Decision:
    """What one call of :meth:`Pipeline.decide` recorded."""

    batch: Batch
    new: Mapping[int, tuple[Item, ...]] = field(default_factory=dict)
    """New items by feed id."""


class Pipeline:
    """Collects, understands, groups, judges, routes and records.

    ``rules`` and ``subscriptions`` are asked at every decision, so that a reload or a chat's command holds at once.
    """

    def __init__(
        self,
        *,
        store: Store,
        source: Source,
        workers: Workers,
        decider: Decider,
        clock: Clock,
        subscriptions: Callable[[], Sequence[Subscription]],
        limits: PaceLimits,
        jitter: Callable[[], float],
        watching_since: datetime | None = None,
    ) -> None:
        self._store = store
        self._source = source
        self._workers = workers
        self._decider = decider
        self._clock = clock
        self._subscriptions = subscriptions
        self.limits = limits
        self._jitter = jitter
        self.watching_since = watching_since
        """Set after a restore: items from before it are history in every feed."""
        self._deciding = asyncio.Lock()

    # --- per feed, concurrent -------------------------------------------------------------------------------

    async def collect(self, feed: Feed) -> Polled:
        """Fetch and parse one feed. Its faults become part of the result, never an exception."""
        started = asyncio.get_running_loop().time()
        parsed: ParsedFeed | None = None
        outcome: Outcome
        try:
            outcome = await self._source.fetch(feed)
            if isinstance(outcome, Fetched):
                parsed = await self._workers.parse(outcome)
        except (FetchError, ParseError, WorkerError) as error:
            outcome = error
        return Polled(feed, outcome, parsed, asyncio.get_running_loop().time() - started)

    # --- together, one at a time ----------------------------------------------------------------------------

    async def decide(self, polled: Sequence[Polled]) -> Decision:
        """Understand and record these polls. Raises :class:`bot.errors.StoreError`, and then nothing has changed."""
        async with self._deciding:
            return await self._decide(polled)

    async def _decide(self, polled: Sequence[Polled]) -> Decision:
        now = self._clock.now()
        new = await self._new_items(polled, now)
        feeds = {poll.feed.id: poll.feed for poll in polled}
        fresh = [item for items in new.values() for item in items]
        assessments = await self._understand(fresh, feeds, now)
        try:
            judged, routing = await self._judged(fresh, assessments, feeds, now)
            batch = Batch(
                at=now,
                polls=tuple(self._result(poll, new.get(poll.feed.id, ()), now) for poll in polled),
                assessments=assessments,
                verdicts=judged.verdicts,
                stories=judged.stories,
                routing=routing,
            )
            await self._store.record(batch)
        except BaseException:
            self._decider.rollback()
            raise
        self._decider.commit(judged, now)
        return Decision(batch, new)

    async def look_after(self) -> bool:
        """Tell what has ended since it was told (a ceasefire that holds); True where something was."""
        async with self._deciding:
            now = self._clock.now()
            ended = all_clear(self._decider.grouper.stories, now)
            if not ended:
                return False
            judged = Judged(ended, tuple(verdict.update.story for verdict in ended))
            routing = await self._routed(judged, now)
            await self._store.record(Batch(now, verdicts=ended, stories=judged.stories, routing=routing))
            self._decider.commit(judged, now)
            return bool(routing.deliveries)

    async def _routed(self, judged: Judged, now: datetime) -> Routing:
        subscriptions = self._subscriptions()
        targets = sorted({subscription.target for subscription in subscriptions})
        state = await self._store.route_state(targets, judged.story_ids, now)
        return self._decider.route(judged, subscriptions, state, now)

    async def _new_items(self, polled: Sequence[Polled], now: datetime) -> dict[int, tuple[Item, ...]]:
        items = [item for poll in polled if poll.parsed for item in poll.parsed.items]
        settled = {poll.feed.id for poll in polled if poll.feed.state.first_done}
        new: dict[int, list[Item]] = {}
        for item in await self._store.unseen(items) if items else ():
            new.setdefault(item.feed_id, []).append(_dated(item, now) if item.feed_id in settled else item)
        return {feed_id: tuple(found) for feed_id, found in new.items()}

    def _history(self, item: Item, feed: Feed) -> bool:
        """True where an item is older than the start of watching."""
        since = max(feed.added_at, self.watching_since or feed.added_at)
        # Feeds date to the second: what came out in the very second of the start is news.
        return item.published < since.replace(microsecond=0) if item.dated else not feed.state.first_done

    async def _understand(
        self, items: Sequence[Item], feeds: Mapping[int, Feed], now: datetime
    ) -> dict[str, Assessment]:
        """Assess news first; old history is not read at all, nor what is an alert of our own."""
        worth = [i for i in items if now - i.published < UNDERSTOOD_HISTORY or not self._history(i, feeds[i.feed_id])]
        worth = [item for item in worth if not _came_back(item, feeds[item.feed_id])]
        worth.sort(key=lambda item: self._history(item, feeds[item.feed_id]))
        texts = [Text(item.title, item.summary, item.language or feeds[item.feed_id].language) for item in worth]
        assessed = await self._assess(texts)
        return {item.uid: found for item, found in zip(worth, assessed, strict=True) if found is not None}

    async def _assess(self, texts: Sequence[Text]) -> Sequence[Assessment | None]:
        """Assess all; where one text kills the classifier, it alone stays unread, and the log says so."""
        if not texts:
            return ()
        try:
            return await self._workers.assess(texts)
        except WorkerError as error:
            if len(texts) == 1:
                log.error("a text could not be read", error=str(error), title=texts[0].title[:120])
                return (None,)
        middle = len(texts) // 2
        return [*await self._assess(texts[:middle]), *await self._assess(texts[middle:])]

    async def _judged(
        self, fresh: Sequence[Item], assessments: Mapping[str, Assessment], feeds: Mapping[int, Feed], now: datetime
    ) -> tuple[Judged, Routing]:
        if not fresh:
            return Judged(), Routing()
        judged = self._decider.judge(
            fresh,
            assessments,
            self._subscriptions(),
            now,
            history=frozenset(item.uid for item in fresh if self._history(item, feeds[item.feed_id])),
            official=frozenset(feed.id for feed in feeds.values() if feed.official),
        )
        return judged, await self._routed(judged, now)

    def _result(self, poll: Polled, new: tuple[Item, ...], now: datetime) -> PollResult:
        state = after_fetch(
            poll.feed, poll.outcome, poll.parsed, new, now=now, jitter=self._jitter(), limits=self.limits
        )
        return PollResult(
            poll.feed,
            state,
            new,
            new_url=moved(poll.outcome, poll.parsed),
            title=poll.parsed.title if poll.parsed else None,
        )


def _came_back(item: Item, feed: Feed) -> bool:
    """An alert of our own is no news, and no second source of what it tells."""
    if not is_own(item.title, item.summary):
        return False
    log.warning("an alert of our own came back and is left unread", url=feed.url, title=item.title[:120])
    return True


def _dated(item: Item, now: datetime) -> Item:
    """A revised headline is news of the time it was revised, while its item is young; old ones stay what they were."""
    if not item.revised or now - item.published > REVISED_WHILE:
        return item
    at = item.updated if item.updated is not None and item.published < item.updated <= now else now
    return replace(item, published=max(item.published, at))
