"""The Protocols between deciding and acting. Every I/O port is async; adapters live in their rooms, fakes in tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bot.model import (
    Batch,
    Delivery,
    Feed,
    FeedSpec,
    FeedState,
    Fetched,
    Held,
    Item,
    Lane,
    Message,
    NonDelivery,
    NotModified,
    Outcome,
    ParsedFeed,
    Receipt,
    RouteState,
    Story,
    Subscription,
    Verdict,
)
from classifiers.assessment import Assessment, Text


class Clock(Protocol):
    """Time, so that a demo can run fast and a test can stand still."""

    def now(self) -> datetime:
        """The current time, aware UTC."""

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""


class Source(Protocol):
    """Where feeds come from."""

    async def fetch(self, feed: Feed) -> Fetched | NotModified:
        """One conditional request. Raises :class:`bot.errors.FetchError`, and nothing else."""

    async def close(self) -> None:
        """Release connections."""


class Workers(Protocol):
    """CPU work in killable processes. Both raise :class:`bot.errors.WorkerError` where a task killed its worker."""

    async def parse(self, fetched: Fetched) -> ParsedFeed:
        """Read a body. Raises :class:`bot.errors.ParseError` where there is no feed in it."""

    async def assess(self, texts: Sequence[Text]) -> Sequence[Assessment]:
        """Understand texts, in order."""

    async def warm(self) -> None:
        """Start what takes time to start, before the first work comes."""

    async def close(self) -> None:
        """End the processes."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast a channel may be spoken to. ``group_per_minute`` counts per address where it is a group or channel."""

    per_second: float
    per_address_per_second: float
    group_per_minute: float | None = None
    concurrency: int = 8


class Channel(Protocol):
    """One way to reach people: one file, one contract test for all."""

    name: str
    pace: Pace
    edits: bool
    """True where a sent message can be edited and answered; elsewhere only material changes are posted."""

    def render(self, delivery: Delivery) -> Message:
        """Pure. Always succeeds: hostile or empty content becomes harmless or a placeholder."""

    async def send(self, message: Message) -> Receipt:
        """One attempt. Raises :class:`bot.errors.DeliveryError`, never with a secret in it."""

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class ChatCommand:
    """A chat update as it was received, stored before it is acknowledged and handled once."""

    update_id: int
    received_at: datetime
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, for the operator to see."""

    delivery: Delivery
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ItemTrail:
    """Everything the store knows of one item, for ``explain``."""

    item: Item
    feed: Feed
    seen_at: datetime
    assessment: Assessment | None
    verdict: Verdict | None
    story: Story | None
    deliveries: tuple[tuple[Delivery, str], ...]
    """With their state: queued, sent, dead."""
    silent: tuple[NonDelivery, ...]


class Store(Protocol):
    """The memory. Every method is one transaction; times are given, never read from a clock.

    Raises :class:`bot.errors.StoreError` and its kin.
    """

    # feeds
    async def sync_feeds(self, specs: Sequence[FeedSpec], now: datetime, *, origin: str) -> None:
        """Make the feeds of this origin ("settings", "catalogue", "person") exactly these; state and history stay."""

    async def add_feed(self, spec: FeedSpec, now: datetime, *, origin: str = "person") -> Feed:
        """Add one feed, or return the one that is there."""

    async def remove_feed(self, url: str) -> bool:
        """Stop watching; items stay."""

    async def feeds(self) -> Sequence[Feed]:
        """All feeds by id."""

    async def due_feeds(self, now: datetime, limit: int) -> Sequence[Feed]:
        """Active feeds whose time has come, the most overdue first."""

    async def next_due(self) -> datetime | None:
        """When the next active feed is due."""

    async def set_feed_state(self, feed_id: int, state: FeedState) -> None:
        """Write a feed's state outside a poll (pause, resume, disable)."""

    # the straight line
    async def unseen(self, items: Sequence[Item]) -> Sequence[Item]:
        """Those whose identity the store does not know, in the same order, each once."""

    async def open_stories(self, since: datetime) -> Sequence[Story]:
        """Stories updated at or after a time, oldest first."""

    async def route_state(self, targets: Sequence[str], story_ids: Sequence[str], now: datetime) -> RouteState:
        """What these addresses were told of these stories, and how many messages each heard in the last hour."""

    async def record(self, batch: Batch) -> None:
        """All or nothing. Items, validators, stories, verdicts, held alerts and outbox rows of a batch."""

    # subscriptions and chats
    async def subscriptions(self) -> Sequence[Subscription]:
        """All of them, suspended and paused ones too."""

    async def put_subscription(self, subscription: Subscription) -> None:
        """Insert or replace by id."""

    async def delete_subscriptions(self, target: str, subscription_id: str | None = None) -> int:
        """Delete one, or all of an address; returns how many."""

    async def chat_get(self, target: str) -> Mapping[str, object]:
        """Free-form settings and dialogue state of a chat."""

    async def chat_put(self, target: str, data: Mapping[str, object]) -> None:
        """Replace them."""

    async def chats_under(self, prefix: str) -> Mapping[str, Mapping[str, object]]:
        """What is kept of every address that begins so, by address."""

    async def forget_chat(self, target: str) -> None:
        """Delete all personal data of a chat."""

    async def save_commands(self, commands: Sequence[ChatCommand]) -> int:
        """Store updates durably, each id once; returns how many were new."""

    async def pending_commands(self, limit: int) -> Sequence[ChatCommand]:
        """Stored and not yet handled, in order."""

    async def done_command(self, update_id: int, now: datetime) -> None:
        """Handled."""

    # the outbox
    async def enqueue(self, deliveries: Sequence[Delivery]) -> int:
        """Queue messages that no batch caused (notices, digests); known ids are left alone."""

    async def claim(
        self,
        channel: str,
        lane: Lane | None,
        now: datetime,
        limit: int,
        lease_s: float,
        *,
        exclude: Sequence[str] = (),
    ) -> Sequence[Delivery]:
        """Lease what is due, most urgent and oldest first, not for ``exclude``d targets; the fence rises."""

    async def attempt(self, delivery: Delivery, now: datetime) -> bool:
        """Write the attempt before the send; False where the lease was lost, and then it must not be sent."""

    async def settle(self, delivery: Delivery, outcome: Outcome, now: datetime) -> bool:
        """Record how it went; False where the fence shows that somebody else has it now."""

    async def release(self, deliveries: Sequence[Delivery]) -> None:
        """Give leases back unsent, as at a stop."""

    async def next_delivery(self, channel: str) -> datetime | None:
        """When the next queued message of a channel may go."""

    async def outbox_depth(self) -> Mapping[str, int]:
        """Queued messages by channel."""

    async def sent_urgent(self, since: datetime) -> Sequence[Delivery]:
        """Delivered messages of the urgent lane that were owed since a time, oldest first; for second calls."""

    async def dead_letters(self, limit: int) -> Sequence[DeadLetter]:
        """Newest first."""

    async def due_held(self, now: datetime) -> Sequence[Held]:
        """Held alerts whose release time has come."""

    async def release_held(self, held: Sequence[Held], deliveries: Sequence[Delivery]) -> None:
        """In one transaction: these no longer wait, and these messages are queued instead."""

    # looking back
    async def trail(self, item: str) -> ItemTrail | None:
        """By uid or link."""

    async def verdicts(self, since: datetime, limit: int, *, spoken: bool = False) -> Sequence[Verdict]:
        """Newest first; with ``spoken`` only those that were no drop."""

    async def story(self, story_id: str) -> Story | None:
        """One story."""

    async def search(self, words: str, since: datetime, limit: int) -> Sequence[Story]:
        """Stories whose title or summary holds all words, newest first."""

    async def counts(self) -> Mapping[str, int]:
        """Rows by table, for people and metrics."""

    async def meta_get(self, key: str) -> str | None:
        """A small durable value."""

    async def meta_put(self, key: str, value: str) -> None:
        """Write it."""

    # care
    async def purge(self, before: datetime, batch: int = 1000) -> int:
        """Retention: delete items, verdicts and sent messages older than a time, in small transactions."""

    async def check(self) -> str | None:
        """Integrity check; None where all is well, else one line."""

    async def backup(self, path: str) -> None:
        """A consistent copy while running."""

    async def close(self) -> None:
        """Release the database."""


class Updates(Protocol):
    """A stream of chat updates, stored before they are acknowledged."""

    def listen(self) -> AbstractAsyncContextManager[AsyncIterator[ChatCommand]]:
        """Start and stop listening."""
