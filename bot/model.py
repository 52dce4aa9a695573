"""The vocabulary: plain frozen values that pass down the straight line. Nothing here acts.

Times are aware UTC datetimes, durations are seconds unless a name says otherwise, numbers of people are integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time
from enum import IntEnum, StrEnum
from hashlib import blake2b

from classifiers.assessment import Assessment

# --- CAP 1.2's axes, kept apart -------------------------------------------------------------------------------


class Severity(IntEnum):
    """CAP severity; ordered. ``None`` in its place means "not about conflict"."""

    MINOR = 1
    MODERATE = 2
    SEVERE = 3
    EXTREME = 4

    @property
    def word(self) -> str:
        """CAP's word, as the contracts write it: ``severe``."""
        return self.name.lower()


class Certainty(IntEnum):
    """CAP certainty: one source, two independent ones, official or many."""

    POSSIBLE = 1
    LIKELY = 2
    OBSERVED = 3

    @property
    def word(self) -> str:
        """CAP's word: ``likely``."""
        return self.name.lower()


class Urgency(IntEnum):
    """CAP urgency: past, expected within hours, now."""

    PAST = 1
    EXPECTED = 2
    IMMEDIATE = 3

    @property
    def word(self) -> str:
        """CAP's word: ``immediate``."""
        return self.name.lower()


REVISION = "|rev:"
"""Stands in the key of a revised item, before the mark of its headline."""

# --- feeds and items ------------------------------------------------------------------------------------------


class FeedStatus(StrEnum):
    """Whether a feed is polled."""

    ACTIVE = "active"
    PAUSED = "paused"  # by the operator
    DISABLED = "disabled"  # 404/403 for days; one command brings it back
    GONE = "gone"  # 410
    QUARANTINED = "quarantined"  # it killed or hung a worker


@dataclass(frozen=True, slots=True)
class FeedState:
    """What the last polls of a feed left behind; lives in the database and survives restarts."""

    next_due: datetime
    interval_s: float = 300.0
    etag: str | None = None
    last_modified: str | None = None
    body_hash: str | None = None
    errors: int = 0
    """Consecutive failures."""
    problem: str | None = None
    last_error: str | None = None
    failing_since: datetime | None = None
    last_checked: datetime | None = None
    last_ok: datetime | None = None
    last_new: datetime | None = None
    """When it last brought an item that was new."""
    first_done: bool = False
    """False until a first fetch has succeeded; that fetch's old items are history."""
    status: FeedStatus = FeedStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Feed:
    """One watched feed. ``added_at`` is the start of watching: what is older is history, not news."""

    id: int
    url: str
    added_at: datetime
    state: FeedState
    title: str = ""
    language: str | None = None
    kind: str = "news"
    """wire, broadcaster, newspaper, news, official, monitor, ngo, think-tank, social."""
    tags: tuple[str, ...] = ()
    """Region and folders, outermost first."""

    @property
    def official(self) -> bool:
        """True for bodies that speak for themselves: ministries, the UN, ceasefire monitors."""
        return self.kind in ("official", "monitor")


@dataclass(frozen=True, slots=True)
class FeedSpec:
    """A feed as settings, OPML or a person name it, before the store knows it."""

    url: str
    title: str = ""
    language: str | None = None
    kind: str = "news"
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PaceHints:
    """What a server or a feed asks of pollers, in seconds, already bounded; ``None`` where it asks nothing."""

    max_age_s: float | None = None
    ttl_s: float | None = None
    retry_after_s: float | None = None
    skip_hours: frozenset[int] = frozenset()
    skip_days: frozenset[int] = frozenset()
    """Monday is 0."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A body as it came, decompressed and bounded, with what must be remembered of the answer."""

    feed: Feed
    url: str
    """The final address after redirects; relative links resolve against it."""
    body: bytes
    at: datetime
    content_type: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    hints: PaceHints = PaceHints()
    moved_to: str | None = None
    """Set where every hop was a permanent redirect."""
    complete: bool = True
    """False where the body was cut: its items are kept, its validators are not."""
    elapsed_s: float = 0.0


@dataclass(frozen=True, slots=True)
class NotModified:
    """The server says nothing changed (304), or the body hashes the same."""

    feed: Feed
    at: datetime
    hints: PaceHints = PaceHints()
    elapsed_s: float = 0.0
    etag: str | None = None
    """Validators as this answer names them, where it does: they replace the stored ones."""
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a feed: clean text, safe link, stable identity.

    ``key`` is at most 64 characters and stays the same over polls; ``link`` is http(s) or empty.
    ``published`` falls back to the time of first sight, and then ``dated`` is False.
    """

    feed_id: int
    key: str
    title: str
    summary: str
    link: str
    published: datetime
    outlet: str
    """The publisher's registrable domain, or the feed's title where there is no link."""
    dated: bool = True
    updated: datetime | None = None
    language: str | None = None

    @property
    def uid(self) -> str:
        """Identity over all feeds."""
        return f"{self.feed_id}:{self.key}"

    @property
    def revised(self) -> bool:
        """True for a known item that came back under another headline (see :meth:`as_revision`)."""
        return REVISION in self.key

    def as_revision(self) -> Item:
        """The same item with an identity that depends on its headline too: "12 killed" grown to "18 killed" is news."""
        item, headline = blake2b(self.key.encode(), digest_size=12), blake2b(self.title.encode(), digest_size=4)
        return replace(self, key=f"{item.hexdigest()}{REVISION}{headline.hexdigest()}")


@dataclass(frozen=True, slots=True)
class ParsedFeed:
    """What a body held: the items newest first as they stood, and the feed's own words about itself."""

    items: tuple[Item, ...]
    title: str = ""
    language: str | None = None
    hints: PaceHints = PaceHints()
    hub: str | None = None
    """WebSub hub, where one is named."""
    tier: str = "fast"
    """Which parser read it: fast, lxml, feedparser, json."""
    dropped: int = 0
    """Entries left out: empty ones, and those over the cap."""
    bozo: bool = False
    """True where the document was malformed but readable."""


# --- stories ----------------------------------------------------------------------------------------------------


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


# --- verdicts ---------------------------------------------------------------------------------------------------


class VerdictKind(StrEnum):
    """What is done with one item's effect on its story, or with one (story, subscription) pair."""

    ALERT = "alert"
    UPDATE = "update"
    CORRECTION = "correction"
    DIGEST = "digest"
    HELD = "held"
    DROPPED = "dropped"


class Reason(StrEnum):
    """Why. Every verdict and every non-delivery has exactly one; the values are shown to people."""

    # spoken
    NEW_STORY = "new story"
    SEVERITY_UP = "severity rose"
    TOLL_UP = "toll rose"
    PHASE_CHANGED = "ceasefire phase changed"
    CERTAINTY_UP = "confirmed by another source"
    CORRECTED = "corrected"
    DENIED = "denied"
    ALL_CLEAR = "all clear"
    QUIET_EDIT = "small change: edited in place"
    CATCH_UP = "caught up after quiet hours"
    DIGEST_DUE = "digest due"
    UNACKNOWLEDGED = "escalated: nobody acknowledged"
    # held
    QUIET_HOURS = "quiet hours"
    DIGEST = "waits for the digest"
    FLOOD = "flood: waits for a digest"
    # dropped
    NO_SIGNAL = "no signal"
    HISTORY = "older than the start of watching"
    DUPLICATE = "copy of a known item"
    NO_CHANGE = "nothing material changed"
    BELOW_SEVERITY = "below the severity asked for"
    BELOW_CERTAINTY = "below the certainty asked for"
    NO_RULE = "no rule asks for it"
    OUTSIDE = "outside the places asked for"
    OTHER_SIGNALS = "other signals than asked for"
    OTHER_WORDS = "words, outlets or languages not asked for"
    EXCLUDED = "excluded by the rule"
    MUTED = "story muted"
    PAUSED = "subscription paused"
    SUSPENDED = "subscription suspended"
    STALE = "too old to alert"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is decided of one story update. ``rules`` names the rules that ask for the story as it now stands."""

    kind: VerdictKind
    reason: Reason
    at: datetime
    update: StoryUpdate
    changes: tuple[Change, ...] = ()
    rules: tuple[str, ...] = ()
    nearest: str | None = None
    """For a drop: the rule that came nearest, and what it missed."""
    detail: str = ""
    """For people: "killed 12 → 18", "proposed → agreed"."""


# --- rules and subscriptions ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Circle:
    """A place with a radius in kilometres."""

    name: str
    lat: float
    lon: float
    radius_km: float


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for; an empty field asks for everything. Signals are ids or globs (``ceasefire_*``)."""

    signals: tuple[str, ...] = ()
    min_severity: Severity = Severity.MINOR
    min_certainty: Certainty = Certainty.POSSIBLE
    countries: tuple[str, ...] = ()
    places: tuple[Circle, ...] = ()
    outlets: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Whole words or phrases, matched case-insensitively in linear time."""
    exclude_signals: tuple[str, ...] = ()
    exclude_countries: tuple[str, ...] = ()
    exclude_outlets: tuple[str, ...] = ()
    exclude_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A named filter."""

    name: str
    filter: Filter


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Local times of day between which nothing rings; ``start`` may be later than ``end`` (over midnight)."""

    start: time
    end: time
    zone: str = "UTC"


class DigestMode(StrEnum):
    """How a subscriber wants to read."""

    AT_ONCE = "at once"
    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One rule for one address, and how that address wants to be told.

    ``target`` is ``channel:address``: ``console``, ``slack:desk``, ``telegram:-1001234`` or, for a forum topic,
    ``telegram:-1001234/77``.
    """

    id: str
    target: str
    rule: Rule
    quiet: QuietHours | None = None
    hold_extreme: bool = False
    """True only where the subscriber asked that even extreme alerts wait for the end of quiet hours."""
    digest: DigestMode = DigestMode.AT_ONCE
    digest_at: time = time(7, 0)
    zone: str = "UTC"
    language: str = "en"
    flood_limit: int = 20
    """Messages an hour and chat before further ones turn into a digest; 0 switches it off."""
    paused_until: datetime | None = None
    suspended: str | None = None
    """Why the channel gave this address up (blocked, kicked, …), or None."""
    muted: frozenset[str] = frozenset()
    """Story ids."""
    escalate_to: str | None = None
    """A second target for extreme alerts that nobody acknowledged."""
    created_at: datetime | None = None
    owner: str | None = None
    """Numeric id of the person who made it; ``None`` for rules of the settings."""


# --- messages ---------------------------------------------------------------------------------------------------


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


# --- what the store keeps of chats ------------------------------------------------------------------------------


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
