"""Open clusters and how to find them by their rarest words: an inverted index that can take back what was not recorded.

Clusters are replaced, never changed; what a batch adds is written to a journal. ``rollback`` restores the state before
the batch exactly, ``commit`` forgets the journal.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .prints import UNIT, Print, figures_of, sketch_of

_INDEXED = 12
"""So many of an item's rarest words lead to its cluster."""
_MOST_TERMS = 256
_MOST_COPIES = 12
_MOST_HOLDERS = 3000
"""A word that more clusters hold finds nothing any more."""
_LEAST_SHARED = UNIT * UNIT // 40
"""Less of its own squared length than this in shared rare words makes an item no candidate."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Items taken for one event, as one summed vector and a few counts."""

    id: str
    first_at: float
    last_at: float
    size: int
    terms: array[int]
    """In rising order."""
    weights: array[int]
    """Summed weights, side by side with ``terms``."""
    norm2: int
    """Squared length of the summed vector."""
    publishers: tuple[int, ...]
    explainers: int = 0
    rounds: int = 0
    titles: tuple[int, ...] = ()
    """Hashes of the latest whole titles."""
    copies: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = ()
    """(sketch, numbers) of the latest distinct texts; empty for a single item, whose terms say it."""

    @property
    def texts(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
        """(sketch, numbers) of the texts that a copy is held against."""
        return self.copies or (_text(self.terms),)


@dataclass(frozen=True, slots=True)
class Joined:
    """A cluster and the words under which it was indexed for one item."""

    number: int
    old: Cluster | None
    indexed: tuple[int, ...]


class Index:
    """Clusters by number and by id, and for each rare word the numbers of the clusters that hold it."""

    def __init__(self) -> None:
        self._clusters: dict[int, Cluster] = {}
        self._numbers: dict[str, int] = {}
        self._holders: dict[int, array[int]] = {}
        self._under: dict[int, tuple[int, ...]] = {}
        self._next = 0
        self._items = 0
        self._journal: list[Joined] = []

    def __len__(self) -> int:
        return len(self._clusters)

    @property
    def items(self) -> int:
        """Items in all open clusters."""
        return self._items

    def get(self, cluster_id: str) -> Cluster | None:
        """One open cluster."""
        number = self._numbers.get(cluster_id)
        return None if number is None else self._clusters[number]

    def frequency(self, term: int) -> int:
        """In how many open clusters a term is among the rarest."""
        return len(self._holders.get(term, ()))

    def near(self, shape: Print, most: int) -> list[Cluster]:
        """The clusters that share the most of an item's rarest words, best first."""
        found: dict[int, int] = {}
        for term in shape.rarest[: 2 * _INDEXED]:
            holders = self._holders.get(term)
            if holders is not None and len(holders) <= _MOST_HOLDERS:
                weight = shape.weight_of[term] ** 2
                for number in holders:
                    found[number] = found.get(number, 0) + weight
        enough = [number for number, weight in found.items() if weight >= _LEAST_SHARED]
        best = sorted(enough, key=lambda number: (-found[number], number))[:most]
        return [self._clusters[number] for number in best]

    def add(self, cluster_id: str, shape: Print) -> Cluster:
        """Put an item into a cluster, opening it where it is new."""
        number = self._numbers.get(cluster_id)
        old = None if number is None else self._clusters[number]
        if number is None:
            number = self._numbers[cluster_id] = self._next
            self._next += 1
        grown = grow(old, shape) if old else _single(cluster_id, shape)
        self._put(number, old, grown, shape.rarest[:_INDEXED], 1)
        return grown

    def restore(self, cluster: Cluster) -> None:
        """Take up a cluster of an earlier run under its heaviest words."""
        number = self._numbers[cluster.id] = self._next
        self._next += 1
        by_weight = sorted(zip(cluster.weights, cluster.terms, strict=True), key=lambda pair: (-pair[0], pair[1]))
        self._put(
            number, None, cluster, [term for _, term in by_weight[: min(3, cluster.size) * _INDEXED]], cluster.size
        )

    def commit(self) -> None:
        """What was added stays."""
        self._journal.clear()

    def rollback(self) -> None:
        """Take back everything added since the last commit."""
        for joined in reversed(self._journal):
            cluster = self._clusters[joined.number]
            for term in joined.indexed:
                self._unlink(term, joined.number)
            self._items -= cluster.size - (joined.old.size if joined.old else 0)
            if joined.old is None:
                self._forget(joined.number, cluster)
            else:
                self._clusters[joined.number] = joined.old
                kept = self._under[joined.number]
                self._under[joined.number] = kept[: len(kept) - len(joined.indexed)]
        self._journal.clear()

    def evict(self, before: float, most_items: int) -> tuple[str, ...]:
        """Forget clusters that fell quiet before a time, and above a number of items the quietest ones.

        Only between commits. Returns the ids that are gone.
        """
        gone = [number for number, cluster in self._clusters.items() if cluster.last_at < before]
        spare = self._items - most_items - sum(self._clusters[number].size for number in gone)
        if spare > 0:
            past = set(gone)
            left = (n for n in sorted(self._clusters, key=lambda n: (self._clusters[n].last_at, n)) if n not in past)
            for number in left:
                gone.append(number)
                spare -= self._clusters[number].size
                if spare <= 0:
                    break
        ids = tuple(self._clusters[number].id for number in gone)
        for number in gone:
            self._remove(number)
        return ids

    def _put(self, number: int, old: Cluster | None, new: Cluster, words: Sequence[int], items: int) -> None:
        known = self._under.get(number, ())
        fresh = tuple(term for term in words if term not in known)
        for term in fresh:
            self._holders.setdefault(term, array("I")).append(number)
        self._under[number] = (*known, *fresh)
        self._clusters[number] = new
        self._items += items
        self._journal.append(Joined(number, old, fresh))

    def _remove(self, number: int) -> None:
        cluster = self._clusters[number]
        for term in self._under[number]:
            self._unlink(term, number)
        self._items -= cluster.size
        self._forget(number, cluster)

    def _forget(self, number: int, cluster: Cluster) -> None:
        del self._clusters[number], self._under[number], self._numbers[cluster.id]

    def _unlink(self, term: int, number: int) -> None:
        holders = self._holders[term]
        holders.remove(number)
        if not holders:
            del self._holders[term]


def grow(old: Cluster, shape: Print) -> Cluster:
    """The cluster with one more item. A large one takes up no further words."""
    summed = dict(zip(old.terms, old.weights, strict=True))
    dot = 0
    for term, weight in zip(shape.terms, shape.weights, strict=True):
        before = summed.get(term, 0)
        if before or len(summed) < _MOST_TERMS:
            dot += 2 * before * weight + weight * weight
            summed[term] = before + weight
    order = sorted(summed)
    text = (shape.sketch, shape.figures)
    texts = old.texts if text in old.texts else (*old.texts, text)[-_MOST_COPIES:]
    known = old.publishers
    return Cluster(
        id=old.id,
        first_at=min(old.first_at, shape.at),
        last_at=max(old.last_at, shape.at),
        size=old.size + 1,
        terms=array("I", order),
        weights=array("I", (summed[term] for term in order)),
        norm2=old.norm2 + dot,
        publishers=known if shape.publisher in known else (*known, shape.publisher),
        explainers=old.explainers + shape.explains,
        rounds=old.rounds + shape.rounds_up,
        titles=(*old.titles, shape.title)[-_MOST_COPIES:] if shape.title not in old.titles else old.titles,
        copies=texts,
    )


def packed(cluster: Cluster) -> dict[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]]:
    """A cluster as the plain tuples that its story carries through the store."""
    out: dict[str, tuple[str, ...] | tuple[int, ...] | tuple[float, ...]] = {
        "times": (cluster.first_at, cluster.last_at),
        "counts": (cluster.size, cluster.norm2, cluster.explainers, cluster.rounds),
        "terms": tuple(cluster.terms),
        "weights": tuple(cluster.weights),
        "publishers": cluster.publishers,
        "titles": cluster.titles,
    }
    for n, (sketch, figures) in enumerate(cluster.copies):
        out[f"sketch{n}"], out[f"figures{n}"] = sketch, figures
    return out


Packed = Mapping[str, "tuple[str, ...] | tuple[int, ...] | tuple[float, ...]"]


def unpacked(cluster_id: str, fields: Packed) -> Cluster | None:
    """The cluster of a story as it comes from the store; None where the fields do not make one."""
    times, counts = [float(part) for part in fields.get("times", ())], _ints(fields.get("counts", ()))
    terms, weights = _ints(fields.get("terms", ())), _ints(fields.get("weights", ()))
    if len(times) != 2 or len(counts) != 4 or len(terms) != len(weights):
        return None
    sketches = (n for n in range(_MOST_COPIES) if f"sketch{n}" in fields)
    return Cluster(
        id=cluster_id,
        first_at=times[0],
        last_at=times[1],
        size=counts[0],
        terms=array("I", terms),
        weights=array("I", weights),
        norm2=counts[1],
        publishers=_ints(fields.get("publishers", ())),
        explainers=counts[2],
        rounds=counts[3],
        titles=_ints(fields.get("titles", ())),
        copies=tuple((_ints(fields[f"sketch{n}"]), _ints(fields.get(f"figures{n}", ()))) for n in sketches),
    )


def _ints(values: Iterable[str | float]) -> tuple[int, ...]:
    return tuple(int(value) for value in values)


def _single(cluster_id: str, shape: Print) -> Cluster:
    return Cluster(
        id=cluster_id,
        first_at=shape.at,
        last_at=shape.at,
        size=1,
        terms=shape.terms,
        weights=shape.weights,
        norm2=sum(weight * weight for weight in shape.weights),
        publishers=(shape.publisher,),
        explainers=int(shape.explains),
        rounds=int(shape.rounds_up),
        titles=(shape.title,),
    )


def _text(terms: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return sketch_of(terms), figures_of(terms)
