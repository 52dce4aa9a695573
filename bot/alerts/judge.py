"""What is said of each item's effect on its story, each time with one named reason. Pure: ``now`` is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.model import (
    Certainty,
    Item,
    Reason,
    Rule,
    Severity,
    Snapshot,
    Story,
    StoryUpdate,
    Urgency,
    Verdict,
    VerdictKind,
)
from bot.stories.grouping import story_id
from bot.stories.prints import explains
from classifiers.assessment import Assessment

from .changes import Thresholds, snapshot
from .compose import Speech, first_speech, next_speech
from .filters import Match, match, nearest, subject

_WEIGHT = {"casualties": 0.7}
_CONFIRMED = 0.7
"""A second source lowers the confidence asked for to this share."""


@dataclass(frozen=True, slots=True)
class JudgePolicy:
    """The settings of judging."""

    stale: timedelta = timedelta(hours=24)
    """An item older than this when it is first seen alerts nobody."""
    sure: float = 0.6
    """What one source alone reports is told only where it was read with this probability; 0 switches it off."""
    thresholds: Thresholds = field(default_factory=Thresholds)


def judge(
    updates: Sequence[StoryUpdate], rules: Sequence[Rule], now: datetime, *, policy: JudgePolicy = JudgePolicy()
) -> tuple[Verdict, ...]:
    """One verdict for each update, in order.

    A verdict that speaks carries in ``update.story.told`` what has now been told; later updates of the same batch are
    held against that. :func:`final_stories` gives the stories to record.
    """
    told: dict[str, Snapshot | None] = {}
    verdicts = []
    for update in updates:
        known = told.get(update.story.id, update.story.told)
        current = replace(update, story=replace(update.story, told=known))
        verdict = _judge_one(current, rules, now, policy)
        told[update.story.id] = verdict.update.story.told
        verdicts.append(verdict)
    return tuple(verdicts)


def final_stories(verdicts: Iterable[Verdict]) -> tuple[Story, ...]:
    """Each judged story once, as its last update left it: what the store must record."""
    real = (one for one in verdicts if one.update.assessment.labels or one.kind is not VerdictKind.DROPPED)
    return tuple({one.update.story.id: one.update.story for one in real}.values())


def judge_unsignalled(item: Item, assessment: Assessment | None, now: datetime, *, history: bool = False) -> Verdict:
    """The verdict on an item without any label: dropped. Its story is a placeholder that nobody records."""
    read = assessment or Assessment(signals={}, labels=(), severity=None, score=0.0)
    placeholder = Story(
        id=story_id(item.uid),
        opened_at=item.published,
        updated_at=item.published,
        title=item.title,
        summary=item.summary,
        link=item.link,
        outlet=item.outlet,
        language=read.language,
        severity=None,
        certainty=Certainty.POSSIBLE,
        urgency=Urgency.PAST,
        score=0.0,
        signals={},
    )
    update = StoryUpdate(placeholder, None, item, read, history=history)
    reason = Reason.HISTORY if history else Reason.NO_SIGNAL
    return Verdict(VerdictKind.DROPPED, reason, now, update)


def _judge_one(update: StoryUpdate, rules: Sequence[Rule], now: datetime, policy: JudgePolicy) -> Verdict:
    if update.history:
        return _dropped(update, Reason.HISTORY, now)
    of = subject(update.story, update.item)
    asking = tuple(rule.name for rule in rules if isinstance(match(rule.filter, of), Match))
    if update.duplicate:
        return _dropped(update, Reason.DUPLICATE, now, asking)
    if not asking:
        return _unasked(update, rules, now)
    told = update.story.told
    if told is None:
        return _first(update, asking, now, policy)
    speech = next_speech(told, update, policy.thresholds)
    if speech is None:
        return _dropped(update, Reason.NO_CHANGE, now, asking)
    return _spoken(update, speech, asking, now)


def _first(update: StoryUpdate, asking: tuple[str, ...], now: datetime, policy: JudgePolicy) -> Verdict:
    """Nothing was said of this story yet."""
    age = now - update.item.published
    if age > policy.stale:
        hours = int(age.total_seconds() // 3600)
        return replace(_dropped(update, Reason.STALE, now, asking), detail=f"{hours} hours old when first seen")
    if doubt := _doubt(update.story, policy):
        return replace(_dropped(update, Reason.BELOW_CERTAINTY, now, asking), detail=doubt)
    if silent := _adds_nothing(update):
        return replace(_dropped(update, Reason.NO_CHANGE, now, asking), detail=silent)
    return _spoken(update, first_speech(update), asking, now)


def _doubt(story: Story, policy: JudgePolicy) -> str:
    """Why a story waits for a further source: those it has were read with little confidence. "" where it need not wait.

    Casualties without a word of what caused them weigh less: accidents have casualties too.
    """
    asked = policy.sure if story.certainty is Certainty.POSSIBLE else policy.sure * _CONFIRMED
    confidence = max((p * _WEIGHT.get(signal, 1.0) for signal, p in story.signals.items()), default=0.0)
    return (
        "" if confidence >= asked else f"read with {confidence:.0%} confidence, too little for {story.certainty.word}"
    )


def _adds_nothing(update: StoryUpdate) -> str:
    """Why a first item is not told although a rule asks for it: a later report of the story may still be."""
    if explains(update.item.title) and update.story.severity is not Severity.EXTREME:
        return "explains or comments, and reports no event"
    return update.echo


def _unasked(update: StoryUpdate, rules: Sequence[Rule], now: datetime) -> Verdict:
    found = nearest(rules, subject(update.story, update.item))
    if found is None:
        return _dropped(update, Reason.NO_RULE, now)
    rule, miss = found
    dropped = _dropped(update, miss.reason, now)
    return replace(dropped, nearest=rule.name, detail=miss.detail)


def _dropped(update: StoryUpdate, reason: Reason, now: datetime, rules: tuple[str, ...] = ()) -> Verdict:
    return Verdict(VerdictKind.DROPPED, reason, now, update, rules=rules)


def _spoken(update: StoryUpdate, speech: Speech, asking: tuple[str, ...], now: datetime) -> Verdict:
    story = replace(update.story, told=snapshot(update.story, now))
    told = replace(update, story=story)
    return Verdict(speech.kind, speech.reason, now, told, speech.changes, asking, detail=speech.detail)
