"""How much the encoder counts beside the linear model, learnt from items that neither has seen."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifiers.calibration import probabilities_of
from classifiers.linear import Floats
from classifiers.severity import LEVELS
from classifiers.taxonomy import SIGNAL_IDS
from classifiers.thresholds import best_threshold

_COUNT = len(SIGNAL_IDS)


class Mix(NamedTuple):
    """``weights``: (3, outputs): the linear model's factor, the encoder's, the shift. ``thresholds``: (signals,)."""

    weights: Floats
    thresholds: Floats

    def odds(self, linear: Floats, encoded: Floats) -> Floats:
        """Mixed log-odds, (items, outputs)."""
        mixed: Floats = linear * self.weights[0] + encoded * self.weights[1] + self.weights[2]
        return mixed


def fit_mix(
    linear: Floats,
    encoded: Floats,
    labels: npt.NDArray[np.bool_],
    severity: npt.NDArray[np.int64],
    weights: Floats | None = None,
) -> Mix:
    """One pair of factors for all signals and one for the tone, a shift and a threshold for each signal.

    Few parameters on purpose: the items that both models have not seen are few.

    Parameters
    ----------
    linear, encoded
        log-odds (items, signals and levels) of both models.
    labels, severity
        (items, signals) and (items,), what is true.
    weights
        (items,), how much each counts; all the same by default.
    """
    counted = np.ones(len(labels), dtype=np.float32) if weights is None else weights
    levels = np.eye(LEVELS, dtype=np.bool_)[severity]
    mixed = np.concatenate(
        [
            _factors(linear[:, :_COUNT], encoded[:, :_COUNT], labels, counted),
            _factors(linear[:, _COUNT:], encoded[:, _COUNT:], levels, counted),
        ],
        axis=1,
    )
    mix = Mix(mixed, np.zeros(_COUNT, dtype=np.float32))
    probabilities = probabilities_of(mix.odds(linear, encoded)[:, :_COUNT])
    thresholds = [best_threshold(probabilities[:, i], labels[:, i], counted) for i in range(_COUNT)]
    return Mix(mixed, np.array(thresholds, dtype=np.float32))


def _factors(linear: Floats, encoded: Floats, labels: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """Logistic regression over all items and outputs at once: two factors in common, a shift for each output."""
    items, outputs = labels.shape
    which = np.tile(np.eye(outputs, dtype=np.float32), (items, 1))
    features = np.column_stack([linear.ravel(), encoded.ravel(), which])
    learner = LogisticRegression(C=1.0, max_iter=300, fit_intercept=False)
    learner.fit(features, labels.ravel(), sample_weight=np.repeat(weights, outputs))
    found = learner.coef_[0].astype(np.float32)
    return np.stack([np.full(outputs, found[0]), np.full(outputs, found[1]), found[2:]]).astype(np.float32)
