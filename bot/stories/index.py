"""Open clusters and their words: an inverted index that can take back what was not recorded.

Everything that a batch changes is written to a journal, so that ``rollback`` restores the state before the batch to
the bit, and ``commit`` forgets the journal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .prints import Print

_KEPT_FIRST, _KEPT = 6, 16
"""A cluster keeps the prints of its first six items and of the latest ten."""


@dataclass(slots=True)
class Cluster:
    """Items taken for one event. Replaced, never changed, once it is in the index."""

    id: str
    first_at: datetime
    last_at: datetime
    size: int
    norm2: float
    """Squared length of the summed vector."""
    prints: tuple[Print, ...]
    terms: frozenset[int] = field(default_factory=frozenset)

    def grown(self, shape: Print, norm2: float) -> Cluster:
        """The cluster with one more item."""
        kept = (*self.prints, shape)
        if len(kept) > _KEPT:
            kept = (*kept[:_KEPT_FIRST], *kept[_KEPT_FIRST + 1 :])
        return Cluster(
            self.id,
            min(self.first_at, shape.at),
            max(self.last_at, shape.at),
            self.size + 1,
            norm2,
            kept,
            self.terms | frozenset(shape.terms),
        )


class Index:
    """Clusters by id, and for each term the clusters that hold it with their summed weights."""

    def __init__(self) -> None:
        self._clusters: dict[str, Cluster] = {}
        self._postings: dict[int, dict[str, float]] = {}
        self._items = 0
        self._journal: list[tuple[int, str, float | None]] = []
        self._replaced: dict[str, Cluster | None] = {}
        self._added = 0

    def __len__(self) -> int:
        return len(self._clusters)

    @property
    def items(self) -> int:
        """Items in all open clusters."""
        return self._items

    def get(self, cluster_id: str) -> Cluster | None:
        """One open cluster."""
        return self._clusters.get(cluster_id)

    def frequency(self, term: int) -> int:
        """In how many open clusters a term stands; a large story does not make its own words common."""
        return len(self._postings.get(term, ()))

    def dots(self, terms: Sequence[int], weights: Sequence[float], most_clusters: int) -> dict[str, float]:
        """Dot product of a vector with each cluster that shares a term which at most ``most_clusters`` hold."""
        found: dict[str, float] = {}
        get = found.get
        for term, weight in zip(terms, weights, strict=True):
            holders = self._postings.get(term)
            if holders is not None and len(holders) <= most_clusters:
                for cluster_id, summed in holders.items():
                    found[cluster_id] = get(cluster_id, 0.0) + weight * summed
        return found

    def weight(self, term: int, cluster_id: str) -> float:
        """The summed weight of a term in a cluster."""
        return self._postings.get(term, {}).get(cluster_id, 0.0)

    def add(self, cluster_id: str, shape: Print, weights: Sequence[float]) -> Cluster:
        """Put an item into a cluster, opening it where it is new."""
        old = self._clusters.get(cluster_id)
        self._replaced.setdefault(cluster_id, old)
        dot = 0.0
        for term, weight in zip(shape.terms, weights, strict=True):
            holders = self._postings.setdefault(term, {})
            before = holders.get(cluster_id)
            self._journal.append((term, cluster_id, before))
            holders[cluster_id] = (before or 0.0) + weight
            dot += (before or 0.0) * weight
        self._added += 1
        self._items += 1
        length2 = sum(weight * weight for weight in weights)
        blank = Cluster(cluster_id, shape.at, shape.at, 0, 0.0, ())
        base = old or blank
        grown = base.grown(shape, base.norm2 + 2 * dot + length2)
        self._clusters[cluster_id] = grown
        return grown

    def commit(self) -> None:
        """What was added stays."""
        self._journal.clear()
        self._replaced.clear()
        self._added = 0

    def rollback(self) -> None:
        """Take back everything added since the last commit."""
        for term, cluster_id, before in reversed(self._journal):
            if before is None:
                self._drop(term, cluster_id)
            else:
                self._postings[term][cluster_id] = before
        self._items -= self._added
        for cluster_id, old in self._replaced.items():
            if old is None:
                del self._clusters[cluster_id]
            else:
                self._clusters[cluster_id] = old
        self.commit()

    def evict(self, before: datetime, most_items: int) -> tuple[str, ...]:
        """Forget clusters that fell quiet before a time, and the quietest ones above a number of items.

        Only between commits. Returns the ids that are gone.
        """
        gone = [cluster.id for cluster in self._clusters.values() if cluster.last_at < before]
        for cluster_id in gone:
            self._remove(self._clusters[cluster_id])
        if self._items > most_items:
            for cluster in self._quietest_first():
                gone.append(cluster.id)
                self._remove(cluster)
                if self._items <= most_items:
                    break
        return tuple(gone)

    def _quietest_first(self) -> Iterator[Cluster]:
        return iter(sorted(self._clusters.values(), key=lambda cluster: (cluster.last_at, cluster.id)))

    def _remove(self, cluster: Cluster) -> None:
        for term in cluster.terms:
            self._drop(term, cluster.id)
        self._items -= cluster.size
        del self._clusters[cluster.id]

    def _drop(self, term: int, cluster_id: str) -> None:
        holders = self._postings[term]
        del holders[cluster_id]
        if not holders:
            del self._postings[term]
