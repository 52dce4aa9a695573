"""The second stage: a small BERT-style encoder in NumPy, asked only about texts that the first stage finds worth it.

The weights are MiniLM-L6 (Wang et al. 2020; all-MiniLM-L6-v2, Apache-2.0), fine-tuned on the codebook's signals and
stored as int8 with one scale a row. The head is linear over the mean of the last states, so that each word's share in
a log-odds is exact: the mean is taken apart again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.document import Window
from classifiers.linear import Floats
from classifiers.modelfile import Array, ModelFile, array_of
from classifiers.wordpiece import Piece, WordPiece

ENCODER_NAME = "encoder"
HEADS = 12
MOST_PIECES = 96
"""Pieces read of one window, markers included: 64 cost a point of F1 and saved a tenth of the time."""
_EPSILON = 1e-12
_GELU = 0.7978845608028654  # sqrt(2 / pi)
_FAR = np.float32(-1e9)


class Encoded(NamedTuple):
    """What the encoder says of one window."""

    logits: Floats
    shares: Floats
    """(pieces, outputs): each piece's part in the log-odds, without the bias."""
    pieces: tuple[Piece, ...]
    titles: int
    """How many of the pieces stand in the title."""


class Layer(NamedTuple):
    """One transformer layer; matrices are (in, out)."""

    attend: Floats
    attend_bias: Floats
    """Queries, keys and values side by side."""
    gather: Floats
    gather_bias: Floats
    gather_norm: Floats
    widen: Floats
    widen_bias: Floats
    narrow: Floats
    narrow_bias: Floats
    narrow_norm: Floats


@dataclass(frozen=True, slots=True)
class Encoder:
    """A loaded encoder."""

    words: npt.NDArray[np.int8]
    word_scales: Floats
    places: Floats
    """Position embeddings, the only token type's embedding added."""
    norm: Floats
    layers: tuple[Layer, ...]
    head: Floats
    head_bias: Floats
    tokeniser: WordPiece

    @classmethod
    def of(cls, stored: ModelFile, path: str) -> Encoder:
        """Puts an encoder together from its arrays; ``path`` names the file in errors."""

        def array(key: str) -> Array:
            return array_of(stored, key, path)

        def floats(key: str) -> Floats:
            return array(key).astype(np.float32)

        def matrix(key: str) -> Floats:
            scaled: Floats = floats(key) * floats(f"{key}_scale")[:, None]
            return np.ascontiguousarray(scaled.T)

        names = bytes(array("vocabulary").astype(np.uint8)).decode("utf-8").split("\n")
        return cls(
            words=array("words").astype(np.int8, copy=False),
            word_scales=floats("words_scale"),
            places=floats("places"),
            norm=floats("norm"),
            layers=tuple(
                Layer(
                    matrix(f"{n}_attend"), floats(f"{n}_attend_bias"),
                    matrix(f"{n}_gather"), floats(f"{n}_gather_bias"), floats(f"{n}_gather_norm"),
                    matrix(f"{n}_widen"), floats(f"{n}_widen_bias"),
                    matrix(f"{n}_narrow"), floats(f"{n}_narrow_bias"), floats(f"{n}_narrow_norm"),
                )
                for n in range(int(floats("layers")[0]))
            ),
            head=floats("head"),
            head_bias=floats("head_bias"),
            tokeniser=WordPiece({name: row for row, name in enumerate(names)}),
        )  # fmt: skip

    def read(self, title: str, summary: str, offset: int = 0) -> Encoded:
        """Scores one text of which ``MOST_PIECES`` are read, the longer part being cut.

        ``offset``: where ``summary`` begins in the item's summary.
        """
        first = self.tokeniser.pieces(title, MOST_PIECES)
        second = self.tokeniser.pieces(summary, MOST_PIECES)
        second = [Piece(row, start + offset, end + offset) for row, start, end in second]
        while len(first) + len(second) > MOST_PIECES - 3:
            (first if len(first) > len(second) else second).pop()
        known = self.tokeniser.vocabulary
        end = [known["[SEP]"]]
        rows = [known["[CLS]"], *(p.row for p in first), *end, *(p.row for p in second), *end]
        states = self._states(np.array(rows))
        parts = states @ self.head / np.float32(len(rows))
        kept = [*range(1, len(first) + 1), *range(len(first) + 2, len(rows) - 1)]
        return Encoded(parts.sum(axis=0) + self.head_bias, parts[kept], (*first, *second), len(first))

    def _states(self, rows: npt.NDArray[np.int64]) -> Floats:
        states = self.words[rows] * self.word_scales[rows, None] + self.places[: len(rows)]
        states = _normalised(states, self.norm)
        for layer in self.layers:
            states = _layer(states, layer)
        return states


def word_shares(encoded: Encoded, output: int, window: Window) -> Floats:
    """Each word's part in the log-odds of ``output``: the parts of its pieces, in the words of ``window``."""
    shares = np.zeros(len(window.tokens), dtype=np.float32)
    for titled, pieces, parts in (
        (True, encoded.pieces[: encoded.titles], encoded.shares[: encoded.titles, output]),
        (False, encoded.pieces[encoded.titles :], encoded.shares[encoded.titles :, output]),
    ):
        low, high = (0, window.titles) if titled else (window.titles, len(window.tokens))
        starts = [token.start for token in window.tokens[low:high]]
        _add_parts(shares[low:high], starts, pieces, parts)
    return shares


def _add_parts(shares: Floats, starts: Sequence[int], pieces: Sequence[Piece], parts: Floats) -> None:
    if not starts:
        return
    at = np.searchsorted(np.array(starts), [piece.start for piece in pieces], side="right") - 1
    inside = at >= 0
    np.add.at(shares, at[inside], parts[inside])


def _layer(states: Floats, layer: Layer) -> Floats:
    size = states.shape[1] // HEADS
    mixed = states @ layer.attend + layer.attend_bias
    queries, keys, values = np.moveaxis(mixed.reshape(len(states), 3, HEADS, size), 0, 2)
    scores = queries @ keys.transpose(0, 2, 1) * np.float32(size**-0.5)
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    scores /= scores.sum(axis=-1, keepdims=True)
    gathered = np.moveaxis(scores @ values, 0, 1).reshape(states.shape)
    states = _normalised(states + gathered @ layer.gather + layer.gather_bias, layer.gather_norm)
    wide: Floats = _gelu(states @ layer.widen + layer.widen_bias)
    return _normalised(states + wide @ layer.narrow + layer.narrow_bias, layer.narrow_norm)


def _normalised(states: Floats, norm: Floats) -> Floats:
    """Layer normalisation; ``norm`` holds scale and shift."""
    centred = states - states.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(_EPSILON))
    return np.asarray(centred / spread * norm[0] + norm[1], dtype=np.float32)


def _gelu(x: Floats) -> Floats:
    """Gaussian error linear unit by its tanh form (the difference to the exact one is below 0.001)."""
    inner: Floats = np.tanh(np.float32(_GELU) * (x + np.float32(0.044715) * x * x * x))
    activated: Floats = x * (inner + np.float32(1.0)) * np.float32(0.5)
    return activated
