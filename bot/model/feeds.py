"""Feeds and items: what is watched, what came, what it held."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

REVISION = "|rev:"
"""Stands in the key of a revised item, before the mark of its headline."""


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
