"""How much a word tells: rare in the news at large, and rare in the news of these days."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .background import Background
from .index import Index

_LOCAL = 0.5
"""The share that the open stories have in telling which words are common; the background has the rest."""
_YOUNG = 200
"""So many stories count as if none of them held a word: a young index knows little of what is common."""
_RAREST = 1e-6


class Rarity:
    """The logarithm of one in so many documents, over the background and the open stories together.

    In the days of a war its names stand in every second story, though the background knows them as rare: then they no
    longer tell one event from another.
    """

    def __init__(self, background: Background, index: Index) -> None:
        self._background = background
        self._index = index

    def __call__(self, terms: Sequence[int]) -> list[float]:
        """The rarity of each of these hashed words, in nats, at least 0."""
        frequency, log = self._index.frequency, math.log
        at_large = (1.0 - _LOCAL) / (1.0 + self._background.documents)
        these_days = _LOCAL / (len(self._index) + _YOUNG)
        known = self._background.frequencies(terms)
        return [
            -log(min(1.0, _RAREST + at_large * (1.0 + count) + these_days * frequency(term)))
            for term, count in zip(terms, known, strict=True)
        ]
