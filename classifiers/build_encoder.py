"""Builds the second stage from fine-tuned weights: int8 arrays, the mix with the linear model, its severity head.

    python -m classifiers.build_encoder WEIGHTS.npz HELD_OUT.jsonl [--negatives FILE] [--out FOLDER]

``WEIGHTS.npz`` is what ``finetune_encoder.py`` writes. The mix is learnt from ``HELD_OUT.jsonl``, annotated items that
neither the encoder nor the linear model in ``FOLDER`` has learnt from; its figures are by five-fold cross-validation.
"""  # fmt: skip

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.calibration import probabilities_of
from classifiers.cleaning import clean
from classifiers.document import windows_of
from classifiers.encoder import ENCODER_NAME, Encoder
from classifiers.evaluate import f1
from classifiers.examples import Example, examples_hash, read_examples
from classifiers.language import detect
from classifiers.lexicon import load_lexicon
from classifiers.linear import Floats
from classifiers.mixing import Mix, fit_mix
from classifiers.model import SHIPPED, SignalModel
from classifiers.modelfile import Array, Json, ModelFile, save_model
from classifiers.severity import severity_features
from classifiers.taxonomy import SIGNAL_IDS
from classifiers.thresholds import fit_severity
from classifiers.tolls import read_toll

LANGUAGES = ("en",)
GATE = 0.10
"""From this probability of any signal on the encoder is asked: 0.06 gains nothing, 0.15 costs half a point."""
_COUNT = len(SIGNAL_IDS)
_FOLDS = 5
_PREFIX = "enc."


class Held(NamedTuple):
    """The held-out items as both models see them."""

    examples: Sequence[Example]
    linear: Floats
    encoded: Floats
    labels: npt.NDArray[np.bool_]
    severity: npt.NDArray[np.int64]


def quantised(weights: Mapping[str, Array], vocabulary: str) -> dict[str, Array]:
    """The encoder's arrays as they are stored: matrices as int8 with one scale a row."""
    arrays: dict[str, Array] = {}

    def put(key: str, matrix: Array) -> None:
        scale = np.abs(matrix).max(axis=1) / 127.0
        scale[scale == 0] = 1.0
        arrays[key] = np.round(matrix / scale[:, None]).astype(np.int8)
        arrays[f"{key}_scale"] = scale.astype(np.float32)

    def norm(key: str) -> Array:
        return np.stack([weights[f"{key}.weight"], weights[f"{key}.bias"]])

    embeddings = f"{_PREFIX}embeddings"
    put("words", weights[f"{embeddings}.word_embeddings.weight"])
    places = weights[f"{embeddings}.position_embeddings.weight"][:128]
    arrays["places"] = places + weights[f"{embeddings}.token_type_embeddings.weight"][0]
    arrays["norm"] = norm(f"{embeddings}.LayerNorm")
    count = 0
    while f"{_PREFIX}encoder.layer.{count}.output.dense.weight" in weights:
        layer = f"{_PREFIX}encoder.layer.{count}"
        parts = [f"{layer}.attention.self.{part}" for part in ("query", "key", "value")]
        put(f"{count}_attend", np.concatenate([weights[f"{part}.weight"] for part in parts]))
        arrays[f"{count}_attend_bias"] = np.concatenate([weights[f"{part}.bias"] for part in parts])
        for name, inner in (
            ("gather", "attention.output.dense"),
            ("widen", "intermediate.dense"),
            ("narrow", "output.dense"),
        ):
            put(f"{count}_{name}", weights[f"{layer}.{inner}.weight"])
            arrays[f"{count}_{name}_bias"] = weights[f"{layer}.{inner}.bias"]
        arrays[f"{count}_gather_norm"] = norm(f"{layer}.attention.output.LayerNorm")
        arrays[f"{count}_narrow_norm"] = norm(f"{layer}.output.LayerNorm")
        count += 1
    arrays["layers"] = np.array([count], dtype=np.int32)
    arrays["head"] = np.ascontiguousarray(weights["head.weight"].T)
    arrays["head_bias"] = weights["head.bias"]
    arrays["vocabulary"] = np.frombuffer(vocabulary.encode("utf-8"), dtype=np.uint8)
    return arrays


def read_held(examples: Sequence[Example], model: SignalModel, encoder: Encoder) -> Held:
    """Scores the first window of each item with both models."""
    linear, encoded = [], []
    for example in examples:
        text = clean(example.text)
        window = windows_of(text)[0]
        lexicon = load_lexicon(detect(text)[0])
        linear.append(model.linear.score(model.features.occurrences(window, lexicon)).logits)
        end = window.tokens[-1].end if len(window.tokens) > window.titles else 0
        encoded.append(encoder.read(text.title, text.summary[:end]).logits)
    return Held(
        examples,
        np.array(linear, dtype=np.float32),
        np.array(encoded, dtype=np.float32),
        np.array([[s in e.signals for s in SIGNAL_IDS] for e in examples], dtype=np.bool_),
        np.array([e.severity or 0 for e in examples], dtype=np.int64),
    )


def cross_validated(held: Held) -> dict[str, Json]:
    """Micro F1 of either model and of the mix on folds that the mix was not learnt from."""
    folds = np.arange(len(held.labels)) % _FOLDS
    raised = np.zeros_like(held.labels)
    for fold in range(_FOLDS):
        inside, outside = folds == fold, folds != fold
        mix = fit_mix(held.linear[outside], held.encoded[outside], held.labels[outside], held.severity[outside])
        odds = mix.odds(held.linear[inside], held.encoded[inside])[:, :_COUNT]
        raised[inside] = probabilities_of(odds) >= mix.thresholds
    sources = np.array([e.source for e in held.examples])
    found: dict[str, Json] = {}
    for source in sorted(set(sources.tolist())):
        rows = sources == source
        if held.labels[rows].any():
            found[f"micro_f1 {source}"] = round(f1(held.labels[rows], raised[rows]), 4)
        else:
            found[f"false_alarms {source}"] = round(float(raised[rows].any(axis=1).mean()), 4)
    return found


def severity_arrays(held: Held, mix: Mix) -> tuple[Floats, Floats]:
    """The severity head over what the mix says and the toll that our own reader finds."""
    odds = mix.odds(held.linear, held.encoded)
    probabilities = probabilities_of(odds[:, :_COUNT])
    features = []
    for at, example in enumerate(held.examples):
        labels = [s for s, raised in zip(SIGNAL_IDS, probabilities[at] >= mix.thresholds, strict=True) if raised]
        toll = read_toll(clean(example.text), "en", labels).killed if labels else None
        features.append(severity_features(probabilities[at], odds[at, _COUNT:], toll))
    return fit_severity(np.array(features), held.severity)


def main() -> None:
    """Entry point."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("weights", type=Path)
    options.add_argument("held_out", type=Path, nargs="+")
    options.add_argument("--vocabulary", type=Path, required=True, help="vocab.txt of the encoder's tokeniser")
    options.add_argument("--linear", type=Path, default=SHIPPED, help="folder of the linear model to mix with")
    options.add_argument("--out", type=Path, default=SHIPPED)
    arguments = options.parse_args()
    with np.load(arguments.weights, allow_pickle=False) as stored:
        weights = {key: stored[key] for key in stored.files}
    arrays = quantised(weights, arguments.vocabulary.read_text(encoding="utf-8").rstrip("\n"))
    encoder = Encoder.of(ModelFile(arrays, {}), str(arguments.weights))
    examples = [e for e in read_examples(arguments.held_out) if e.text.language in (None, *LANGUAGES)]
    held = read_held(examples, SignalModel.load(arguments.linear), encoder)
    mix = fit_mix(held.linear, held.encoded, held.labels, held.severity)
    head = severity_arrays(held, mix)
    figures = cross_validated(held)
    arrays |= {"mix": mix.weights, "thresholds": mix.thresholds, "gate": np.array([GATE], dtype=np.float32)}
    arrays |= {"severity_weights": head[0], "severity_bias": head[1]}
    about: dict[str, Json] = {
        "languages": list(LANGUAGES),
        "origin": "all-MiniLM-L6-v2 (Apache-2.0), layers 1, 2, 4 and 6, fine-tuned on the codebook's signals",
        "mix": {"items": len(examples), "sha256": examples_hash(examples), "cross_validated": figures},
    }
    print(figures, save_model(arguments.out, ENCODER_NAME, arrays, about))  # noqa: T201 - a tool for a terminal


if __name__ == "__main__":
    main()
