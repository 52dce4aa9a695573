"""Rules and subscriptions: what is asked for, by whom, and how they want to be told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum

from bot.model.axes import Certainty, Severity


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
