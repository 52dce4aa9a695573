"""Makes the two files that grouping is shipped with: the background table and the scorer's weights.

Not part of the daemon; scikit-learn is imported here alone. The texts stay outside: only counts and weights come out.

``python -m bot.stories.training background OUT TEXTS.jsonl.gz …`` counts in how many texts each word stands.
``python -m bot.stories.training scorer OUT GOLD.jsonl`` trains on items grouped by reading
(``window, published, outlet, title, summary, link, story``) and prints figures for days left out of training.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.model import Item

from .background import load_background, pack
from .index import Cluster, Index
from .prints import print_of
from .rarity import Rarity
from .scoring import FEATURES, Scorer, compare
from .text import hashed, lead, stem, words

_RAREST_KEPT = 3
_ROUNDS = 3
_KEEP_SHARE, _JITTER_HOURS = 0.8, 3.0
_STRENGTH = 0.01
_CANDIDATES = 6
_WINDOW = 48 * 3600.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One item with the group that a reader put it in."""

    item: Item
    window: str
    story: str


def count_words(texts: Iterable[str]) -> tuple[int, dict[int, int]]:
    """Number of distinct texts, and of how many each hashed stem is a part; words of one or two texts are left out."""
    counts: Counter[int] = Counter()
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            continue
        seen.add(text)
        counts.update({hashed(stem(word)) for word in words(text)})
    return len(seen), {term: count for term, count in counts.items() if count >= _RAREST_KEPT}


def read_texts(path: Path) -> Iterator[str]:
    """Title and lead of each line of a (gzipped) JSON lines file."""
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            yield f"{row.get('title') or ''} . {lead(row.get('summary') or row.get('text') or '')}"


def read_gold(path: Path) -> list[Labelled]:
    """Items grouped by reading, by time."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return sorted((_labelled(row) for row in rows), key=lambda one: (one.item.published, one.item.uid))


def train(gold: Sequence[Labelled], threshold: float, seed: int = 7) -> Scorer:
    """Weights learned on all these items.

    Each day is run several times with items left out and times shaken; in the first round items are put where the
    reader put them, in later rounds where the scorer itself puts them, so that it learns to live with its mistakes.
    """
    chance = random.Random(seed)  # noqa: S311 - shakes the order of training data, guards nothing
    rows: list[tuple[float, ...]] = []
    truth: list[bool] = []
    scorer: Scorer | None = None
    for _ in range(_ROUNDS):
        for day in _days(gold).values():
            for _ in range(_ROUNDS):
                found, correct = _examples(_shaken(day, chance), scorer)
                rows += found
                truth += correct
        scorer = _fit(np.array(rows), np.array(truth), threshold)
    assert scorer is not None  # noqa: S101 - at least one round was run
    return scorer


def assign(items: Sequence[Labelled], scorer: Scorer) -> dict[str, str]:
    """Group by link as the daemon would group these items, one day at a time."""
    groups: dict[str, str] = {}
    for window, day in _days(items).items():
        walk = _Walk(scorer)
        for one in day:
            groups[one.item.link] = f"{window}/{walk.place(one)}"
    return groups


class _Walk:
    """One pass over a day's items; remembers which groups a reader gave the members of each cluster."""

    def __init__(self, scorer: Scorer | None) -> None:
        self._scorer = scorer
        self._index = Index()
        self._rarity = Rarity(load_background(), self._index)
        self._members: dict[str, list[str]] = defaultdict(list)
        self._home: dict[str, str] = {}
        self.rows: list[tuple[float, ...]] = []
        self.truth: list[bool] = []

    def place(self, one: Labelled) -> str:
        """Put an item where the scorer (or, without one, the reader) puts it; returns the cluster's id."""
        shape = print_of(one.item, one.item.published, self._rarity)
        near = [c for c in self._index.near(shape, _CANDIDATES) if shape.at - c.last_at <= _WINDOW]
        compared = [(compare(shape, cluster), cluster) for cluster in near]
        for values, cluster in compared:
            groups = self._members[cluster.id]
            self.rows.append(values)
            self.truth.append(groups.count(one.story) * 2 > len(groups))
        chosen = self._choose(one, compared) or one.item.uid
        self._home.setdefault(one.story, chosen)
        self._members[chosen].append(one.story)
        return self._index.add(chosen, shape).id

    def _choose(self, one: Labelled, compared: Sequence[tuple[tuple[float, ...], Cluster]]) -> str | None:
        if self._scorer is None:
            return self._home.get(one.story)
        scored = [(self._scorer.probability(values), cluster.id) for values, cluster in compared]
        best = max(scored, default=(0.0, ""))
        return best[1] if best[0] >= self._scorer.threshold else None


def _examples(day: Sequence[Labelled], scorer: Scorer | None) -> tuple[list[tuple[float, ...]], list[bool]]:
    walk = _Walk(scorer)
    for one in day:
        walk.place(one)
    return walk.rows, walk.truth


def _fit(rows: NDArray[np.float64], truth: NDArray[np.bool_], threshold: float) -> Scorer:
    from sklearn.linear_model import LogisticRegression

    middle, spread = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=_STRENGTH, max_iter=2000).fit((rows - middle) / spread, truth)
    weights = model.coef_[0] / spread
    return Scorer(tuple(map(float, weights)), float(model.intercept_[0] - (weights * middle).sum()), threshold)


def _days(items: Sequence[Labelled]) -> dict[str, list[Labelled]]:
    days: dict[str, list[Labelled]] = defaultdict(list)
    for one in items:
        days[one.window].append(one)
    return dict(days)


def _shaken(day: Sequence[Labelled], chance: random.Random) -> list[Labelled]:
    kept = [one for one in day if chance.random() < _KEEP_SHARE]
    return sorted(kept, key=lambda one: one.item.published.timestamp() + chance.uniform(-1, 1) * 3600 * _JITTER_HOURS)


def _labelled(row: Mapping[str, str]) -> Labelled:
    published = datetime.fromisoformat(row["published"])
    item = Item(
        feed_id=0,
        key=row["link"],
        title=row["title"],
        summary=row["summary"],
        link=row["link"],
        published=published if published.tzinfo else published.replace(tzinfo=UTC),
        outlet=row["outlet"],
    )
    return Labelled(item, row["window"], row["story"])


def bcubed(gold: Sequence[Labelled], groups: Mapping[str, str]) -> float:
    """B-cubed F1 of groups by link, within windows (Bagga and Baldwin 1998)."""
    pairs = [((one.window, one.story), groups[one.item.link]) for one in gold]
    both, true, found = Counter(pairs), Counter(g for g, _ in pairs), Counter(p for _, p in pairs)
    precision = sum(both[pair] / found[pair[1]] for pair in pairs) / len(pairs)
    recall = sum(both[pair] / true[pair[0]] for pair in pairs) / len(pairs)
    return 2 * precision * recall / (precision + recall)


def _leave_one_day_out(gold: Sequence[Labelled], threshold: float) -> dict[str, str]:
    groups: dict[str, str] = {}
    for window, day in _days(gold).items():
        others = [one for one in gold if one.window != window]
        groups |= assign(day, train(others, threshold))
    return groups


def _save_scorer(out: Path, paths: Sequence[Path]) -> str:
    gold = [one for path in paths for one in read_gold(path)]
    threshold = 0.4
    unseen = bcubed(gold, _leave_one_day_out(gold, threshold))
    scorer = train(gold, threshold)
    weights = dict(zip(FEATURES, (round(weight, 6) for weight in scorer.weights), strict=True))
    data = {
        "weights": weights,
        "intercept": round(scorer.intercept, 6),
        "threshold": threshold,
        "trained_on": f"{len(gold)} items of {len(_days(gold))} days",
        "b3_f1_on_days_left_out": round(unseen, 4),
    }
    out.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")
    return f"B-cubed F1 on days left out of training: {unseen:.3f}"


def _save_background(out: Path, paths: Sequence[Path]) -> str:
    documents, counts = count_words(text for path in paths for text in read_texts(path))
    out.write_bytes(pack(documents, counts))
    return f"{len(counts)} words of {documents} texts"


def main(arguments: Sequence[str]) -> int:
    """Run one of the two tasks."""
    tasks: dict[str, Callable[[Path, Sequence[Path]], str]] = {"background": _save_background, "scorer": _save_scorer}
    if len(arguments) < 3 or arguments[0] not in tasks:
        sys.stderr.write((__doc__ or "") + "\n")
        return 2
    done = tasks[arguments[0]](Path(arguments[1]), [Path(path) for path in arguments[2:]])
    sys.stdout.write(done + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
