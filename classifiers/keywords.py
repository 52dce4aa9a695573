"""The reading without a model: hand-written phrases only. For emergencies, and said so in the notes.

It stands in where the model's files are missing or damaged and the caller asked for a fallback: a daemon that
rings for the plainest phrases is better than one that does not start.
"""

from __future__ import annotations

import numpy as np

from classifiers.calibration import Calibration
from classifiers.features import pattern_key
from classifiers.linear import LinearModel, Vocabulary
from classifiers.model import SignalModel
from classifiers.severity import LEVELS, SeverityHead
from classifiers.taxonomy import SIGNAL_IDS, SIGNALS

_SAID = 0.4
"""Log-odds where a phrase of the signal stands in the text: likely, not sure."""
_SILENT = -4.0
_GROUP_LEVEL = {"violence": 2, "impact": 3, "build-up": 2, "de-escalation": 1}


def keyword_model() -> SignalModel:
    """A model whose only features are the lexicons' phrases."""
    order = np.argsort(np.array([pattern_key(signal) for signal in SIGNAL_IDS], dtype=np.uint32))
    keys = np.array([pattern_key(SIGNAL_IDS[i]) for i in order], dtype=np.uint32)
    count = len(SIGNAL_IDS)
    weights = np.zeros((count, count + LEVELS), dtype=np.float16)
    weights[np.arange(count), order] = _SAID - _SILENT
    bias = np.concatenate([np.full(count, _SILENT), np.zeros(LEVELS)]).astype(np.float32)
    return SignalModel(
        linear=LinearModel(Vocabulary(keys, np.ones(count, dtype=np.float32)), weights, bias),
        calibration=Calibration(
            np.ones(count, dtype=np.float32),
            np.zeros(count, dtype=np.float32),
            np.full(count, 0.5, dtype=np.float32),
        ),
        severity_head=_severity(),
        manifest={"data": "keywords"},
    )


def _severity() -> SeverityHead:
    """Each signal votes for the usual level of its group; a mass killing and a silent text decide alone."""
    count = len(SIGNAL_IDS)
    weights = np.zeros((count + LEVELS + 5, LEVELS), dtype=np.float32)
    for row, signal in enumerate(SIGNALS):
        weights[row, _GROUP_LEVEL[signal.group]] = 2.0 + 0.5 * _GROUP_LEVEL[signal.group]
    weights[-2, 3], weights[-1, 4] = 4.0, 12.0
    bias = np.array([1.0, 0.0, 0.0, 0.0, -1.0], dtype=np.float32)
    return SeverityHead(weights, bias)
