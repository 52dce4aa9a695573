"""Stories: what several items report as one event, and how it changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.model.axes import Certainty, Severity, Urgency
from bot.model.feeds import Item
from classifiers.assessment import Assessment


class Phase(StrEnum):
    """The life of a ceasefire."""

    PROPOSED = "proposed"
    REJECTED = "rejected"
    AGREED = "agreed"
    IN_FORCE = "in force"
    EXTENDED = "extended"
    VIOLATED = "violated"
    COLLAPSED = "collapsed"


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of people as a story knows it. ``best`` is None where only words or bounds are known."""

    low: int | None = None
    best: int | None = None
    high: int | None = None
    total: int | None = None
    """Cumulative figure over several events, where stated ("158 in all")."""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One figure with its source. Nothing is ever overwritten: a story's tallies are computed from these."""

    kind: str
    """killed or injured (captured, fighters, … are kept, and not added up)."""
    tally: Tally
    item_uid: str
    outlet: str
    at: datetime
    who: str | None = None
    party: str | None = None
    claimant: str | None = None
    words: str | None = None
    main: bool = True
    """True for the item's headline figure (its Toll), False for the parts and side figures in it."""
    correction: bool = False
    """True where the item says of itself that it corrects or withdraws an earlier figure."""


@dataclass(frozen=True, slots=True)
class SourceRef:
    """One item that reports a story, and whether it is independent of the earlier ones."""

    item_uid: str
    outlet: str
    link: str
    title: str
    at: datetime
    independent: bool = True
    official: bool = False


@dataclass(frozen=True, slots=True)
class Where:
    """A place of a story; coordinates where known."""

    name: str
    country: str
    lat: float | None = None
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class PhaseStep:
    """One transition of a ceasefire, with the item that moved it."""

    phase: Phase
    at: datetime
    item_uid: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What somebody was told of a story, to tell later what changed."""

    at: datetime
    severity: Severity | None
    certainty: Certainty
    killed: Tally | None = None
    injured: Tally | None = None
    phase: Phase | None = None
    signals: tuple[str, ...] = ()
    sources: int = 1


@dataclass(frozen=True, slots=True)
class Story:
    """What several items report as one event. ``print`` belongs to the grouper alone."""

    id: str
    opened_at: datetime
    updated_at: datetime
    """Time of the newest item's publication that changed it."""
    title: str
    summary: str
    link: str
    outlet: str
    language: str
    severity: Severity | None
    certainty: Certainty
    urgency: Urgency
    score: float
    signals: Mapping[str, float]
    """Raised signals only, with the highest probability seen."""
    countries: tuple[str, ...] = ()
    places: tuple[Where, ...] = ()
    killed: Tally | None = None
    injured: Tally | None = None
    ledger: tuple[LedgerEntry, ...] = ()
    phase: Phase | None = None
    phases: tuple[PhaseStep, ...] = ()
    sources: tuple[SourceRef, ...] = ()
    claims: tuple[str, ...] = ()
    """Short sentences about contested assertions: "denied by Türkiye: …"."""
    told: Snapshot | None = None
    """The last snapshot for which any verdict spoke; per-chat snapshots are :class:`Told`."""
    print: Mapping[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]] = field(default_factory=dict)


class Change(StrEnum):
    """A material change of a story, in the order in which a reader wants to know."""

    NEW = "new"
    SEVERITY_UP = "severity up"
    TOLL_UP = "toll up"
    PHASE = "phase"
    CORRECTION = "correction"
    CERTAINTY_UP = "certainty up"
    DENIED = "denied"
    ALL_CLEAR = "all clear"


_MOST_TIMES = 50
"""A rate that was next to nothing makes any factor; larger ones say no more than this."""


@dataclass(frozen=True, slots=True)
class Surge:
    """A country is reported on far more often than usual."""

    country: str
    reports: int
    usual: float
    """Reports expected in that window at this hour of this weekday."""
    hours: float
    """Length of the window that ends now."""

    @property
    def factor(self) -> float:
        """How many times the usual rate."""
        return self.reports / self.usual

    @property
    def times(self) -> str:
        """The factor for people: "9", and "50+" for all that is more."""
        return f"{round(self.factor)}" if self.factor <= _MOST_TIMES else f"{_MOST_TIMES}+"


@dataclass(frozen=True, slots=True)
class StoryUpdate:
    """One item joined to its story. ``before`` is None where it opened it."""

    story: Story
    before: Story | None
    item: Item
    assessment: Assessment
    duplicate: bool = False
    """True where the item is a syndicated or republished copy of one that the story already holds."""
    history: bool = False
    """True where the item is older than the start of watching its feed: it informs, and alerts nobody."""
    echo: str = ""
    """Why a story that was never told adds nothing to what was told of its country, in words; "" where it does."""
    surge: Surge | None = None
    """Set where a country of the story is reported on far more often than usual just now."""
