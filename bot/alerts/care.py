"""Looking after what was told: the all-clear for what has ended, and the second call for what nobody acknowledged."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model import (
    Alert,
    Change,
    Delivery,
    Item,
    Lane,
    Phase,
    Reason,
    Severity,
    Story,
    StoryUpdate,
    Subscription,
    Verdict,
    VerdictKind,
)
from classifiers.assessment import Assessment

from .changes import snapshot
from .route import delivery_id

HOLDS_FOR = timedelta(hours=24)
"""A ceasefire that was in force so long without a breach is told to hold."""
PATIENCE = timedelta(minutes=15)
"""An extreme alert that nobody acknowledged within this time goes to the second address."""
_KEEP = timedelta(hours=6)
_HOLDING = frozenset({Phase.IN_FORCE, Phase.EXTENDED})


def all_clear(stories: Iterable[Story], now: datetime, *, holds_for: timedelta = HOLDS_FOR) -> tuple[Verdict, ...]:
    """Verdicts on told stories whose ceasefire has been in force for a day; each story is told so once.

    They go through :func:`bot.alerts.route.route` like any other, and their stories must be recorded.
    """
    return tuple(_clear(story, now) for story in stories if _has_ended(story, now, holds_for))


def escalate(
    sent: Sequence[Delivery],
    subscriptions: Iterable[Subscription],
    acknowledged: Container[tuple[str, str]],
    now: datetime,
    *,
    patience: timedelta = PATIENCE,
) -> tuple[Delivery, ...]:
    """Second calls for extreme alerts that were delivered and that nobody acknowledged in time.

    Parameters
    ----------
    sent
        delivered messages; ``created_at`` counts from when they were owed.
    acknowledged
        (address, story id) pairs that somebody has seen.
    """
    second = {one.id: one.escalate_to for one in subscriptions if one.escalate_to and one.suspended is None}
    return tuple(
        _second_call(delivery, alert, target, now)
        for delivery in sent
        if isinstance(alert := delivery.content, Alert)
        and alert.severity is Severity.EXTREME
        and now - delivery.created_at >= patience
        and (delivery.target, alert.story_id) not in acknowledged
        and (target := second.get(delivery.subscription_id or "")) is not None
        and target != delivery.target
    )


def _has_ended(story: Story, now: datetime, holds_for: timedelta) -> bool:
    if story.told is None or story.phase not in _HOLDING or not story.phases:
        return False
    since = story.phases[-1].at
    return now - since >= holds_for and story.told.at < since + holds_for


def _clear(story: Story, now: datetime) -> Verdict:
    since = story.phases[-1].at
    update = StoryUpdate(
        story=replace(story, told=snapshot(story, now)),
        before=story,
        item=Item(
            feed_id=0,
            key=f"all-clear:{story.id}",
            title=story.title,
            summary=story.summary,
            link=story.link,
            published=now,
            outlet=story.outlet,
            language=story.language,
        ),
        assessment=Assessment(signals={}, labels=(), severity=None, score=story.score, language=story.language),
    )
    hours = int((now - since).total_seconds() // 3600)
    detail = f"no breach reported in {hours} hours"
    changes = (Change.ALL_CLEAR,)
    return Verdict(VerdictKind.UPDATE, Reason.ALL_CLEAR, now, update, changes, detail=detail)


def _second_call(delivery: Delivery, alert: Alert, target: str, now: datetime) -> Delivery:
    return Delivery(
        id=delivery_id(target, "escalated", delivery.id),
        target=target,
        content=replace(alert, reason=Reason.UNACKNOWLEDGED, at=now),
        lane=Lane.URGENT,
        created_at=now,
        not_before=now,
        expires_at=now + _KEEP,
        story_id=alert.story_id,
        subscription_id=delivery.subscription_id,
        language=delivery.language,
        zone=delivery.zone,
    )
