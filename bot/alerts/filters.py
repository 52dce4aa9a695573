"""Whether a filter asks for a story, and if not, what it misses and by how much. Linear in the length of the text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.model import Circle, Filter, Item, Reason, Rule, Story, Where
from bot.stories.sources import publisher
from bot.stories.text import fold, is_unspaced, spaced

_EARTH_KM = 6371.0


@dataclass(frozen=True, slots=True)
class Match:
    """The filter asks for the story."""


@dataclass(frozen=True, slots=True)
class Miss:
    """The filter does not ask for the story: why, in words for people, and how many of its demands are missed."""

    reason: Reason
    detail: str
    distance: float


@dataclass(frozen=True)
class Subject:
    """A story and the item that moved it, as filters look at them; made once for all filters."""

    story: Story
    item: Item

    @property
    def text(self) -> str:
        """All that is said."""
        return "\n".join((self.item.title, self.item.summary, self.story.title, self.story.summary))

    @cached_property
    def folded(self) -> str:
        """All text, folded."""
        return fold(self.text)

    @cached_property
    def spaced(self) -> str:
        """The words of all text with one space around each."""
        return spaced(self.text)


def subject(story: Story, item: Item) -> Subject:
    """Prepare a story and the item that moved it for matching against many filters."""
    return Subject(story, item)


def match(asked: Filter, of: Subject) -> Match | Miss:
    """Test every demand of a filter; of several misses the first in the order below is named."""
    misses = [miss for test in _TESTS if (miss := test(asked, of)) is not None]
    if not misses:
        return Match()
    first = misses[0]
    return Miss(first.reason, first.detail, sum(miss.distance for miss in misses))


def nearest(rules: Sequence[Rule], of: Subject) -> tuple[Rule, Miss] | None:
    """The rule that comes nearest to asking for the story, among those that do not; ties go to the first."""
    missed = [(rule, result) for rule in rules if isinstance(result := match(rule.filter, of), Miss)]
    return min(missed, key=lambda pair: pair[1].distance, default=None)


def glob(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern in which ``*`` stands for any characters. No back-tracking.

    >>> glob("ceasefire_*", "ceasefire_proposal")
    True
    """
    first, *rest = pattern.split("*")
    if not rest:
        return pattern == name
    if not name.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(name) - at >= len(rest[-1]) and name.endswith(rest[-1])


def distance_km(circle: Circle, place: Where) -> float:
    """Great-circle distance from a circle's centre to a place; infinite where the place has no coordinates."""
    if place.lat is None or place.lon is None:
        return math.inf
    lat1, lon1, lat2, lon2 = map(math.radians, (circle.lat, circle.lon, place.lat, place.lon))
    half = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))


def _excluded(asked: Filter, of: Subject) -> Miss | None:
    story = of.story
    if hit := _first_glob(asked.exclude_signals, story.signals):
        return Miss(Reason.EXCLUDED, f"signal {hit}", 4.0)
    if story.countries and asked.exclude_countries and set(story.countries) <= set(asked.exclude_countries):
        return Miss(Reason.EXCLUDED, f"only in {', '.join(story.countries)}", 4.0)
    if any(_is_outlet(pattern, of.item.outlet) for pattern in asked.exclude_outlets):
        return Miss(Reason.EXCLUDED, f"outlet {of.item.outlet}", 4.0)
    if hit := next((word for word in asked.exclude_words if _says(of, word)), None):
        return Miss(Reason.EXCLUDED, f"the words “{hit}”", 4.0)
    return None


def _where(asked: Filter, of: Subject) -> Miss | None:
    """Countries and circles are one demand: the story lies in one of the countries or within one of the circles."""
    story = of.story
    if not asked.countries and not asked.places:
        return None
    if set(asked.countries) & set(story.countries):
        return None
    away = min((_beyond(circle, place) for circle in asked.places for place in story.places), default=math.inf)
    if away <= 0:
        return None
    seen = ", ".join(story.countries) or "no country told"
    if math.isinf(away):
        return Miss(Reason.OUTSIDE, seen, 3.0)
    return Miss(Reason.OUTSIDE, f"{seen}; {away:.0f} km outside", 1.0 + min(1.0, away / 1000))


def _signals(asked: Filter, of: Subject) -> Miss | None:
    if not asked.signals or _first_glob(asked.signals, of.story.signals):
        return None
    return Miss(Reason.OTHER_SIGNALS, ", ".join(of.story.signals) or "no signal", 1.5)


def _severity(asked: Filter, of: Subject) -> Miss | None:
    rank = of.story.severity or 0
    if rank >= asked.min_severity:
        return None
    word = of.story.severity.word if of.story.severity else "not about conflict"
    return Miss(Reason.BELOW_SEVERITY, f"{word}, asked for {asked.min_severity.word}", float(asked.min_severity - rank))


def _certainty(asked: Filter, of: Subject) -> Miss | None:
    have, need = of.story.certainty, asked.min_certainty
    if have >= need:
        return None
    return Miss(Reason.BELOW_CERTAINTY, f"{have.word}, asked for {need.word}", 0.5 * (need - have))


def _wording(asked: Filter, of: Subject) -> Miss | None:
    if asked.outlets and not any(_is_outlet(p, outlet) for p in asked.outlets for outlet in _outlets(of)):
        return Miss(Reason.OTHER_WORDS, f"outlet {of.item.outlet}", 1.0)
    if asked.languages and not any(_is_language(tag, spoken) for tag in asked.languages for spoken in _spoken(of)):
        return Miss(Reason.OTHER_WORDS, f"language {of.item.language or of.story.language}", 1.0)
    if asked.words and not any(_says(of, word) for word in asked.words):
        return Miss(Reason.OTHER_WORDS, "none of the words asked for", 1.0)
    return None


_TESTS: tuple[Callable[[Filter, Subject], Miss | None], ...] = (
    _excluded,
    _where,
    _signals,
    _severity,
    _certainty,
    _wording,
)


def _first_glob(patterns: Sequence[str], names: Iterable[str]) -> str | None:
    return next((name for name in names if any(glob(pattern, name) for pattern in patterns)), None)


def _beyond(circle: Circle, place: Where) -> float:
    return distance_km(circle, place) - circle.radius_km


def _says(of: Subject, phrase: str) -> bool:
    """A whole word or phrase; in Chinese, which has no spaces, any part of the text."""
    if is_unspaced(phrase):
        return fold(phrase.strip()) in of.folded
    asked = spaced(phrase)
    return bool(asked.strip()) and asked in of.spaced


def _outlets(of: Subject) -> set[str]:
    return {of.item.outlet, *(source.outlet for source in of.story.sources)}


def _is_outlet(pattern: str, outlet: str) -> bool:
    asked, name = fold(pattern), fold(outlet)
    return glob(asked, name) or glob(asked, publisher(outlet)) or name.endswith("." + asked)


def _spoken(of: Subject) -> tuple[str, ...]:
    return tuple(tag for tag in (of.item.language, of.story.language) if tag)


def _is_language(asked: str, spoken: str) -> bool:
    return spoken.lower().replace("_", "-").split("-")[0] == asked.lower().replace("_", "-").split("-")[0]
