"""Trains the scorer of places: ``gazetteer/weights.json`` from annotated items.

Two logistic regressions over the features of :mod:`classifiers.place_features`: one for English with the words around
a name, one for all other languages with their classes alone (learnt mostly from English texts: the classes are what the
languages share). Names are masked before learning. Deterministic: same items, same weights.

    python -m classifiers.train_places ITEMS.jsonl [ITEMS.jsonl …]

The project's own examples (``gazetteer/examples.tsv``, ``seeds/training``) are always learnt from beside the items
given.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from classifiers.assessment import Text
from classifiers.examples import own_examples, read_examples
from classifiers.place_features import Evidence
from classifiers.places import evidence_of, select

HERE = Path(__file__).parent / "gazetteer"
SEEN = 6
"""A feature must be seen on so many candidates to be kept."""
WORTH = {"en": 1, "other": 3}
"""How many annotated items one of our own examples counts for: they are few, and the only ones in most languages."""
SEEDS = 2
"""How many annotated items one of the project's training examples in another language than English counts for."""
STRENGTH = 0.05
"""Inverse of the L2 penalty, chosen on items later in time than those learnt from."""

Row = tuple[list[Evidence], frozenset[str]]


def read(paths: Iterable[Path], *, lexical: bool) -> list[Row]:
    """Candidates and true countries of every item that carries a signal."""
    found: list[Row] = []
    for example in read_examples(paths):
        language = example.text.language or "en"
        if example.signals and (not lexical or language == "en"):
            found.append((evidence_of(example.text, language, lexical=lexical), example.countries))
    return found


def own_sentences(*, lexical: bool) -> list[Row]:
    """The project's own example texts, in all supported languages, or in English alone for the lexical scorer."""
    found: list[Row] = []
    for line in (HERE / "examples.tsv").read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        language, countries, text = line.split("\t")
        if not lexical or language == "en":
            found.append((evidence_of(Text(text), language, lexical=lexical), frozenset(countries.split())))
    return found


def fit(rows: Sequence[Row], strength: float = STRENGTH) -> dict[str, float]:
    """Weights by feature, and the bias under the empty name."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    seen = Counter(f for candidates, _ in rows for c in candidates for f in set(c.features))
    kept = sorted(f for f, n in seen.items() if n >= SEEN)
    number = {f: n for n, f in enumerate(kept)}
    indices: list[int] = []
    starts = [0]
    truth: list[bool] = []
    for candidates, countries in rows:
        for candidate in candidates:
            indices += sorted({number[f] for f in candidate.features if f in number})
            starts.append(len(indices))
            truth.append(candidate.country in countries)
    matrix = csr_matrix((np.ones(len(indices)), indices, starts), shape=(len(truth), len(kept)))
    model = LogisticRegression(C=strength, max_iter=300, solver="liblinear", random_state=0)
    model.fit(matrix, np.array(truth))
    weights = {f: round(float(w), 4) for f, w in zip(kept, model.coef_[0], strict=True) if abs(w) >= 0.005}
    weights[""] = round(float(model.intercept_[0]), 4)
    return weights


def micro_f1(rows: Sequence[Row], weights: dict[str, float], high: float, low: float) -> float:
    """Micro F1 of the countries chosen with two thresholds (see :func:`classifiers.places.select`)."""
    hit = wrong = missed = 0
    for candidates, countries in rows:
        chosen = set(select(candidates, weights, high, low))
        hit += len(chosen & countries)
        wrong += len(chosen - countries)
        missed += len(countries - chosen)
    return 2 * hit / max(1, 2 * hit + wrong + missed)


def main() -> None:
    """Trains both scorers and writes the weights."""
    parser = argparse.ArgumentParser(description="Trains the scorer of places.")
    parser.add_argument("items", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, default=HERE / "weights.json")
    options = parser.parse_args()
    weights = {}
    for name, lexical in (("en", True), ("other", False)):
        rows = read(options.items, lexical=lexical) + own_sentences(lexical=lexical) * WORTH[name]
        if not lexical:
            rows += read([path for path in own_examples() if path.stem != "en"], lexical=False) * SEEDS
        weights[name] = fit(rows)
        sys.stdout.write(f"{name}: {len(rows)} items, {len(weights[name])} weights\n")
    options.out.write_text(json.dumps(weights, ensure_ascii=False, sort_keys=True, separators=(",\n", ":")), "utf-8")


if __name__ == "__main__":
    main()
