"""The second stage: an encoder whose opinion is mixed with the linear model's where a text is worth it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifiers.assessment import Text
from classifiers.calibration import Calibration
from classifiers.document import Window
from classifiers.encoder import ENCODER_NAME, Encoded, Encoder
from classifiers.linear import Floats
from classifiers.modelfile import ModelFile, array_of, load_model
from classifiers.severity import SeverityHead

MOST_WINDOWS = 4
"""Windows of a long text that the encoder reads: the first, and the loudest of the likeliest signals."""


@dataclass(frozen=True, slots=True)
class SecondStage:
    """A loaded encoder and how much it counts.

    ``mix``: (3, outputs): what the linear log-odds are multiplied by, what the encoder's are, and what is added.
    """

    encoder: Encoder
    mix: Floats
    calibration: Calibration
    """Thresholds of the mixed probabilities; slope 1 and shift 0, for the mix is calibrated already."""
    severity: SeverityHead
    gate: float
    """The encoder is asked where the first stage gives any signal this probability."""
    languages: tuple[str, ...]
    """Languages that the encoder was trained on."""

    @classmethod
    def load(cls, folder: Path) -> SecondStage | None:
        """Loads the second stage in ``folder``; ``None`` where the folder has none.

        Raises :class:`~classifiers.errors.ModelError` where there is one that cannot be used.
        """
        if not (folder / f"{ENCODER_NAME}.json").exists():
            return None
        return cls.of(load_model(folder, ENCODER_NAME), str(folder / f"{ENCODER_NAME}.npz"))

    @classmethod
    def of(cls, stored: ModelFile, path: str) -> SecondStage:
        """Puts the stage together from its arrays; ``path`` names the file in errors."""

        def floats(key: str) -> Floats:
            return array_of(stored, key, path).astype(np.float32)

        thresholds = floats("thresholds")
        languages = stored.manifest.get("languages")
        return cls(
            encoder=Encoder.of(stored, path),
            mix=floats("mix"),
            calibration=Calibration(np.ones_like(thresholds), np.zeros_like(thresholds), thresholds),
            severity=SeverityHead(floats("severity_weights"), floats("severity_bias")),
            gate=float(floats("gate")[0]),
            languages=tuple(map(str, languages)) if isinstance(languages, list) else (),
        )

    def encode(self, text: Text, window: Window) -> Encoded:
        """The encoder's reading of one window of a cleaned text."""
        title = text.title if window.titles else ""
        summary = window.tokens[window.titles :]
        if not summary:
            return self.encoder.read(title, "", 0)
        start, end = summary[0].start, summary[-1].end
        return self.encoder.read(title, text.summary[start:end], start)

    def mixed(self, linear: Floats, encoded: Encoded) -> Floats:
        """Log-odds of every output from both opinions."""
        mixed: Floats = linear * self.mix[0] + encoded.logits * self.mix[1] + self.mix[2]
        return mixed
