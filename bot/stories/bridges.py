"""The same event in two languages: no word need be shared, so what was read in the texts is compared instead.

There is no graded data for this; the points are drawn by judgement and kept strict: only an event in the same country,
on the same day, of the same kind can be the same, and beyond that a place, a toll or a rare kind must agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from bot.model import Item, Story, Tally
from classifiers.assessment import Assessment, Toll

ENOUGH = 4
"""Points from which on a text in another language joins a story."""
_SAME_DAY = timedelta(hours=24)
_SAME_HOURS = timedelta(hours=6)
_FEWEST_DEAD = 2
_RARE = frozenset(
    {"ceasefire_proposal", "ceasefire_agreement", "ceasefire_breakdown", "peace_agreement", "power_seizure", "wmd",
     "withdrawal", "release"}
)  # fmt: skip
"""Signals of which a country seldom has two at once."""


def languages(story: Story) -> tuple[str, ...]:
    """The languages in which a story was told so far."""
    return tuple(tag for tag in story.print.get("languages", ()) if isinstance(tag, str))


def points(item: Item, assessment: Assessment, story: Story, shared_numbers: int) -> int:
    """How much speaks for one event told in two languages; 0 where it cannot be or the language is the same.

    ``shared_numbers``: how many numbers written in digits the text has in common with the story.
    """
    spoken = assessment.language
    if spoken == "und" or spoken in languages(story) or not _can_be(item, assessment, story):
        return 0
    labels, signals = set(assessment.labels), set(story.signals)
    near = abs(item.published - story.updated_at) <= _SAME_HOURS
    alike = 2 * len(labels & signals) >= len(labels | signals)
    return sum(
        (
            2 * bool(_places(assessment) & {(place.name, place.country) for place in story.places}),
            2 * _same_toll(assessment.killed, story.killed) or _same_toll(assessment.injured, story.injured),
            int(bool(labels & signals & _RARE)),
            int(alike),
            int(near),
            min(1, shared_numbers),
        )
    )


class Bridges:
    """Open stories by country; made for one batch, so that nothing needs to be taken back."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._by_country: dict[str, dict[str, Story]] = {}
        for story in stories:
            self.put(story)

    def put(self, story: Story) -> None:
        """Take up a story, or what has become of it."""
        for country in story.countries:
            self._by_country.setdefault(country, {})[story.id] = story

    def find(self, item: Item, assessment: Assessment, shared_numbers: Mapping[str, int]) -> str | None:
        """The story told in other languages that this text most probably tells too, if any."""
        near = {key: story for code in assessment.countries for key, story in self._by_country.get(code, {}).items()}
        scored = [
            (points(item, assessment, story, shared_numbers.get(key, 0)), story.updated_at, key)
            for key, story in near.items()
        ]
        best = max(scored, default=None)
        return best[2] if best is not None and best[0] >= ENOUGH else None


def _can_be(item: Item, assessment: Assessment, story: Story) -> bool:
    return (
        abs(item.published - story.updated_at) <= _SAME_DAY
        and bool(set(assessment.countries) & set(story.countries))
        and bool(set(assessment.labels) & set(story.signals))
    )


def _places(assessment: Assessment) -> set[tuple[str, str]]:
    return {(place.name, place.country) for place in assessment.places if place.country in assessment.countries}


def _same_toll(said: Toll | None, known: Tally | None) -> int:
    if said is None or known is None or said.best is None or said.best < _FEWEST_DEAD:
        return 0
    return int(said.best == known.best)
