"""What grouping reads of an item: weighed words, and what kind of text it is. The same on every machine."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.model import Item

from .sources import publisher
from .text import fold, hashed, is_number, lead, stem, words

MOST_TERMS = 64
_TITLE_WEIGHT = 1.5
UNIT = 1000
"""Vectors have this length and whole weights, so that sums are exact in any order and after a restart."""
_SKETCH = 24
_FEWEST_WORDS = 4
"""A title of fewer words is no sign that two texts are the same."""
_EXPLAINS = re.compile(
    r"^(?:why|who|what|how|analysis|opinion|explainer|timeline|in pictures|watch|video|listen|photos|the papers|letters"
    r"|почему|что известно|кто такои|как|чому|що відомо|pourquoi|comment|warum|wie|dlaczego|por que|como|perche)\b"
    r"|[?？؟]$|in pictures$|explained|what (?:we|to) know|need to know|at a glance|key events"
)
_HEALTH_BODY = "WHO"
"""In capitals no question word, but the World Health Organization."""
_ROUNDS_UP = re.compile(
    r"\blive\b|at a glance|key events|what we know|\bday [0-9]+|briefing|round-?up|newsletter|the papers|\blatest\b"
    r"|list of|онлайн|en direct|en vivo|na zywo|canli"
)


@dataclass(frozen=True, slots=True)
class Print:
    """One item as grouping sees it."""

    at: float
    """Publication, in seconds since 1970."""
    publisher: int
    """Hash of the publisher's name."""
    terms: array[int]
    """Hashes of the distinct stemmed words in rising order, at most 64."""
    weights: array[int]
    """Side by side with ``terms``: rarity times place, scaled to length 1,000."""
    weight_of: Mapping[int, int]
    """The same as a table."""
    rarity: Mapping[int, float]
    """Of each term, in nats: 0 for a word that stands everywhere."""
    titled: tuple[int, ...]
    """The terms of the title."""
    rarest: tuple[int, ...]
    """The terms by weight, the heaviest first."""
    title: int = 0
    """Hash of the whole title; 0 where it has fewer than four words."""
    explains: bool = False
    """A question or an explainer: it writes about an event and reports none."""
    rounds_up: bool = False
    """A live page, a round-up or a briefing: it reports many events."""

    @property
    def sketch(self) -> tuple[int, ...]:
        """See :func:`sketch_of`."""
        return sketch_of(self.terms)

    @property
    def figures(self) -> tuple[int, ...]:
        """See :func:`figures_of`."""
        return figures_of(self.terms)


def sketch_of(terms: Sequence[int]) -> tuple[int, ...]:
    """The smallest of a text's terms, which must be in order: two texts are alike as far as their sketches are."""
    return tuple(terms[:_SKETCH])


def figures_of(terms: Sequence[int]) -> tuple[int, ...]:
    """The numbers among a text's terms."""
    return tuple(term for term in terms if is_number(term))


Rarity = Callable[[Sequence[int]], Sequence[float]]
"""How much each of some terms tells, in nats, at least 0."""


def print_of(item: Item, now: datetime, rarity: Rarity) -> Print:
    """The print of an item; a publication time in the future counts as now."""
    title = _terms(item.title)
    titled = set(title)
    kept = (title + [term for term in _terms(lead(item.summary)) if term not in titled])[:MOST_TERMS]
    rare = dict(zip(kept, rarity(kept), strict=True))
    raw = {term: rare[term] * (_TITLE_WEIGHT if term in titled else 1.0) for term in kept}
    scale = UNIT / (math.sqrt(sum(weight * weight for weight in raw.values())) or 1.0)
    weight_of = {term: round(scale * raw[term]) for term in sorted(kept)}
    return Print(
        at=min(item.published, now).timestamp(),
        publisher=hashed(publisher(item.outlet)),
        terms=array("I", weight_of),
        weights=array("I", weight_of.values()),
        weight_of=weight_of,
        rarity=rare,
        titled=tuple(title[:MOST_TERMS]),
        rarest=tuple(sorted(weight_of, key=raw.__getitem__, reverse=True)),
        title=_title(item.title),
        explains=explains(item.title),
        rounds_up=_ROUNDS_UP.search(fold(item.title)) is not None,
    )


def explains(title: str) -> bool:
    """Whether a title is that of an explainer, an opinion or an overview, which reports no event of its own.

    >>> explains("What we know about the strike on Qaryat"), explains("Strike on Qaryat kills nine")
    (True, False)
    """
    stripped = title.strip()
    return not stripped.startswith(_HEALTH_BODY) and _EXPLAINS.search(fold(stripped)) is not None


def alike(one: Sequence[int], other: Sequence[int]) -> float:
    """How much two texts share, from their sketches: an estimate of the shared part of their words, 0 … 1."""
    mine, theirs = set(one), set(other)
    smallest = sorted(mine | theirs)[:_SKETCH]
    if not smallest:
        return 0.0
    return sum(term in mine and term in theirs for term in smallest) / len(smallest)


def _terms(text: str) -> list[int]:
    """Hashes of the distinct words of a text, in order; single letters tell nothing."""
    kept = (stem(word) for word in words(text) if len(word) > 1 or not word.isascii() or word.isdigit())
    return [hashed(word) for word in dict.fromkeys(kept)]


def _title(title: str) -> int:
    found = words(title)
    return hashed(" ".join(found)) if len(found) >= _FEWEST_WORDS else 0
