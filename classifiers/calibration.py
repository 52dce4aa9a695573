"""From log-odds to probabilities, from probabilities to labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifiers.linear import Floats
from classifiers.taxonomy import SIGNAL_IDS

_EITHER = [SIGNAL_IDS.index("ceasefire_proposal"), SIGNAL_IDS.index("ceasefire_agreement")]
_CLEARLY = 0.2


def probabilities_of(odds: Floats) -> Floats:
    """The logistic function, safe for any log-odds."""
    probabilities: Floats = (1.0 / (1.0 + np.exp(-np.clip(odds, -30.0, 30.0)))).astype(np.float32)
    return probabilities


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns log-odds into true ones (Platt) and probabilities into labels; one entry a signal."""

    slope: Floats
    shift: Floats
    thresholds: Floats

    def odds(self, logits: Floats) -> Floats:
        """Calibrated log-odds of the 23 signals."""
        odds: Floats = logits * self.slope + self.shift
        return odds

    def probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities of the 23 signals."""
        return probabilities_of(self.odds(logits))

    def untangled(self, probabilities: Floats) -> Floats:
        """The same, but a ceasefire is either asked for or agreed: the clearly less likely falls under its threshold.

        Of 227 annotated items with either signal two carry both.
        """
        if (probabilities[_EITHER] < self.thresholds[_EITHER]).any():
            return probabilities
        less, more = sorted(_EITHER, key=lambda signal: float(probabilities[signal]))
        if probabilities[more] - probabilities[less] <= _CLEARLY:
            return probabilities
        untangled = probabilities.copy()
        untangled[less] = self.thresholds[less] * np.float32(0.99)
        return untangled

    def labels(self, probabilities: Floats) -> tuple[str, ...]:
        """The signals at or over their thresholds, in the order of the taxonomy."""
        return tuple(SIGNAL_IDS[i] for i in np.flatnonzero(probabilities >= self.thresholds))
