"""How likely an item belongs to a cluster: a small logistic model over a dozen comparisons.

The weights (``scorer.json``) are trained by ``bot.stories.training`` on days whose items were grouped by reading.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.errors import TocsinError

from .index import Cluster
from .prints import UNIT, Print
from .text import is_number

FEATURES = (
    "cosine",  # with the cluster's summed vector
    "mean",  # mean cosine with the cluster's items
    "covered",  # share of the title's rarity that the cluster's words cover
    "rarest",  # rarity of the rarest shared word
    "second",  # and of the next one
    "numbers",  # shared numbers, at most two
    "size",  # log of the number of items
    "silence",  # days since the cluster's newest item
    "publisher",  # the item's publisher is in it already
    "explains",  # the item is an explainer
    "explainers",  # share of explainers in the cluster
    "rounds_up",  # the item is a round-up
    "rounds",  # share of round-ups in the cluster
)
_DAY = 86_400.0
_RAREST = 10.0
"""Scale of rarities, in nats."""


class ScorerError(TocsinError):
    """The weights of the scorer cannot be read."""


@dataclass(frozen=True, slots=True)
class Scorer:
    """Weights side by side with :data:`FEATURES`; ``threshold`` is the probability from which on an item joins."""

    weights: tuple[float, ...]
    intercept: float
    threshold: float

    def probability(self, values: Sequence[float]) -> float:
        """Probability that an item with these comparisons belongs to the cluster."""
        logit = self.intercept + sum(weight * value for weight, value in zip(self.weights, values, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-60.0, min(60.0, logit))))


@cache
def load_scorer() -> Scorer:
    """The shipped scorer. Raises :class:`ScorerError` where its file does not fit this program."""
    return scorer_of((files("bot.stories") / "scorer.json").read_text(encoding="utf-8"))


def scorer_of(text: str) -> Scorer:
    """A scorer from its JSON. Raises :class:`ScorerError`."""
    try:
        data = json.loads(text)
        weights = data["weights"]
        if list(weights) != list(FEATURES):
            raise ScorerError("scorer.json: made for other features than this program has")
        return Scorer(tuple(map(float, weights.values())), float(data["intercept"]), float(data["threshold"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ScorerError(f"scorer.json: {error}") from error


def compare(shape: Print, cluster: Cluster) -> tuple[float, ...]:
    """The comparisons of an item with a cluster, in the order of :data:`FEATURES`."""
    mine, rarity = shape.weight_of, shape.rarity
    dot, shared = 0, set()
    for term, weight in zip(cluster.terms, cluster.weights, strict=True):
        if term in mine:
            dot += weight * mine[term]
            shared.add(term)
    whole = sum(map(rarity.__getitem__, shape.titled)) or 1.0
    rare = sorted(map(rarity.__getitem__, shared), reverse=True)
    return (
        dot / (UNIT * math.sqrt(cluster.norm2 or 1)),
        dot / (UNIT * UNIT * cluster.size),
        sum(map(rarity.__getitem__, shared.intersection(shape.titled))) / whole,
        rare[0] / _RAREST if rare else 0.0,
        rare[1] / _RAREST if len(rare) > 1 else 0.0,
        float(min(2, sum(map(is_number, shared)))),
        math.log(cluster.size),
        max(0.0, shape.at - cluster.last_at) / _DAY,
        float(shape.publisher in cluster.publishers),
        float(shape.explains),
        cluster.explainers / cluster.size,
        float(shape.rounds_up),
        cluster.rounds / cluster.size,
    )
