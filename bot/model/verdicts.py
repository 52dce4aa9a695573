"""Verdicts: what is decided, each time with one named reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.model.stories import Change, StoryUpdate


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
