"""Short ways to write updates, rules and subscriptions down."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.alerts.changes import snapshot
from bot.alerts.judge import judge
from bot.model import (
    Certainty,
    DigestMode,
    Filter,
    Item,
    QuietHours,
    RouteState,
    Rule,
    Severity,
    Story,
    StoryUpdate,
    Subscription,
    Told,
    Verdict,
)
from bot.stories import telling
from classifiers.assessment import Assessment
from tests.stories.builders import NOON, item, read, story

EVERYTHING = Rule("everything", Filter())
SEVERE = Rule("severe", Filter(min_severity=Severity.SEVERE))


def opening(
    one: Item | None = None, assessment: Assessment | None = None, *, history: bool = False, now: datetime = NOON
) -> StoryUpdate:
    """The update that opens a story."""
    it = one or item()
    understood = assessment or read("remote_strike", killed=9)
    return StoryUpdate(story((it, understood), now=now), None, it, understood, history=history)


def following(
    before: Story, one: Item, assessment: Assessment, *, copy: bool = False, official: bool = False
) -> StoryUpdate:
    """The update that a further item makes."""
    report = telling.Report(one, assessment, copy, official)
    return StoryUpdate(telling.advanced(before, report, one.published), before, one, assessment, copy)


def told(before: Story, now: datetime = NOON) -> Story:
    """The story as it is once it was told."""
    return replace(before, told=snapshot(before, now))


def verdict(update: StoryUpdate, now: datetime = NOON, rule: Rule = EVERYTHING) -> Verdict:
    """The verdict on one update."""
    return judge([update], [rule], now)[0]


def subscription(
    name: str = "one",
    target: str = "telegram:7",
    *,
    rule: Rule = EVERYTHING,
    quiet: QuietHours | None = None,
    digest: DigestMode = DigestMode.AT_ONCE,
    flood_limit: int = 20,
    hold_extreme: bool = False,
    zone: str = "UTC",
    muted: frozenset[str] = frozenset(),
    suspended: str | None = None,
    paused_until: datetime | None = None,
) -> Subscription:
    """A subscription."""
    return Subscription(
        id=name,
        target=target,
        rule=rule,
        quiet=quiet,
        digest=digest,
        flood_limit=flood_limit,
        hold_extreme=hold_extreme,
        zone=zone,
        muted=muted,
        suspended=suspended,
        paused_until=paused_until,
    )


def knows(target: str, of: Story, *, message_id: str | None = "41", sent: int = 1) -> RouteState:
    """The state in which an address was told of a story."""
    entry = Told(target, of.id, snapshot(of, NOON), message_id)
    return RouteState({(target, of.id): entry}, {target: sent})


__all__ = ["NOON", "Certainty", "item", "read", "story"]
