"""Learns the weights of the toll ranking from annotated items.

Run as ``python -m classifiers.train_tolls [--data FILE.jsonl …]``; without ``--data`` the own-written examples in
``seeds`` are all it sees. Deterministic: same data, same file. Needs SciPy, which comes with scikit-learn; serving
needs neither.

The model is log-linear over all possible tolls of an item and is fitted by maximum likelihood of the annotated number,
whichever way of adding it up explains it (a latent choice), with an L2 penalty. Both kinds of harm are learned
together: each feature has one weight for both and a deviation for each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from classifiers.assessment import Text
from classifiers.lexicon import load_lexicon
from classifiers.mentions import HARM, Kind
from classifiers.passage import read_passages
from classifiers.toll_features import TollFeatures
from classifiers.toll_scene import mentions_of
from classifiers.tolls import TollModel, dump_toll_model

PENALTY = 40.0
"""Strength of the L2 penalty, chosen on five folds of the training items by time (10 to 50 are alike)."""
NONE_BIAS = -1.0
"""Added to giving no number: whether to give one at all is weighed again with the signal's probability."""
OWN_WEIGHT = 2
"""How often each own-written example counts: they are few and aimed at what is rare in the annotated items."""
_RAREST = 3


@dataclass(frozen=True, slots=True)
class Example:
    """One item with the numbers that a reader gave it; ``None`` where it states none."""

    text: Text
    language: str
    gold: Mapping[Kind, int | None]


@dataclass(frozen=True, slots=True)
class Choice:
    """The possible tolls of one item and kind: features of each, and which of them give the annotated number."""

    kind: Kind
    candidates: Sequence[Counter[str]]
    right: Sequence[bool]


def read_jsonl(lines: Iterable[str]) -> Iterator[Example]:
    """Examples among annotated items: those with the signal ``casualties``."""
    for line in lines:
        row = json.loads(line)
        if "casualties" in row["signals"]:
            text = Text(row["title"], row.get("summary", ""))
            yield Example(text, row.get("language") or "en", {kind: row.get(kind) for kind in HARM})


def read_tsv(lines: Iterable[str], language: str) -> Iterator[Example]:
    """Own examples: killed, injured and text ("title || summary"), parted by tabs.

    A cell is a number ("12"), a range ("40-50"), a number and a cumulative total ("54+158"), a total alone
    ("=158"), words ("~dozens") or nothing stated ("-").
    """
    for line in lines:
        killed, injured, text = line.rstrip("\n").split("\t")
        title, _, summary = text.partition(" || ")
        yield Example(Text(title, summary), language, {"killed": _cell(killed), "injured": _cell(injured)})


def _cell(cell: str) -> int | None:
    if cell == "-" or cell[0] in "~=":
        return None
    if "-" in cell:
        low, high = cell.split("-")
        return (int(low) + int(high)) // 2
    return int(cell.split("+")[0])


def own_examples() -> list[Example]:
    """All examples that come with the project, in a fixed order."""
    folder = files("seeds")
    examples: list[Example] = []
    for entry in sorted((folder / "tolls").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".tsv"):
            lines = entry.read_text(encoding="utf-8").splitlines()
            examples += read_tsv(lines, entry.name.removesuffix(".tsv"))
    for entry in sorted((folder / "training").iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".jsonl"):
            examples += read_jsonl(entry.read_text(encoding="utf-8").splitlines())
    return examples


def choices_of(examples: Iterable[Example]) -> list[Choice]:
    """The choices of all examples whose language has a lexicon and whose number can be reached at all."""
    choices: list[Choice] = []
    for example in examples:
        lexicon = load_lexicon(example.language)
        if lexicon is None:
            continue
        passages = read_passages(example.text, lexicon)
        mentions = mentions_of(passages)
        for kind in HARM:
            choice = _choice(TollFeatures(passages, kind, mentions), example.gold[kind])
            if any(choice.right) and len(choice.right) > 1:
                choices.append(choice)
    return choices


def _choice(scene: TollFeatures, gold: int | None) -> Choice:
    count = len(scene.mentions)
    own = [scene.mention_features(at) for at in range(count)]
    pairs = {(i, j): scene.pair_features(i, j) for i in range(count) for j in range(i + 1, count)}
    candidates: list[Counter[str]] = [Counter(scene.null_features())]
    right = [gold is None]
    for members in scene.sums():
        features = Counter(scene.set_features(members))
        for at in members:
            features.update(own[at])
        for i, first in enumerate(members):
            for second in members[i + 1 :]:
                features.update(pairs[first, second])
        candidates.append(features)
        right.append(scene.value_of(members) == gold)
    return Choice(scene.kind, candidates, right)


class _Design:
    """The choices as one sparse matrix: a row a candidate, two columns a feature (shared and of its kind)."""

    def __init__(self, choices: Sequence[Choice]) -> None:
        seen = Counter(feature for choice in choices for features in choice.candidates for feature in features)
        names = sorted(feature for feature, count in seen.items() if count >= _RAREST)
        self.columns = {name: at for at, name in enumerate(names)}
        width = len(names)
        rows, columns, values = [], [], []
        row = 0
        for choice in choices:
            offset = width * (1 + HARM.index(choice.kind))
            for features in choice.candidates:
                for feature, count in features.items():
                    if feature in self.columns:
                        rows += [row, row]
                        columns += [self.columns[feature], offset + self.columns[feature]]
                        values += [float(count), float(count)]
                row += 1
        self.width = width
        self.matrix = csr_matrix((values, (rows, columns)), shape=(row, 3 * width))
        self.right = np.array([right for choice in choices for right in choice.right])
        self.borders = np.cumsum([0, *(len(choice.candidates) for choice in choices)])
        self.group = np.repeat(np.arange(len(choices)), np.diff(self.borders))

    def loss(self, weights: NDArray[np.float64], penalty: float) -> tuple[float, NDArray[np.float64]]:
        """Negative log-likelihood of the right candidates, with its gradient."""
        scores = self.matrix @ weights
        everything, share = self._softmax(scores)
        rightly, right_share = self._softmax(np.where(self.right, scores, -1e30))
        loss = float((everything - rightly).sum() + 0.5 * penalty * (weights @ weights))
        gradient: NDArray[np.float64] = self.matrix.T @ (share - right_share) + penalty * weights
        return loss, gradient

    def _softmax(self, scores: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        top = np.maximum.reduceat(scores, self.borders[:-1])
        raised = np.exp(scores - top[self.group])
        total = np.add.reduceat(raised, self.borders[:-1])
        return top + np.log(total), raised / total[self.group]


def train(examples: Iterable[Example], penalty: float = PENALTY, bias: float = NONE_BIAS) -> TollModel:
    """Fits a model to ``examples``."""
    design = _Design(choices_of(examples))
    found = minimize(
        design.loss,
        np.zeros(3 * design.width),
        args=(penalty,),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 300},
    )
    shared = found.x[: design.width]
    weights: dict[Kind, dict[str, float]] = {}
    for at, kind in enumerate(HARM, 1):
        own = shared + found.x[at * design.width : (at + 1) * design.width]
        weights[kind] = {name: float(own[column]) for name, column in design.columns.items()}
    return TollModel(weights, dict.fromkeys(HARM, bias))


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains on the own examples and on ``--data``, and writes ``--out`` (the shipped file by default)."""
    parser = argparse.ArgumentParser(prog="python -m classifiers.train_tolls", description=__doc__)
    parser.add_argument("--data", nargs="*", type=Path, default=[], help="annotated items, JSON lines")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("tolls.json"))
    options = parser.parse_args(arguments)
    examples = own_examples() * OWN_WEIGHT
    for path in options.data:
        with path.open(encoding="utf-8") as lines:
            examples += read_jsonl(lines)
    options.out.write_text(dump_toll_model(train(examples)), encoding="utf-8")
    sys.stdout.write(f"{options.out.name}: learned from {len(examples)} items\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
