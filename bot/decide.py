"""Deciding, in one place for the daemon and for replays: group, judge, route. Pure but for the grouper's memory."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.alerts.judge import JudgePolicy, final_stories, judge, judge_unsignalled
from bot.alerts.route import route
from bot.channels.countries import country_name
from bot.model import (
    Item,
    NonDelivery,
    Reason,
    RouteState,
    Routing,
    Rule,
    Story,
    StoryUpdate,
    Subscription,
    Verdict,
    VerdictKind,
)
from bot.stories.grouping import Grouper
from bot.stories.rates import Rates, Sighting
from bot.stories.surges import hurried, sighting, silent_sightings
from classifiers.assessment import Assessment


@dataclass(frozen=True, slots=True)
class Judged:
    """One verdict for every item, the stories to record, and every item's story id."""

    verdicts: tuple[Verdict, ...] = ()
    stories: tuple[Story, ...] = ()
    assignments: Mapping[str, str] | None = None

    @property
    def story_ids(self) -> list[str]:
        """Stories that routing must know of."""
        return sorted({story.id for story in self.stories})


class Decider:
    """Holds the open stories. What it decides is pending until :meth:`commit`, so that a failed record undoes it."""

    def __init__(self, grouper: Grouper, policy: JudgePolicy, rates: Rates | None = None) -> None:
        self.grouper = grouper
        self.policy = policy
        self.rates = rates or Rates()
        """What is usual for each country; it learns from every batch."""
        self._counted: list[Sighting] = []

    def judge(
        self,
        items: Sequence[Item],
        assessments: Mapping[str, Assessment],
        subscriptions: Sequence[Subscription],
        now: datetime,
        *,
        history: Container[str] = frozenset(),
        official: Container[int] = frozenset(),
    ) -> Judged:
        """Group new items and judge what each does to its story. Call :meth:`commit` or :meth:`rollback` next."""
        grouping = self.grouper.group(
            items, [assessments.get(item.uid) for item in items], now, history=history, official=official
        )
        self._count(silent_sightings(grouping.unsignalled, now, history))
        updates = [self._hurried(update, now) for update in grouping.updates]
        spoken = tuple(_with_surge(one) for one in judge(updates, rules_of(subscriptions), now, policy=self.policy))
        silent = [
            judge_unsignalled(item, assessments.get(item.uid), now, history=item.uid in history)
            for item in grouping.unsignalled
        ]
        return Judged((*spoken, *silent), final_stories(spoken), grouping.assignments)

    def route(self, judged: Judged, subscriptions: Sequence[Subscription], state: RouteState, now: datetime) -> Routing:
        """Who is told what of these verdicts, and why somebody is not.

        A drop that holds for everybody stands in the verdict alone: with thousands of chats it would be written
        thousands of times for every piece of ordinary news. Rules of the settings keep each reason of theirs.
        """
        routing = route(judged.verdicts, subscriptions, state, now)
        return replace(routing, silent=tuple(silent for silent in routing.silent if _worth_keeping(silent)))

    def commit(self, judged: Judged, now: datetime) -> None:
        """It was recorded."""
        self.grouper.commit(judged.stories)
        self.grouper.expire(now)
        self._counted.clear()
        self.rates.prune(now)

    def rollback(self) -> None:
        """It was not recorded: nothing has happened."""
        self.grouper.rollback()
        self.rates.add(self._counted, times=-1)
        self._counted.clear()

    def _hurried(self, update: StoryUpdate, now: datetime) -> StoryUpdate:
        """Count a report, and make its story urgent where its country is reported on far more often than usual."""
        counted = sighting(update, now)
        self._count([counted] if counted else [])
        return hurried(update, self.rates.surge, now)

    def _count(self, sightings: list[Sighting]) -> None:
        self.rates.add(sightings)
        self._counted += sightings


_FOR_EVERYBODY = frozenset({Reason.NO_SIGNAL, Reason.HISTORY, Reason.DUPLICATE, Reason.STALE})


def _worth_keeping(silent: NonDelivery) -> bool:
    if silent.kind is not VerdictKind.DROPPED:
        return True
    return silent.reason not in _FOR_EVERYBODY and silent.subscription_id.startswith("rule:")


def _with_surge(verdict: Verdict) -> Verdict:
    """A verdict that speaks names the surge that made its story urgent."""
    surge = verdict.update.surge
    if surge is None or verdict.kind is VerdictKind.DROPPED:
        return verdict
    words = f"reports about {country_name(surge.country)} at {surge.times}× the usual rate"
    return replace(verdict, detail="; ".join(filter(None, (verdict.detail, words))))


def rules_of(subscriptions: Sequence[Subscription]) -> tuple[Rule, ...]:
    """Every rule once, by name."""
    return tuple({subscription.rule.name: subscription.rule for subscription in subscriptions}.values())
