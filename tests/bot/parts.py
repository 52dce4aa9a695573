"""Parts for tests of the straight line: a scripted source, a channel that can fail, items, and the real rest."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bot.errors import DeliveryError, FetchError, ParseError, WorkerError
from bot.model import Delivery, Feed, Fetched, Item, Message, Mode, NotModified, ParsedFeed, Receipt
from bot.ports import Pace
from classifiers import Assessor
from classifiers.assessment import Assessment, Text

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLASH = "Heavy fighting erupts on the border between Armenia and Azerbaijan, 16 soldiers killed"


def item(feed_id: int, title: str, at: datetime, *, dated: bool = True, summary: str = "") -> Item:
    """An item whose identity is its title."""
    key = hashlib.blake2b(title.encode(), digest_size=8).hexdigest()
    return Item(
        feed_id, key, title, summary, f"https://outlet{feed_id}.example/{key}", at, f"outlet{feed_id}.example", dated
    )


@dataclass
class ScriptedSource:
    """Gives what the test says; by feed id."""

    now: datetime = START
    outcomes: dict[int, Sequence[Item] | FetchError | None] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """Items as a body that :class:`ScriptedWorkers` reads back, an error, or 304."""
        self.asked.append(feed.id)
        outcome = self.outcomes.get(feed.id)
        if isinstance(outcome, FetchError):
            raise outcome
        if outcome is None:
            return NotModified(feed, self.now)
        return Fetched(feed, feed.url, repr([i.key for i in outcome]).encode(), self.now, etag='"x"')

    async def close(self) -> None:
        """Nothing."""


@dataclass
class ScriptedWorkers:
    """Parses by looking into the source's script; assesses with the real classifier, but for texts that kill."""

    source: ScriptedSource
    assessor: Assessor
    deadly: str = "\0never"
    unreadable: set[int] = field(default_factory=set)

    async def parse(self, fetched: Fetched) -> ParsedFeed:
        """The script's items."""
        if fetched.feed.id in self.unreadable:
            raise ParseError(fetched.url, "no feed in it")
        items = self.source.outcomes[fetched.feed.id]
        assert isinstance(items, Sequence)
        return ParsedFeed(tuple(items))

    async def assess(self, texts: Sequence[Text]) -> Sequence[Assessment]:
        """The real classifier; a deadly text takes its whole batch with it, as a dying process would."""
        await asyncio.sleep(0)
        if any(self.deadly in text.title for text in texts):
            raise WorkerError("ended its worker process")
        return self.assessor.assess(texts)

    async def warm(self) -> None:
        """Nothing."""

    async def close(self) -> None:
        """Nothing."""


@dataclass
class ScriptedChannel:
    """Notes what it is given; fails as told."""

    name: str = "slack"
    pace: Pace = field(default_factory=lambda: Pace(1000, 1000))
    edits: bool = False
    sent: list[Message] = field(default_factory=list)
    failures: list[DeliveryError] = field(default_factory=list)
    delay_s: float = 0.0

    def render(self, delivery: Delivery) -> Message:
        """The target and the content's words."""
        return Message(delivery.id, delivery.target, {}, str(delivery.content), Mode.NEW)

    async def send(self, message: Message) -> Receipt:
        """Fail as scripted, or take it."""
        await asyncio.sleep(self.delay_s)
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(message)
        return Receipt(START, str(len(self.sent)))

    async def close(self) -> None:
        """Nothing."""


def hours(count: float) -> timedelta:
    """A span of time."""
    return timedelta(hours=count)
