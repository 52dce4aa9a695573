"""How a surge of reports shows in a batch: which items count as reports, and which stories become urgent. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from bot.model import Item, StoryUpdate, Surge, Urgency

from .rates import Sighting

FRESH = timedelta(hours=3)
"""What is older when it is first seen belongs to no surge of the moment …"""
COUNTED = timedelta(hours=48)
"""… and what is older than this, or than the start of watching, is no news to count."""


def silent_sightings(items: Iterable[Item], now: datetime, history: Container[str]) -> list[Sighting]:
    """Items about no conflict as they count: they tell how much comes in all."""
    return [Sighting(min(item.published, now), item.outlet) for item in items if _counts(item, now, history)]


def sighting(update: StoryUpdate, now: datetime) -> Sighting | None:
    """One report as it counts: copies and what is no conflict count as items only; None for what is no news."""
    item = update.item
    if update.history or now - item.published > COUNTED:
        return None
    is_report = not update.duplicate and update.assessment.severity is not None
    return Sighting(min(item.published, now), item.outlet, update.assessment.countries if is_report else ())


def hurried(update: StoryUpdate, surge_of: Callable[[str, datetime], Surge | None], now: datetime) -> StoryUpdate:
    """The update, its story urgent where one of its countries is in a surge: the steepest of them is named."""
    story = update.story
    if update.history or now - update.item.published > FRESH or update.assessment.severity is None:
        return update
    countries = dict.fromkeys((*update.assessment.countries, *story.countries))
    found = [surge for country in countries if (surge := surge_of(country, now)) is not None]
    if not found:
        return update
    steepest = max(found, key=lambda surge: surge.factor)
    return replace(update, story=replace(story, urgency=Urgency.IMMEDIATE), surge=steepest)


def _counts(item: Item, now: datetime, history: Container[str]) -> bool:
    return item.uid not in history and now - item.published <= COUNTED
