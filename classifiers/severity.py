"""Severity in CAP 1.2's words, learned from what was read: signals, toll, and the text's own tone.

The codebook's rules are (nearly) a function of the signals and the toll; a small multinomial model over those
learns them with their exceptions, and was better than the rules alone (see ``EXPERIMENTS.md``). What the codebook
says without exception stays a rule: a toll of 25 or more is extreme, a smaller one severe (true of 99 in 100
annotated items).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from classifiers.assessment import SEVERITIES, Severity, Toll
from classifiers.linear import Floats

LEVELS = len(SEVERITIES) + 1
"""0 stands for "not about conflict"."""
MASS_KILLING = 25
"""From here on one event is extreme (codebook)."""
_TOLLS = 4
_MINOR, _SEVERE, _EXTREME = 1, 3, 4


@dataclass(frozen=True, slots=True)
class SeverityHead:
    """``weights``: (features, levels), ``bias``: (levels)."""

    weights: Floats
    bias: Floats

    def level(self, features: Floats) -> int:
        """The most probable level, 0 … 4."""
        return int(np.argmax(features @ self.weights + self.bias))


def severity_features(probabilities: Floats, tone: Floats, toll: Toll | None) -> Floats:
    """What the head sees: 23 probabilities, the tone's 5 shares, the strongest signal, and the toll's size."""
    shares = np.exp(tone - tone.max())
    return np.concatenate(
        [probabilities, shares / shares.sum(), [probabilities.max(initial=0.0)], _toll_size(toll)]
    ).astype(np.float32)


def ruled(level: int, labels: Collection[str], killed: Toll | None) -> int:
    """The head's level, corrected by what the codebook says without exception."""
    if not labels:
        return level
    if "casualties" not in labels or killed is None or not killed.best:
        return max(level, _MINOR)
    return _EXTREME if killed.best >= MASS_KILLING else max(level, _SEVERE)


def word_of(level: int) -> Severity | None:
    """CAP's word for a level; ``None`` for 0."""
    return SEVERITIES[level - 1] if level else None


def _toll_size(toll: Toll | None) -> list[float]:
    size = [0.0] * _TOLLS
    if toll is None:
        size[0] = 1.0
    elif toll.best is None:
        size[1] = 1.0
    else:
        size[2 if toll.best < MASS_KILLING else 3] = 1.0
    return size
