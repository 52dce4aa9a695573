"""What changed in a story since somebody was told of it, and whether that is worth saying."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from bot.model import Certainty, Change, Snapshot, Story, StoryUpdate, Tally
from bot.stories.corrections import is_correction
from bot.stories.sources import independent
from bot.stories.telling import denials


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From where on a change is material."""

    toll_share: float = 0.25
    """A toll must rise by this share of what was told …"""
    toll_least: int = 5
    """… and at least by so many people."""
    correction_share: float = 0.1
    """A toll must fall by this share …"""
    correction_least: int = 2
    """… and at least by so many people, to be announced as a correction."""
    certainty: bool = True
    """Whether the first confirmation by an independent source is announced."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Material changes with their words for people: (PHASE, "proposed → agreed")."""

    changes: tuple[Change, ...]
    detail: str


def snapshot(story: Story, at: datetime) -> Snapshot:
    """What is told of a story when it is told as it now stands."""
    return Snapshot(
        at=at,
        severity=story.severity,
        certainty=story.certainty,
        killed=story.killed,
        injured=story.injured,
        phase=story.phase,
        signals=tuple(sorted(story.signals)),
        sources=independent(story.sources),
    )


def changed(told: Snapshot, update: StoryUpdate, thresholds: Thresholds) -> Changed:
    """The material changes between what was told and the story as it stands now, most telling first."""
    found = dict(_changes(told, update, thresholds))
    return Changed(tuple(change for change in Change if change in found), "; ".join(found.values()))


def looks_different(before: Story, after: Story) -> bool:
    """True where a live message would read differently, however little; further sources count when they double."""
    return _visible(before) != _visible(after)


def _visible(story: Story) -> Snapshot:
    seen = snapshot(story, story.opened_at)
    return replace(seen, sources=seen.sources.bit_length())


def _changes(told: Snapshot, update: StoryUpdate, thresholds: Thresholds) -> Iterator[tuple[Change, str]]:
    story = update.story
    if story.severity is not None and story.severity > (told.severity or 0):
        yield Change.SEVERITY_UP, f"{told.severity.word if told.severity else 'none'} → {story.severity.word}"
    if risen := _tolls(told, story, thresholds, rising=True):
        yield Change.TOLL_UP, risen
    if story.phase is not None and story.phase != told.phase:
        yield Change.PHASE, f"{told.phase.value} → {story.phase.value}" if told.phase else story.phase.value
    if fallen := _tolls(told, story, thresholds, rising=False):
        yield Change.CORRECTION, fallen
    elif update.before is not None and is_correction(update.item.title):
        yield Change.CORRECTION, f"{update.item.outlet} corrects its report"
    if thresholds.certainty and told.certainty is Certainty.POSSIBLE and story.certainty > told.certainty:
        yield Change.CERTAINTY_UP, f"{told.certainty.word} → {story.certainty.word}"
    if denial := _first_denial(update):
        yield Change.DENIED, denial


def _tolls(told: Snapshot, story: Story, thresholds: Thresholds, *, rising: bool) -> str:
    parts = []
    for kind, before, after in (("killed", told.killed, story.killed), ("injured", told.injured, story.injured)):
        old, new = _count(before), _count(after)
        if kind == "injured" and old is None and told.killed is not None:
            continue
        if new is not None and _is_material(old or 0, new, thresholds, rising=rising):
            parts.append(f"{kind} {old if old is not None else 'unknown'} → {new}")
    return ", ".join(parts)


def _count(toll: Tally | None) -> int | None:
    if toll is None:
        return None
    return toll.best if toll.best is not None else toll.low


def _is_material(old: int, new: int, thresholds: Thresholds, *, rising: bool) -> bool:
    if rising:
        return new - old >= max(thresholds.toll_least, thresholds.toll_share * old)
    return old - new >= max(thresholds.correction_least, thresholds.correction_share * old)


def _first_denial(update: StoryUpdate) -> str | None:
    """The denial that this item brings into the story, where it is the story's first."""
    if update.before is None or denials(update.before.claims):
        return None
    return next(iter(denials(update.story.claims)), None)
