"""What is chosen on items not learnt from: calibration, thresholds, the severity head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from classifiers.linear import Floats
from classifiers.severity import LEVELS

_LEAST_POSITIVES = 8
"""With fewer, a signal's own curve is noise: the scores are taken as they are."""
_GRID = np.round(np.arange(0.20, 0.66, 0.01), 2)
_USUAL = 0.38
"""Where the best F1 usually lies; signals with few examples are drawn towards it."""
_PRIOR = 12.0
_NEVER = -50.0
_LEAST_LEVELS = 3


def platt(logits: Floats, labels: npt.NDArray[np.bool_], weights: Floats) -> tuple[float, float]:
    """Slope and shift that make the log-odds true ones (Platt 1999)."""
    if labels.sum() < _LEAST_POSITIVES or labels.all():
        return 1.0, 0.0
    learner = LogisticRegression(C=10.0, random_state=0).fit(logits.reshape(-1, 1), labels, sample_weight=weights)
    slope = float(learner.coef_[0, 0])
    return (slope, float(learner.intercept_[0])) if slope > 0 else (1.0, 0.0)


def best_threshold(probabilities: Floats, labels: npt.NDArray[np.bool_], weights: Floats) -> float:
    """The probability from which on raising the label gives the best F1, drawn to the usual where data is thin."""
    scores = []
    for threshold in _GRID:
        raised = probabilities >= threshold
        hit = float(weights[raised & labels].sum())
        wrong = float(weights[raised ^ labels].sum())
        pull = _PRIOR * abs(float(threshold) - _USUAL)
        scores.append(2 * hit / max(1.0, 2 * hit + wrong + pull))
    return float(_GRID[int(np.argmax(scores))])


def fit_severity(features: Floats, levels: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Weights (features, levels) and biases (levels) of the severity head; a level never seen is never given."""
    weights = np.zeros((features.shape[1], LEVELS), dtype=np.float32)
    bias = np.full(LEVELS, _NEVER, dtype=np.float32)
    seen = np.unique(levels)
    if len(seen) < _LEAST_LEVELS:
        bias[seen] = 0.0
        return weights, bias
    learner = LogisticRegression(C=1.0, max_iter=500, random_state=0).fit(features, levels)
    weights[:, learner.classes_] = learner.coef_.T
    bias[learner.classes_] = learner.intercept_
    return weights, bias
