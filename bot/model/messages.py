"""Messages: what is owed to an address, how it is said, and how that went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.model.axes import Certainty, Severity, Urgency
from bot.model.stories import Change, Phase, SourceRef, Surge, Tally, Where
from bot.model.verdicts import Reason, VerdictKind


class Lane(IntEnum):
    """Order of the outbox: a digest never delays an extreme alert."""

    URGENT = 0
    NORMAL = 1
    DIGEST = 2


@dataclass(frozen=True, slots=True)
class Alert:
    """All that a channel needs to tell one verdict; a frozen picture, so that it reads the same at every retry."""

    story_id: str
    kind: VerdictKind
    reason: Reason
    at: datetime
    """When it was decided."""
    happened_at: datetime
    """Publication time of the item that moved it."""
    title: str
    summary: str
    link: str
    outlet: str
    severity: Severity | None
    certainty: Certainty
    urgency: Urgency
    score: float
    signals: tuple[str, ...]
    countries: tuple[str, ...] = ()
    places: tuple[Where, ...] = ()
    killed: Tally | None = None
    injured: Tally | None = None
    killed_before: Tally | None = None
    """For updates and corrections: what this address was told last."""
    injured_before: Tally | None = None
    phase: Phase | None = None
    phase_before: Phase | None = None
    severity_before: Severity | None = None
    changes: tuple[Change, ...] = ()
    detail: str = ""
    sources: tuple[SourceRef, ...] = ()
    claims: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    """The words that made it think so, most telling first."""
    rule: str = ""
    exercise: bool = False
    surge: Surge | None = None
    """Set where a country of the story was reported on far more often than usual when this was decided."""


@dataclass(frozen=True, slots=True)
class Digest:
    """Several alerts in one message: a digest due, a catch-up after quiet hours, or a flood's overflow."""

    reason: Reason
    at: datetime
    alerts: tuple[Alert, ...]
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """Words to a person that are no alert: an operator's warning, a broadcast, an exercise."""

    text: str
    at: datetime
    topic: str = "notice"


Content = Alert | Digest | Notice


class Mode(StrEnum):
    """How a message stands to earlier ones about the same story in the same chat."""

    NEW = "new"
    REPLY = "reply"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one address. ``id`` is stable, so queuing it twice queues it once."""

    id: str
    target: str
    content: Content
    lane: Lane
    created_at: datetime
    not_before: datetime
    expires_at: datetime
    """After it the message is a dead letter."""
    mode: Mode = Mode.NEW
    story_id: str | None = None
    subscription_id: str | None = None
    language: str = "en"
    zone: str = "UTC"
    attempts: int = 0
    fence: int = 0
    """Rises at every claim; only its holder may settle."""
    thread: str | None = None
    """The live message of this story in this chat, for replies and edits; filled in at claim."""
    maybe_sent: bool = False
    """True where an earlier attempt's answer was lost: this one may be a copy."""
    plain: bool = False
    """True after the formatting was refused once."""

    @property
    def channel(self) -> str:
        """The part of the target before the colon."""
        return self.target.partition(":")[0]

    @property
    def address(self) -> str:
        """The part of the target after the colon ("" for the console)."""
        return self.target.partition(":")[2]


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery rendered for its channel. ``payload`` is JSON-ready; ``text`` is the same in plain words."""

    delivery_id: str
    target: str
    payload: Mapping[str, object]
    text: str
    mode: Mode = Mode.NEW
    thread: str | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side has it. ``message_id`` where it names one."""

    at: datetime
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """Outcome: delivered."""

    receipt: Receipt


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Outcome: once more, later."""

    at: datetime
    reason: str
    ambiguous: bool = False
    plain: bool = False
    target: str | None = None
    """A new address, where the old one migrated."""


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Outcome: a dead letter, kept for the operator to see."""

    reason: str
    suspend: bool = False
    """True where the whole address is dead and its subscriptions must rest."""


Outcome = Sent | RetryAt | GivenUp
