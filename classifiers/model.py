"""What the model says of a text: calibrated probabilities, labels, tone, shares. Loaded once a process.

Two stages: the linear model reads everything; where it finds anything at all, and the language is one of the
encoder's, the encoder reads too and both opinions are mixed. Without an encoder the linear model stands alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classifiers.assessment import Text
from classifiers.calibration import Calibration, probabilities_of
from classifiers.document import Window, windows_of
from classifiers.encoder import Encoded, word_shares
from classifiers.features import FeatureMaker, Occurrences
from classifiers.lexicon import Lexicon
from classifiers.linear import Floats, LinearModel, Vector, Vocabulary
from classifiers.modelfile import Array, Json, ModelFile, array_of, load_model
from classifiers.secondstage import MOST_WINDOWS, SecondStage
from classifiers.severity import LEVELS, SeverityHead
from classifiers.taxonomy import SIGNAL_IDS

MODEL_NAME = "linear"
SHIPPED = Path(__file__).parent / "model"
"""Where the model that comes with the package lies."""
_COUNT = len(SIGNAL_IDS)
_UNREAD = np.float32(0.5)
"""Log-odds taken off what the linear model alone says of a window of an article: one opinion is less than two."""

_SHARPNESS = np.float32(1.5)
"""1 would add up the odds of a text's windows, a large number would leave the loudest alone."""


class WindowReading(NamedTuple):
    """One window scored: the linear log-odds of all outputs, the encoder's if asked, and what explains them."""

    window: Window
    occurrences: Occurrences
    vector: Vector
    logits: Floats
    encoded: Encoded | None = None


class Reading(NamedTuple):
    """A text scored: probabilities by signal, labels, tone, and for each signal the window that said so loudest."""

    probabilities: Floats
    labels: tuple[str, ...]
    tone: Floats
    """Log-odds of the five levels of severity, from the words alone."""
    windows: tuple[WindowReading, ...]
    loudest: tuple[int, ...]
    staged: bool
    """Whether the encoder was asked."""


@dataclass(frozen=True, slots=True)
class SignalModel:
    """A loaded model."""

    linear: LinearModel
    calibration: Calibration
    severity_head: SeverityHead
    manifest: Mapping[str, Json]
    second: SecondStage | None = None
    features: FeatureMaker = field(default_factory=FeatureMaker)

    @classmethod
    def load(cls, folder: Path | None = None) -> SignalModel:
        """Loads the model in ``folder`` (the shipped one by default), with its encoder if it has one.

        Raises :class:`~classifiers.errors.ModelError` where it cannot be used.
        """
        folder = folder or SHIPPED
        stored = load_model(folder, MODEL_NAME)
        return cls.of(stored, str(folder / f"{MODEL_NAME}.npz"), SecondStage.load(folder))

    @classmethod
    def of(cls, stored: ModelFile, path: str, second: SecondStage | None = None) -> SignalModel:
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
            severity_head=SeverityHead(floats("severity_weights"), floats("severity_bias")),
            manifest=stored.manifest,
            second=second,
        )

    def read(self, text: Text, language: str, lexicon: Lexicon | None) -> Reading:
        """Scores a cleaned text: all its windows, of each signal the loudest counts."""
        readings = [self._read(window, lexicon) for window in windows_of(text)]
        odds = np.stack([self._linear_odds(reading) for reading in readings])
        staged = self.second is not None and self._worth_encoding(self.second, odds, language)
        if self.second is not None and staged:
            for at in self._chosen(self.second, odds):
                readings[at] = self._encode(self.second, text, readings[at])
            alone = len(readings) == 1
            odds = np.stack([self._odds(self.second, reading, alone=alone) for reading in readings])
        return self._summed(readings, odds, staged)

    def severity(self, features: Floats, reading: Reading) -> int:
        """Level 0 … 4 from what :func:`~classifiers.severity.severity_features` made of a reading."""
        head = self.second.severity if self.second is not None and reading.staged else self.severity_head
        return head.level(features)

    def shares(self, reading: Reading, signal: int) -> tuple[Window, Floats]:
        """The window that speaks loudest for a signal, and each word's part in the signal's log-odds."""
        said = reading.windows[reading.loudest[signal]]
        shares = self.linear.shares(said.occurrences, said.vector, signal, len(said.window.tokens))
        if self.second is None or said.encoded is None:
            return said.window, shares * self.calibration.slope[signal]
        encoded = word_shares(said.encoded, signal, said.window)
        return said.window, shares * self.second.mix[0, signal] + encoded * self.second.mix[1, signal]

    def _read(self, window: Window, lexicon: Lexicon | None) -> WindowReading:
        occurrences = self.features.occurrences(window, lexicon)
        logits, vector = self.linear.score(occurrences)
        return WindowReading(window, occurrences, vector, logits)

    def _linear_odds(self, reading: WindowReading) -> Floats:
        """Calibrated log-odds of the signals and the tone of one window, from the linear model."""
        signals = self.calibration.odds(reading.logits[:_COUNT]) - np.float32(reading.window.discount)
        return np.concatenate([signals, reading.logits[_COUNT:]])

    def _odds(self, second: SecondStage, reading: WindowReading, *, alone: bool) -> Floats:
        """The same, from both stages; in an article (not ``alone``) one sure opinion is enough."""
        if reading.encoded is None:
            return self._linear_odds(reading) - _UNREAD
        odds = second.mixed(reading.logits, reading.encoded)
        odds[:_COUNT] -= np.float32(reading.window.discount)
        return odds if alone else np.maximum(odds, self._linear_odds(reading) - _UNREAD)

    def _worth_encoding(self, second: SecondStage, odds: Floats, language: str) -> bool:
        return language in second.languages and bool(probabilities_of(odds[:, :_COUNT]).max() >= second.gate)

    def _chosen(self, second: SecondStage, odds: Floats) -> Sequence[int]:
        """The windows that the encoder reads: the first, then the loudest of each signal, likeliest signals first."""
        loudest = odds[:, :_COUNT].argmax(axis=0)
        highest = odds[loudest, np.arange(_COUNT)]
        worth = probabilities_of(highest) >= second.gate
        likeliest = [int(loudest[signal]) for signal in np.argsort(-highest, kind="stable") if worth[signal]]
        return list(dict.fromkeys([0, *likeliest]))[:MOST_WINDOWS]

    def _encode(self, second: SecondStage, text: Text, reading: WindowReading) -> WindowReading:
        return reading._replace(encoded=second.encode(text, reading.window))

    def _summed(self, readings: Sequence[WindowReading], odds: Floats, staged: bool) -> Reading:
        loudest = odds[:, :_COUNT].argmax(axis=0)
        calibration = self.second.calibration if self.second is not None and staged else self.calibration
        probabilities = calibration.untangled(probabilities_of(_together(odds[:, :_COUNT])))
        return Reading(
            probabilities=probabilities,
            labels=calibration.labels(probabilities),
            tone=odds[0, _COUNT : _COUNT + LEVELS],
            windows=tuple(readings),
            loudest=tuple(int(i) for i in loudest),
            staged=staged,
        )


def _together(odds: Floats) -> Floats:
    """Windows of one text taken together: more than the loudest alone, less than if they were independent."""
    loudest: Floats = odds.max(axis=0)
    summed: Floats = loudest + np.log(np.exp(_SHARPNESS * (odds - loudest)).sum(axis=0)) / _SHARPNESS
    return summed
