"""The served linear model: sparse features in, log-odds of the 23 signals and of the severity out. NumPy only.

Weights are kept as float16, one row a feature: gathering the few hundred rows of one text costs microseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.features import LEAD, MODE, PAIR, PART, SIGN, WORD, Indices, Keys, Occurrences

Floats = npt.NDArray[np.float32]

BLOCKS: tuple[tuple[tuple[int, ...], bool], ...] = (
    ((WORD, LEAD, PAIR), True),
    ((PART,), True),
    ((SIGN, MODE), False),
)
"""Families that share one length, and whether they are scaled to length 1 (patterns count in full)."""


class Vector(NamedTuple):
    """A text as the model sees it: rows of the vocabulary and their values, each row once."""

    rows: npt.NDArray[np.int64]
    values: Floats


class Scored(NamedTuple):
    """Log-odds of one window, and what is needed to explain them."""

    logits: Floats
    vector: Vector


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The features that the model knows: keys in rising order and their inverse document frequencies."""

    keys: Keys
    idf: Floats

    def find(self, keys: Keys) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Row of each key (any row where unknown) and whether it is known."""
        rows = np.searchsorted(self.keys, keys)
        rows[rows == len(self.keys)] = 0
        return rows, self.keys[rows] == keys

    def vector(self, occurrences: Occurrences) -> Vector:
        """The values of a window's features: 1 x idf, blocks of families scaled to length 1."""
        if not len(self.keys):
            return Vector(np.zeros(0, np.int64), np.zeros(0, np.float32))
        keys, at = np.unique(occurrences.keys, return_index=True)  # sorted keys are looked up several times faster
        found, known = self.find(keys)
        rows = found[known]
        family = occurrences.family[at[known]]
        values = self.idf[rows].astype(np.float32)
        for families, scaled in BLOCKS:
            inside = (family >= min(families)) & (family <= max(families))
            block = values[inside]
            values[inside] = block / np.sqrt(np.square(block).sum()) if scaled and len(block) else 1.0
        return Vector(rows, values)


@dataclass(frozen=True, slots=True)
class LinearModel:
    """``weights``: one float16 row a feature, one column an output; ``bias``: one float32 an output."""

    vocabulary: Vocabulary
    weights: npt.NDArray[np.float16]
    bias: Floats

    def score(self, occurrences: Occurrences) -> Scored:
        """Log-odds of every output for one window."""
        vector = self.vocabulary.vector(occurrences)
        weights = self.weights[vector.rows].astype(np.float32)
        return Scored(vector.values @ weights + self.bias, vector)

    def shares(self, occurrences: Occurrences, vector: Vector, output: int, words: int) -> Floats:
        """The part that each of the ``words`` of a window has in the log-odds of ``output`` (without the bias).

        A feature that stands several times or covers several words is shared out evenly.
        """
        share = np.zeros(words, dtype=np.float32)
        if not len(vector.rows):
            return share
        found, known = self.vocabulary.find(occurrences.keys)
        at = np.searchsorted(vector.rows, found[known])
        times = np.bincount(at, minlength=len(vector.rows))
        part = vector.values * self.weights[vector.rows, output].astype(np.float32) / np.maximum(times, 1)
        first, last = occurrences.first[known], occurrences.last[known]
        _add(share, first, part[at] / 2)
        _add(share, last, part[at] / 2)
        return share


def _add(share: Floats, at: Indices, part: Floats) -> None:
    np.add.at(share, at, part)
