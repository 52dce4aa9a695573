"""The second stage: pieces with exact offsets, log-odds that come apart into words, a mix that helps."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assessment import Text
from classifiers.build_encoder import quantised
from classifiers.document import windows_of
from classifiers.encoder import HEADS, MOST_PIECES, Encoder, word_shares
from classifiers.mixing import fit_mix
from classifiers.modelfile import ModelFile
from classifiers.severity import LEVELS
from classifiers.taxonomy import SIGNAL_IDS
from classifiers.wordpiece import WordPiece

_VOCABULARY = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "shell",
    "##ing",
    "##s",
    "hits",
    "town",
    "the",
    ",",
    "a",
    "##b",
    "cafe",
]
_WIDTH, _WIDER, _LAYERS = 24, 40, 2
_OUTPUTS = len(SIGNAL_IDS) + LEVELS

Floats = npt.NDArray[np.float32]


def _weights() -> dict[str, Floats]:
    """A small encoder with random weights, named as PyTorch names them."""
    chance = np.random.default_rng(7)

    def matrix(out: int, into: int) -> Floats:
        return chance.normal(0, 0.3, (out, into)).astype(np.float32)

    def linear(name: str, out: int, into: int) -> dict[str, Floats]:
        return {f"{name}.weight": matrix(out, into), f"{name}.bias": matrix(1, out)[0]}

    def norm(name: str) -> dict[str, Floats]:
        return {f"{name}.weight": 1 + matrix(1, _WIDTH)[0], f"{name}.bias": matrix(1, _WIDTH)[0]}

    weights = {
        "enc.embeddings.word_embeddings.weight": matrix(len(_VOCABULARY), _WIDTH),
        "enc.embeddings.position_embeddings.weight": matrix(128, _WIDTH),
        "enc.embeddings.token_type_embeddings.weight": matrix(2, _WIDTH),
        **norm("enc.embeddings.LayerNorm"),
        **linear("head", _OUTPUTS, _WIDTH),
    }
    for number in range(_LAYERS):
        layer = f"enc.encoder.layer.{number}"
        for part in ("query", "key", "value"):
            weights |= linear(f"{layer}.attention.self.{part}", _WIDTH, _WIDTH)
        weights |= linear(f"{layer}.attention.output.dense", _WIDTH, _WIDTH)
        weights |= norm(f"{layer}.attention.output.LayerNorm")
        weights |= linear(f"{layer}.intermediate.dense", _WIDER, _WIDTH)
        weights |= linear(f"{layer}.output.dense", _WIDTH, _WIDER)
        weights |= norm(f"{layer}.output.LayerNorm")
    return weights


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    """The small encoder, quantised and put together as the shipped one is."""
    return Encoder.of(ModelFile(quantised(_weights(), "\n".join(_VOCABULARY)), {}), "made.npz")


def _norm(x: Floats, weights: dict[str, Floats], name: str) -> Floats:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    scaled: Floats = (x - x.mean(axis=-1, keepdims=True)) / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]
    return scaled


def _textbook(rows: list[int]) -> Floats:
    """The same encoder as the textbook writes it: one head after the other, exact GELU, float weights."""
    w = _weights()
    x = w["enc.embeddings.word_embeddings.weight"][rows] + w["enc.embeddings.position_embeddings.weight"][: len(rows)]
    x = _norm(x + w["enc.embeddings.token_type_embeddings.weight"][0], w, "enc.embeddings.LayerNorm")
    size = _WIDTH // HEADS
    for number in range(_LAYERS):
        layer = f"enc.encoder.layer.{number}"
        q, k, v = (
            x @ w[f"{layer}.attention.self.{p}.weight"].T + w[f"{layer}.attention.self.{p}.bias"]
            for p in ("query", "key", "value")
        )
        heads = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            scores = np.exp(q[:, part] @ k[:, part].T / math.sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ v[:, part])
        dense = f"{layer}.attention.output"
        gathered = np.hstack(heads) @ w[f"{dense}.dense.weight"].T + w[f"{dense}.dense.bias"]
        x = _norm(x + gathered, w, f"{dense}.LayerNorm")
        wide = x @ w[f"{layer}.intermediate.dense.weight"].T + w[f"{layer}.intermediate.dense.bias"]
        wide = wide * 0.5 * (1 + np.vectorize(math.erf)(wide / math.sqrt(2)))
        x = _norm(
            x + wide @ w[f"{layer}.output.dense.weight"].T + w[f"{layer}.output.dense.bias"],
            w,
            f"{layer}.output.LayerNorm",
        )
    logits: Floats = x.mean(axis=0) @ w["head.weight"].T + w["head.bias"]
    return logits


def test_served_encoder_equals_the_textbook(encoder: Encoder) -> None:
    """int8 weights and the tanh form of GELU change the log-odds by little."""
    read = encoder.read("Shelling hits the town", "")
    expected = _textbook([2, 4, 5, 7, 9, 8, 3, 3])
    assert np.corrcoef(read.logits, expected)[0, 1] > 0.995
    assert np.abs(read.logits - expected).max() < 0.15


@given(st.text(alphabet="shelingtow ,aéb.漢\x00", max_size=150), st.text(alphabet="a b,shelling", max_size=300))
def test_log_odds_come_apart_into_pieces(title: str, summary: str) -> None:
    """What all pieces say, with the three markers and the bias, is what the text says; no more pieces than fit."""
    encoder = Encoder.of(ModelFile(quantised(_weights(), "\n".join(_VOCABULARY)), {}), "made.npz")
    read = encoder.read(title, summary)
    assert len(read.pieces) == len(read.shares) <= MOST_PIECES - 3
    window = windows_of(Text(title, summary))[0]
    shares = word_shares(read, 0, window)
    assert len(shares) == len(window.tokens)
    assert np.isfinite(read.logits).all()


def test_longer_part_is_cut_first(encoder: Encoder) -> None:
    """A long summary never crowds out the title."""
    read = encoder.read("shelling hits town", "a, " * 500)
    assert read.titles == 4
    assert len(read.pieces) == MOST_PIECES - 3


@given(st.text(max_size=200))
def test_pieces_lie_in_the_text(text: str) -> None:
    """Every piece points at characters of the text, in order."""
    vocabulary = WordPiece({name: row for row, name in enumerate(_VOCABULARY)})
    pieces = vocabulary.pieces(text, 1000)
    assert all(0 <= p.start < p.end <= len(text) for p in pieces)
    assert [p.start for p in pieces] == sorted(p.start for p in pieces)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Shelling", ["shell", "##ing"]),
        ("SHELLS,town", ["shell", "##s", ",", "town"]),
        ("Café", ["cafe"]),
        ("unknowable", ["[UNK]"]),
        ("a" * 100, ["[UNK]"]),
        ("漢town", ["[UNK]", "town"]),
    ],
)
def test_words_fall_into_longest_pieces(text: str, names: list[str]) -> None:
    """Words are cut greedily, case and accents aside; what cannot be cut is unknown."""
    pieces = WordPiece({name: row for row, name in enumerate(_VOCABULARY)}).pieces(text, 100)
    assert [_VOCABULARY[p.row] for p in pieces] == names


def test_mix_trusts_the_better_model() -> None:
    """Of two opinions the one that is right gets the larger factor."""
    chance = np.random.default_rng(3)
    labels = chance.random((400, len(SIGNAL_IDS))) < 0.3
    severity = chance.integers(0, LEVELS, 400)
    truth = np.concatenate([labels, np.eye(LEVELS, dtype=bool)[severity]], axis=1)
    good = np.where(truth, 2.0, -2.0) + chance.normal(0, 1, truth.shape)
    noise = chance.normal(0, 2, truth.shape)
    mix = fit_mix(noise.astype(np.float32), good.astype(np.float32), labels, severity)
    assert (mix.weights[1] > 5 * np.abs(mix.weights[0])).all()
    assert ((mix.thresholds > 0.1) & (mix.thresholds < 0.9)).all()
