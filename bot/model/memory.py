"""What the store keeps: who was told what, what waits, and all that one transaction records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.feeds import Feed, FeedState, Item
from bot.model.messages import Alert, Delivery
from bot.model.stories import Snapshot, Story
from bot.model.verdicts import Reason, Verdict, VerdictKind
from classifiers.assessment import Assessment


@dataclass(frozen=True, slots=True)
class Told:
    """What one address knows of one story, and the live message that says it."""

    target: str
    story_id: str
    snapshot: Snapshot
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An alert that waits: for the end of quiet hours, a digest, or a flood to pass."""

    target: str
    subscription_id: str
    alert: Alert
    reason: Reason
    release_at: datetime


@dataclass(frozen=True, slots=True)
class NonDelivery:
    """Why one subscription was not told of one verdict. Reasons are kept so that ``explain`` can answer."""

    subscription_id: str
    target: str
    story_id: str
    item_uid: str
    kind: VerdictKind
    reason: Reason
    at: datetime
    detail: str = ""


@dataclass(frozen=True, slots=True)
class RouteState:
    """What routing must know of the addresses: what each was told, and how much it heard in the last hour."""

    told: Mapping[tuple[str, str], Told] = field(default_factory=dict)
    """By (target, story id)."""
    sent_last_hour: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routing:
    """What routing decided: messages to queue, alerts to hold, reasons for silence, and the new snapshots."""

    deliveries: tuple[Delivery, ...] = ()
    held: tuple[Held, ...] = ()
    silent: tuple[NonDelivery, ...] = ()
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class PollResult:
    """One feed's poll as the store must remember it: the new state, and the items that were new."""

    feed: Feed
    state: FeedState
    items: tuple[Item, ...] = ()
    new_url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one transaction records: polls, items with what was read in them, stories, verdicts, outbox."""

    at: datetime
    polls: tuple[PollResult, ...] = ()
    assessments: Mapping[str, Assessment] = field(default_factory=dict)
    """By item uid; an item that is history may be missing here."""
    verdicts: tuple[Verdict, ...] = ()
    stories: tuple[Story, ...] = ()
    routing: Routing = Routing()
