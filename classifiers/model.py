"""What one trained model says of a text: calibrated probabilities, labels, tone. Loaded once a process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifiers.document import Window
from classifiers.features import FeatureMaker, Occurrences
from classifiers.lexicon import Lexicon
from classifiers.linear import Floats, LinearModel, Vector, Vocabulary
from classifiers.modelfile import Array, Json, ModelFile, array_of, load_model
from classifiers.severity import LEVELS, SeverityHead
from classifiers.taxonomy import SIGNAL_IDS

MODEL_NAME = "linear"
SHIPPED = Path(__file__).parent / "model"
"""Where the model that comes with the package lies."""
_COUNT = len(SIGNAL_IDS)


class WindowReading(NamedTuple):
    """One window scored: log-odds (discounted by its place), and what explains them."""

    window: Window
    occurrences: Occurrences
    vector: Vector
    logits: Floats


class Reading(NamedTuple):
    """A text scored: probabilities by signal, tone, and for each signal the window that said so loudest."""

    probabilities: Floats
    tone: Floats
    windows: tuple[WindowReading, ...]
    loudest: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Turns log-odds into probabilities (Platt) and probabilities into labels; one entry a signal."""

    slope: Floats
    shift: Floats
    thresholds: Floats

    def probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities of the 23 signals."""
        odds = np.clip(logits * self.slope + self.shift, -30.0, 30.0)
        probabilities: Floats = (1.0 / (1.0 + np.exp(-odds))).astype(np.float32)
        return probabilities

    def labels(self, probabilities: Floats) -> tuple[str, ...]:
        """The signals at or over their thresholds, in the order of the taxonomy."""
        return tuple(SIGNAL_IDS[i] for i in np.flatnonzero(probabilities >= self.thresholds))


@dataclass(frozen=True, slots=True)
class SignalModel:
    """A loaded model."""

    linear: LinearModel
    calibration: Calibration
    severity: SeverityHead
    manifest: Mapping[str, Json]
    features: FeatureMaker = field(default_factory=FeatureMaker)

    @classmethod
    def load(cls, folder: Path | None = None) -> SignalModel:
        """Loads the model in ``folder`` (the shipped one by default).

        Raises :class:`~classifiers.errors.ModelError` where it cannot be used.
        """
        folder = folder or SHIPPED
        return cls.of(load_model(folder, MODEL_NAME), str(folder / f"{MODEL_NAME}.npz"))

    @classmethod
    def of(cls, stored: ModelFile, path: str) -> SignalModel:
        """Puts a model together from its arrays; ``path`` names the file in errors."""

        def floats(key: str) -> Floats:
            return array_of(stored, key, path).astype(np.float32)

        weights: Array = array_of(stored, "weights", path)
        return cls(
            linear=LinearModel(
                Vocabulary(array_of(stored, "keys", path).astype(np.uint32), floats("idf")),
                weights.astype(np.float16, copy=False),
                floats("bias"),
            ),
            calibration=Calibration(floats("slope"), floats("shift"), floats("thresholds")),
            severity=SeverityHead(floats("severity_weights"), floats("severity_bias")),
            manifest=stored.manifest,
        )

    def read(self, windows: tuple[Window, ...], lexicon: Lexicon | None) -> Reading:
        """Scores all windows of a text; of each signal the loudest counts."""
        readings = tuple(self._read(window, lexicon) for window in windows)
        logits = np.stack([reading.logits for reading in readings])
        best = logits[:, :_COUNT].argmax(axis=0)
        loudest = logits[best, np.arange(_COUNT)]
        return Reading(
            probabilities=self.calibration.probabilities(loudest),
            tone=logits[0, _COUNT : _COUNT + LEVELS],
            windows=readings,
            loudest=tuple(int(i) for i in best),
        )

    def _read(self, window: Window, lexicon: Lexicon | None) -> WindowReading:
        occurrences = self.features.occurrences(window, lexicon)
        logits, vector = self.linear.score(occurrences)
        return WindowReading(window, occurrences, vector, logits - np.float32(window.discount))

    def shares(self, reading: Reading, signal: int) -> tuple[Window, Floats]:
        """The window that speaks loudest for a signal, and each word's part in the signal's log-odds."""
        said = reading.windows[reading.loudest[signal]]
        shares = self.linear.shares(said.occurrences, said.vector, signal, len(said.window.tokens))
        return said.window, shares * self.calibration.slope[signal]
