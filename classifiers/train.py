"""Trains the linear model: the same data always gives the same file.

What is chosen (calibration, thresholds, the severity head) is chosen on items that come later than everything the
scores were learnt from: the data of each source is cut by time into three parts, the middle one is scored by a model of
the first, the last by a model of the first two. The model that is written is then trained on all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from classifiers.assessment import Toll
from classifiers.calibration import Calibration
from classifiers.cleaning import clean
from classifiers.document import windows_of
from classifiers.errors import ExampleError
from classifiers.examples import Example, examples_hash, own_examples, read_examples
from classifiers.features import FAMILIES, FeatureMaker, Keys, Occurrences
from classifiers.language import detect
from classifiers.lexicon import load_lexicon
from classifiers.linear import Floats, LinearModel, Vocabulary
from classifiers.model import MODEL_NAME, SHIPPED
from classifiers.modelfile import Json, save_model
from classifiers.severity import LEVELS, severity_features
from classifiers.taxonomy import SIGNAL_IDS
from classifiers.thresholds import best_threshold, fit_severity, platt
from classifiers.tolls import read_toll

Progress = Callable[[str, float], None]
"""Called with what is being done and the part of the whole that is done, 0.0 … 1.0."""

LEAST_EXAMPLES = 50
_FIRST_CUT, _SECOND_CUT = 0.6, 0.8


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What shapes the model; written into its manifest."""

    inverse_regularisation: float = 10.0
    """scikit-learn's C of the signals' regressions."""
    severity_inverse_regularisation: float = 3.0
    least_documents: int = 2
    """A feature seen in fewer items is dropped."""
    most_features: int = 220_000
    """The features with the largest weights that are kept."""


class Trained(NamedTuple):
    """What training made: where it lies, its hash, and the figures on data held out by time."""

    folder: Path
    sha256: str
    metrics: dict[str, Json]


class _Prepared(NamedTuple):
    occurrences: list[Occurrences]
    labels: npt.NDArray[np.bool_]
    """(items, signals)"""
    severity: npt.NDArray[np.int64]
    """-1 where it was not annotated."""
    tolls: list[Toll | None]
    weights: Floats
    part: npt.NDArray[np.int64]
    """0, 1, 2: earliest to latest."""


def _silent(_what: str, _done: float) -> None:
    """Tells nobody."""


def main_train(data: Sequence[Path] = (), out: Path | None = None, progress: Progress = _silent) -> Trained:
    """Trains on the project's own examples and those of ``data``, and writes the model into ``out``.

    Raises
    ------
    ExampleError
        where a file cannot be read, or there is too little in them to learn from.
    """
    progress("reading examples", 0.0)
    examples = read_examples([*own_examples(), *data])
    return train(examples, out or SHIPPED, progress=progress)


def train(
    examples: Sequence[Example],
    out: Path,
    settings: TrainingSettings | None = None,
    progress: Progress = _silent,
) -> Trained:
    """Trains on ``examples`` and writes ``linear.npz`` and ``linear.json`` into ``out``."""
    if len(examples) < LEAST_EXAMPLES:
        raise ExampleError(f"{len(examples)} examples are too few to learn from: {LEAST_EXAMPLES} at least")
    settings = settings or TrainingSettings()
    prepared = prepare(examples, progress)
    held_out, logits = _forward(prepared, settings, progress)
    calibration = calibrate(logits[:, : len(SIGNAL_IDS)], prepared.labels[held_out], prepared.weights[held_out])
    head = _severity_head(prepared, held_out, logits, calibration)
    model = _prune(fit_linear(prepared, np.arange(len(examples)), settings, progress, 0.6, 1.0), settings)
    metrics = held_out_metrics(logits, prepared.labels[held_out], calibration)
    sha256 = save_model(
        out, MODEL_NAME, _arrays(model, calibration, head), _about(examples, settings, metrics, len(held_out))
    )
    progress("written", 1.0)
    return Trained(out, sha256, metrics)


def prepare(examples: Sequence[Example], progress: Progress = _silent) -> _Prepared:
    """Reads all that is asked of each example once: features, labels, the toll as our own reader sees it."""
    maker = FeatureMaker()
    occurrences: list[Occurrences] = []
    tolls: list[Toll | None] = []
    for number, example in enumerate(examples):
        text = clean(example.text)
        language = detect(text)[0]
        occurrences.append(maker.occurrences(windows_of(text)[0], load_lexicon(language)))
        tolls.append(read_toll(text, language, sorted(example.signals)).killed if example.signals else None)
        if number % 500 == 0:
            progress("reading texts", 0.15 * number / len(examples))
    return _Prepared(
        occurrences=occurrences,
        labels=np.array([[s in e.signals for s in SIGNAL_IDS] for e in examples], dtype=np.bool_),
        severity=np.array([-1 if e.severity is None else e.severity for e in examples]),
        tolls=tolls,
        weights=np.array([e.weight for e in examples], dtype=np.float32),
        part=_parts(examples),
    )


def _parts(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """Cuts each source by time; items without a date are dealt out by their ids."""
    part = np.zeros(len(examples), dtype=np.int64)
    dated: dict[str, list[int]] = {}
    for at, example in enumerate(examples):
        if example.date:
            dated.setdefault(example.source, []).append(at)
        else:
            part[at] = _part_of(int(hashlib.sha256(example.id.encode()).hexdigest()[:8], 16) / 2**32)
    for members in dated.values():
        members.sort(key=lambda i: (examples[i].date, examples[i].id))
        for rank, at in enumerate(members):
            part[at] = _part_of(rank / len(members))
    return part


def _part_of(rank: float) -> int:
    return int(rank >= _FIRST_CUT) + int(rank >= _SECOND_CUT)


def _forward(
    prepared: _Prepared, settings: TrainingSettings, progress: Progress
) -> tuple[npt.NDArray[np.int64], Floats]:
    """Items of the second and third part, and their scores by models of what came before them."""
    held_out: list[npt.NDArray[np.int64]] = []
    scores: list[Floats] = []
    for part, start, end in ((1, 0.15, 0.35), (2, 0.35, 0.6)):
        model = fit_linear(prepared, np.flatnonzero(prepared.part < part), settings, progress, start, end)
        later = np.flatnonzero(prepared.part == part)
        held_out.append(later)
        scores.append(
            np.array([model.score(prepared.occurrences[i]).logits for i in later], dtype=np.float32).reshape(
                len(later), len(SIGNAL_IDS) + LEVELS
            )
        )
    return np.concatenate(held_out), np.concatenate(scores)


def fit_linear(
    prepared: _Prepared,
    rows: npt.NDArray[np.int64],
    settings: TrainingSettings,
    progress: Progress = _silent,
    start: float = 0.0,
    end: float = 1.0,
) -> LinearModel:
    """Logistic regressions for each signal and each severity on the items ``rows``."""
    vocabulary = build_vocabulary([prepared.occurrences[i] for i in rows], settings.least_documents)
    matrix = matrix_of(vocabulary, [prepared.occurrences[i] for i in rows])
    targets = [prepared.labels[rows, i] for i in range(len(SIGNAL_IDS))]
    targets += [prepared.severity[rows] == level for level in range(LEVELS)]
    weights = np.zeros((matrix.shape[1], len(targets)), dtype=np.float32)
    bias = np.zeros(len(targets), dtype=np.float32)
    for output, target in enumerate(targets):
        strength = (
            settings.inverse_regularisation if output < len(SIGNAL_IDS) else settings.severity_inverse_regularisation
        )
        weights[:, output], bias[output] = fit_one(matrix, target, prepared.weights[rows], strength)
        progress("learning", start + (end - start) * (output + 1) / len(targets))
    return LinearModel(vocabulary, weights.astype(np.float16), bias)


def fit_one(
    matrix: sparse.csr_matrix, target: npt.NDArray[np.bool_], weights: Floats, strength: float
) -> tuple[Floats, float]:
    """One regression: its weights and its bias. A target that never (or always) occurs gets a constant."""
    share = float(target.mean()) if len(target) else 0.0
    if share in (0.0, 1.0):
        return np.zeros(matrix.shape[1], dtype=np.float32), -8.0 if share == 0.0 else 8.0
    learner = LogisticRegression(C=strength, solver="liblinear", tol=1e-2, max_iter=200, random_state=0)
    learner.fit(matrix, target, sample_weight=weights)
    return learner.coef_[0].astype(np.float32), float(learner.intercept_[0])


def build_vocabulary(occurrences: Iterable[Occurrences], least_documents: int) -> Vocabulary:
    """All features that stand in enough items, with their inverse document frequencies."""
    seen: list[Keys] = [np.unique(o.keys) for o in occurrences]
    keys, counts = np.unique(np.concatenate(seen), return_counts=True)
    kept = counts >= least_documents
    idf = 1.0 + np.log(len(seen) / counts[kept])
    return Vocabulary(keys[kept].astype(np.uint32), idf.astype(np.float32))


def matrix_of(vocabulary: Vocabulary, occurrences: Iterable[Occurrences]) -> sparse.csr_matrix:
    """One row an item, one column a feature: what scikit-learn is given."""
    vectors = [vocabulary.vector(o) for o in occurrences]
    ends = np.cumsum([0, *(len(v.rows) for v in vectors)])
    return sparse.csr_matrix(
        (
            np.concatenate([v.values for v in vectors]),
            np.concatenate([v.rows for v in vectors]).astype(np.int32),
            ends.astype(np.int32),
        ),
        shape=(len(vectors), len(vocabulary.keys)),
    )


def calibrate(logits: Floats, labels: npt.NDArray[np.bool_], weights: Floats) -> Calibration:
    """Platt's scaling and the threshold of each signal, from scores of items not learnt from."""
    slopes, shifts, thresholds = [], [], []
    for signal in range(labels.shape[1]):
        slope, shift = platt(logits[:, signal], labels[:, signal], weights)
        probabilities = 1.0 / (1.0 + np.exp(-(logits[:, signal] * slope + shift)))
        slopes.append(slope)
        shifts.append(shift)
        thresholds.append(best_threshold(probabilities, labels[:, signal], weights))
    return Calibration(
        np.array(slopes, dtype=np.float32), np.array(shifts, dtype=np.float32), np.array(thresholds, dtype=np.float32)
    )


def _severity_head(
    prepared: _Prepared, held_out: npt.NDArray[np.int64], logits: Floats, calibration: Calibration
) -> tuple[Floats, Floats]:
    known = prepared.severity[held_out] >= 0
    probabilities = calibration.probabilities(logits[:, : len(SIGNAL_IDS)])
    features = np.array(
        [
            severity_features(probabilities[k], logits[k, len(SIGNAL_IDS) :], prepared.tolls[i])
            for k, i in enumerate(held_out)
        ]
    )
    return fit_severity(features[known], prepared.severity[held_out][known])


def _prune(model: LinearModel, settings: TrainingSettings) -> LinearModel:
    """Keeps the features that weigh most: what a feature can do at all is its largest weight times its idf."""
    strength = np.abs(model.weights.astype(np.float32)).max(axis=1) * model.vocabulary.idf
    if len(strength) <= settings.most_features:
        return model
    kept = np.sort(np.argsort(-strength, kind="stable")[: settings.most_features])
    vocabulary = Vocabulary(model.vocabulary.keys[kept], model.vocabulary.idf[kept])
    return LinearModel(vocabulary, model.weights[kept], model.bias)


def held_out_metrics(logits: Floats, labels: npt.NDArray[np.bool_], calibration: Calibration) -> dict[str, Json]:
    """Micro and macro F1 on the items held out by time (thresholds chosen on the same: a little flattering)."""
    raised = calibration.probabilities(logits[:, : labels.shape[1]]) >= calibration.thresholds
    hit = (raised & labels).sum(axis=0)
    wrong = (raised ^ labels).sum(axis=0)
    each = 2 * hit / np.maximum(1, 2 * hit + wrong)
    return {
        "held_out_micro_f1": round(float(2 * hit.sum() / max(1, 2 * hit.sum() + wrong.sum())), 4),
        "held_out_macro_f1": round(float(each[labels.any(axis=0)].mean()) if labels.any() else 0.0, 4),
        "held_out_f1": {s: round(float(f), 4) for s, f in zip(SIGNAL_IDS, each, strict=True)},
    }


def _arrays(
    model: LinearModel, calibration: Calibration, head: tuple[Floats, Floats]
) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "keys": model.vocabulary.keys,
        "idf": model.vocabulary.idf,
        "weights": model.weights,
        "bias": model.bias,
        "slope": calibration.slope,
        "shift": calibration.shift,
        "thresholds": calibration.thresholds,
        "severity_weights": head[0],
        "severity_bias": head[1],
    }


def _about(
    examples: Sequence[Example], settings: TrainingSettings, metrics: dict[str, Json], held_out: int
) -> dict[str, Json]:
    languages: dict[str, int] = {}
    sources: dict[str, int] = {}
    for example in examples:
        sources[example.source or "own"] = sources.get(example.source or "own", 0) + 1
        languages[example.text.language or "?"] = languages.get(example.text.language or "?", 0) + 1
    return {
        "data": {
            "examples": len(examples),
            "sha256": examples_hash(examples),
            "held_out": held_out,
            "sources": dict(sorted(sources.items())),
            "languages": dict(sorted(languages.items())),
            "signals": {s: sum(s in e.signals for e in examples) for s in SIGNAL_IDS},
        },
        "settings": {
            "families": list(FAMILIES),
            "inverse_regularisation": settings.inverse_regularisation,
            "severity_inverse_regularisation": settings.severity_inverse_regularisation,
            "least_documents": settings.least_documents,
            "most_features": settings.most_features,
        },
        "metrics": metrics,
    }
