"""What has been told of a country in these two days, so that a further piece that adds nothing is not told as new.

Around every big event there are dozens of pieces that are stories of their own (a portrait, a reaction, a look back)
and yet report no event that the reader does not know. They repeat known tolls, or give none, and name known places, or
none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from bot.model import Severity, Story, Tally
from classifiers.taxonomy import VIOLENCE

_REPEATABLE = VIOLENCE | {"casualties", "displacement", "foreign_involvement"}
"""Signals of an event and its aftermath. Whatever else a piece reports (a threat, talks, a truce) is news itself."""
_COMMON_TOLL = 5
"""Smaller tolls are too common to tell one event from another, unless the place is known too."""
_RUNNING_TOLL, _ROUNDING = 25, 0.1
"""The largest toll told of a country is that of its war; a tenth more or less repeats it in round numbers."""


@dataclass(slots=True)
class _Situation:
    """What is known of one country."""

    stories: list[str] = field(default_factory=list)
    severity: Severity = Severity.MINOR
    places: set[str] = field(default_factory=set)
    figures: set[int] = field(default_factory=set)
    signals: set[str] = field(default_factory=set)


class Situations:
    """What has been told, by country. Made from the open stories; told stories may be put in as they come."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._by_country: dict[str, _Situation] = {}
        for story in stories:
            self.put(story)

    def put(self, story: Story) -> None:
        """Take up a story, if anything was told of it."""
        if story.told is None:
            return
        for country in story.countries:
            known = self._by_country.setdefault(country, _Situation())
            known.stories.append(story.title)
            known.severity = max(known.severity, story.told.severity or Severity.MINOR)
            known.places.update(place.name for place in story.places if place.country == country)
            known.figures.update(_figures(story))
            known.signals.update(story.signals)

    def echo(self, story: Story) -> str:
        """Why a story that was not told yet adds nothing to what was told, in words; "" where it does add something."""
        if not story.countries or not set(story.countries) <= set(self._by_country):
            return ""
        if not any(_adds_nothing(story, country, self._by_country) for country in story.countries):
            return ""
        return f"adds nothing to what was told of {', '.join(story.countries)}"


def _adds_nothing(story: Story, country: str, known: Mapping[str, _Situation]) -> bool:
    situation = known[country]
    places = {place.name for place in story.places if place.country == country}
    return (
        (story.severity or Severity.MINOR) <= situation.severity
        and places <= situation.places
        and set(story.signals) <= _REPEATABLE & (situation.signals | {"casualties"})
        and _is_known(story.killed, situation, placed=bool(places))
    )


def _is_known(killed: Tally | None, situation: _Situation, *, placed: bool) -> bool:
    if killed is None or killed.best is None:
        return True
    running = max(situation.figures, default=0)
    if running >= _RUNNING_TOLL and abs(killed.best - running) <= _ROUNDING * running:
        return True
    return killed.best in situation.figures and (placed or killed.best >= _COMMON_TOLL)


def _figures(story: Story) -> set[int]:
    """All numbers of dead that the story knows, headline figures and cumulative ones."""
    tallies = [story.killed, *(entry.tally for entry in story.ledger if entry.kind == "killed")]
    return {
        number
        for tally in tallies
        if tally is not None
        for number in (tally.low, tally.best, tally.high, tally.total)
        if number is not None
    }
