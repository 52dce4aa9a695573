"""What a rule would have told: the stories of a stretch of time, held against one rule. Pure.

From stored stories the answer is near: each is held against the rule as it now stands, and told where judging would
tell it; when, is known of those that were told to anybody, and of the others the time of the first report counts. An
archive that is replayed (:func:`bot.replaying.preview`) answers exactly, and slowly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta

from bot.model import (
    Alert,
    Item,
    QuietHours,
    Reason,
    Rule,
    Severity,
    Story,
    StoryUpdate,
    Verdict,
    VerdictKind,
    Where,
)
from bot.stories.situations import Situations
from classifiers.assessment import Assessment

from .changes import snapshot
from .filters import Miss, match, subject
from .hours import is_quiet
from .judge import JudgePolicy, judge

NIGHT = (time(22), time(7))
"""What counts as night, in the zone of the settings."""
WINDOW = timedelta(hours=48)
"""How long what was told makes a further piece about the same country an echo, as in grouping."""


@dataclass(frozen=True, slots=True)
class Ring:
    """One alert that a rule would have caused."""

    at: datetime
    severity: Severity | None
    places: tuple[Where, ...]
    countries: tuple[str, ...]
    title: str
    link: str
    story_id: str


@dataclass(frozen=True, slots=True)
class Nearest:
    """The story that came nearest to being told, and what it missed."""

    ring: Ring
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What one rule would have told, the newest first; ``nearest`` only where that is nothing."""

    rule: str
    rings: tuple[Ring, ...]
    night: int
    """How many would have rung at night."""
    nearest: Nearest | None = None


def preview(
    rule: Rule,
    stories: Iterable[Story],
    told: Mapping[str, datetime],
    since: datetime,
    zone: str,
    policy: JudgePolicy,
) -> Preview:
    """What a rule alone would have told of stored stories since a time.

    Parameters
    ----------
    told
        when each story was told first, to anybody; :func:`first_told` makes it of verdicts.
    zone
        in whose night an alert disturbs.
    """
    rings: list[Ring] = []
    missed: list[tuple[float, Nearest]] = []
    recent: deque[Story] = deque()
    for at, story in sorted(((told.get(one.id, one.opened_at), one) for one in stories), key=_by_time):
        while recent and recent[0].opened_at < at - WINDOW:
            recent.popleft()
        ring, miss = ring_of_story(story, at), _missed(rule, story, recent, policy)
        if miss is None:
            recent.append(replace(story, told=snapshot(story, at)))
            rings.append(ring)
        elif at >= since:
            missed.append((miss.distance, Nearest(ring, miss.reason, miss.detail)))
    return rung(rule.name, (ring for ring in rings if ring.at >= since), zone, nearest_of(missed))


def nearest_of(missed: Iterable[tuple[float, Nearest]]) -> Nearest | None:
    """The least miss, the newest of equals."""
    best = min(missed, key=lambda pair: (pair[0], -pair[1].ring.at.timestamp()), default=None)
    return best[1] if best else None


def rung(rule: str, rings: Iterable[Ring], zone: str, nearest: Nearest | None) -> Preview:
    """The preview of these alerts; what came nearest is kept where there are none."""
    ordered = tuple(sorted(rings, key=lambda ring: (ring.at, ring.story_id), reverse=True))
    night = QuietHours(*NIGHT, zone)
    return Preview(
        rule, ordered, sum(is_quiet(night, ring.at) for ring in ordered), nearest=None if ordered else nearest
    )


def first_told(verdicts: Iterable[Verdict]) -> dict[str, datetime]:
    """When each story was first told, by story id."""
    times: dict[str, datetime] = {}
    for verdict in verdicts:
        if verdict.kind is VerdictKind.ALERT:
            story_id = verdict.update.story.id
            times[story_id] = min(verdict.at, times.get(story_id, verdict.at))
    return times


def ring_of_story(story: Story, at: datetime) -> Ring:
    """A story as an alert would have shown it."""
    return Ring(at, story.severity, story.places, story.countries, story.title, story.link, story.id)


def ring_of_alert(alert: Alert) -> Ring:
    """An alert of a replay."""
    return Ring(alert.at, alert.severity, alert.places, alert.countries, alert.title, alert.link, alert.story_id)


def miss_of(rule: Rule, story: Story) -> Miss | None:
    """What a rule misses in a story; None where it asks for it."""
    found = match(rule.filter, subject(story, _item(story)))
    return found if isinstance(found, Miss) else None


def _missed(rule: Rule, story: Story, recent: Iterable[Story], policy: JudgePolicy) -> Miss | None:
    """Why a rule would not have told a story; what was told to somebody has passed judging."""
    if (miss := miss_of(rule, story)) is not None or story.told is not None:
        return miss
    update = StoryUpdate(story, None, _item(story), _NOTHING_READ, echo=Situations(recent).echo(story))
    (verdict,) = judge([update], [rule], story.opened_at, policy=policy)
    return None if verdict.kind is VerdictKind.ALERT else Miss(verdict.reason, verdict.detail, 0.0)


def _item(story: Story) -> Item:
    return Item(0, story.id, story.title, story.summary, story.link, story.opened_at, story.outlet)


def _by_time(pair: tuple[datetime, Story]) -> tuple[datetime, str]:
    return (pair[0], pair[1].id)


_NOTHING_READ = Assessment(signals={}, labels=(), severity=None, score=0.0)
"""Judging a first report looks at its story alone."""
