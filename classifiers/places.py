"""Where it happened: the countries of the event that a text reports, and the places it names.

A text names many countries: the one that was struck, the one that struck, the one that condemns it and the one where
the talks are held. Names are found by :mod:`classifiers.toponyms`, their surroundings described by
:mod:`classifiers.place_features`, and a logistic scorer whose weights are data (``gazetteer/weights.json``) tells the
event's own countries from the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.assessment import Field, Place, Text
from classifiers.gazetteer import GazetteerError, Kind, gazetteer
from classifiers.place_features import Evidence, gather
from classifiers.toponyms import Mention, Word, find_mentions, words_in

HIGH = {"en": 0.15, "other": 0.0}
"""Log-odds from which a country is taken, by the table of weights."""
LOW = -2.0
"""Where none reaches HIGH, the likeliest is still taken from here on: hardly an item names no country of its event."""


class PlaceReading(NamedTuple):
    """Countries of the event (ISO 3166-1 alpha-2, likeliest first) and every place named in one of them."""

    countries: tuple[str, ...]
    places: tuple[Place, ...]


@lru_cache(maxsize=1)
def _weights() -> Mapping[str, Mapping[str, float]]:
    path = files("classifiers") / "gazetteer" / "weights.json"
    try:
        weights: Mapping[str, Mapping[str, float]] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise GazetteerError(f"{path}: cannot read the weights of the scorer of places: {error}") from error
    return weights


def _mentions(text: Text, language: str) -> tuple[dict[Field, list[Word]], list[Mention]]:
    words: dict[Field, list[Word]] = {"title": words_in(text.title), "summary": words_in(text.summary)}
    return words, find_mentions(words, language, gazetteer())


def evidence_of(text: Text, language: str, *, lexical: bool) -> list[Evidence]:
    """What speaks for each country named in a text; ``lexical``: with the words around it, not only their classes."""
    words, mentions = _mentions(text, language)
    return gather(words, mentions, language, lexical=lexical)


def score(evidence: Evidence, weights: Mapping[str, float]) -> float:
    """Log-odds that the event happened in this country."""
    return weights[""] + sum([weights.get(feature, 0.0) for feature in evidence.features])


def select(
    candidates: Sequence[Evidence], weights: Mapping[str, float], high: float, low: float = LOW
) -> tuple[str, ...]:
    """The countries of the event, likeliest first: all from ``high`` on, else the best one from ``low`` on."""
    ranked = sorted(((score(c, weights), c.country) for c in candidates), key=lambda pair: -pair[0])
    chosen = tuple(country for value, country in ranked if value >= high)
    if chosen or not ranked or ranked[0][0] < low:
        return chosen
    return (ranked[0][1],)


def read_places(text: Text, language: str) -> PlaceReading:
    """Where the event that a text reports happened.

    ``language`` is what :func:`classifiers.language.detect` said. Disputed regions as in the codebook: Nagorno-Karabakh
    is AZ, Gaza and the West Bank PS, Kosovo XK, Taiwan TW, Western Sahara EH, Crimea UA. Pure; takes any text.
    """
    words, mentions = _mentions(text, language)
    if not mentions:
        return PlaceReading((), ())
    scorer = "en" if language == "en" else "other"
    candidates = gather(words, mentions, language, lexical=scorer == "en")
    countries = select(candidates, _weights()[scorer], HIGH[scorer])
    return PlaceReading(countries, _places(mentions, countries))


_POINTS = frozenset({Kind.REGION, Kind.CAPITAL, Kind.CITY})


def _places(mentions: Sequence[Mention], countries: Sequence[str]) -> tuple[Place, ...]:
    found = []
    for mention in mentions:
        entry = mention.entries[0]
        if entry.kind in _POINTS and entry.country in countries:
            found.append(
                Place(entry.name, entry.country, entry.lat, entry.lon, mention.field, mention.start, mention.end)
            )
    return tuple(found)
