"""Which items report the same event: one pass, bounded, the same for the same order, continued after a restart.

The pipeline uses it like a transaction::

    grouping = grouper.group(items, assessments, now, history=old)
    verdicts = judge(grouping.updates, rules, now)
    ... record everything ...
    grouper.commit(final_stories(verdicts))        # or grouper.rollback(), where recording failed
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.model import Item, PhaseStep, Story, StoryUpdate
from classifiers.assessment import Assessment

from . import lifecycle, telling
from .background import Background, load_background
from .bridges import Bridges, languages
from .index import Cluster, Index, packed, unpacked
from .prints import Print, alike, print_of
from .rarity import Rarity
from .scoring import Scorer, compare, load_scorer
from .situations import Situations

_ID_BYTES = 8
_CANDIDATES = 6
_COPY = 0.8
"""Share of two texts' words from which on one is a copy of the other, given that their numbers are the same."""
_LOOK_EVERY = timedelta(minutes=10)
"""Stories are looked through for quiet ones no more often than this."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much grouping remembers."""

    window: timedelta = timedelta(hours=48)
    """A story without news for so long is closed."""
    items: int = 50_000
    """Items in open stories; the quietest stories are closed first."""


@dataclass(frozen=True, slots=True)
class Grouping:
    """What grouping says of one batch.

    ``updates`` has one entry for each item that carries a label; ``unsignalled`` are the others, in the order given.
    ``assignments`` names a story for every item by its uid, singletons included.
    """

    updates: tuple[StoryUpdate, ...]
    unsignalled: tuple[Item, ...]
    assignments: Mapping[str, str]


def story_id(uid: str) -> str:
    """A short, URL-safe id that depends on the first item alone."""
    digest = hashlib.blake2b(uid.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES).digest()
    return "s" + base64.b32encode(digest).decode("ascii").rstrip("=").lower()


class Grouper:
    """Open stories, and which of them an item belongs to."""

    def __init__(
        self, limits: Limits = Limits(), *, scorer: Scorer | None = None, background: Background | None = None
    ) -> None:
        self._limits = limits
        self._scorer = scorer or load_scorer()
        self._index = Index()
        self._rarity = Rarity(background or load_background(), self._index)
        self._stories: dict[str, Story] = {}
        self._before: dict[str, Story | None] = {}
        self._bridges: Bridges | None = None
        self._situations: Situations | None = None
        self._next_look = datetime.min.replace(tzinfo=UTC)

    @property
    def stories(self) -> tuple[Story, ...]:
        """The open stories, by id."""
        return tuple(self._stories[key] for key in sorted(self._stories))

    def load(self, stories: Iterable[Story]) -> None:
        """Take up the open stories of an earlier run."""
        for story in sorted(stories, key=lambda story: (story.opened_at, story.id)):
            cluster = unpacked(story.id, story.print)
            if cluster is not None:
                self._stories[story.id] = story
                self._index.restore(cluster)
        self._index.commit()
        self._bridges = self._situations = None

    def group(
        self,
        items: Sequence[Item],
        assessments: Sequence[Assessment | None],
        now: datetime,
        *,
        history: Container[str] = frozenset(),
        official: Container[int] = frozenset(),
    ) -> Grouping:
        """Join each item to its story. Pending until :meth:`commit` or :meth:`rollback`.

        Parameters
        ----------
        items, assessments
            side by side; ``None`` where an item was not assessed. Worked off in order of publication.
        history
            uids of items older than the start of watching their feed.
        official
            ids of feeds that speak for a ministry, the UN or a monitor.
        """
        pairs = sorted(zip(items, assessments, strict=True), key=lambda pair: (pair[0].published, pair[0].uid))
        updates: list[StoryUpdate] = []
        assignments: dict[str, str] = {}
        for item, assessment in pairs:
            read = assessment if assessment is not None and assessment.labels else None
            cluster, copy = self._assign(item, read, now)
            assignments[item.uid] = cluster.id
            if read is not None:
                report = telling.Report(item, read, copy, item.feed_id in official)
                updates.append(self._tell(cluster, report, now, history=item.uid in history))
        told = {update.item.uid for update in updates}
        return Grouping(tuple(updates), tuple(item for item in items if item.uid not in told), assignments)

    def commit(self, stories: Iterable[Story] = ()) -> None:
        """What was grouped is recorded. ``stories``: those that judging changed (what has been told of them)."""
        for story in stories:
            if story.id in self._stories:
                self._stories[story.id] = story
                if self._situations is not None:
                    self._situations.put(story)
        self._index.commit()
        self._before.clear()

    def rollback(self) -> None:
        """What was grouped since the last commit was not recorded: forget it."""
        self._index.rollback()
        for key, story in self._before.items():
            if story is None:
                del self._stories[key]
            else:
                self._stories[key] = story
        self._before.clear()
        self._bridges = self._situations = None

    def expire(self, now: datetime) -> tuple[str, ...]:
        """Close stories that fell quiet. Call it between batches, as often as wanted; returns the ids of the closed."""
        if now < self._next_look and self._index.items <= self._limits.items:
            return ()
        self._next_look = now + _LOOK_EVERY
        gone = self._index.evict((now - self._limits.window).timestamp(), self._limits.items)
        for key in gone:
            self._stories.pop(key, None)
        self._bridges = self._situations = None
        return gone

    def _assign(self, item: Item, read: Assessment | None, now: datetime) -> tuple[Cluster, bool]:
        shape = print_of(item, now, self._rarity)
        found = self._best(shape)
        if found is None and read is not None and read.countries:
            found = self._abroad(item, read, shape)
        copy = found is not None and _is_copy(shape, found)
        return self._index.add(found.id if found else story_id(item.uid), shape), copy

    def _abroad(self, item: Item, read: Assessment, shape: Print) -> Cluster | None:
        """The story that tells the same event in other languages."""
        numbers = set(shape.figures)
        near = {c.id: len(numbers.intersection(c.terms)) for c in self._index.near(shape, _CANDIDATES)}
        if self._bridges is None:
            self._bridges = Bridges(self._stories.values())
        key = self._bridges.find(item, read, near)
        return self._index.get(key) if key else None

    def _best(self, shape: Print) -> Cluster | None:
        """The cluster that the item most probably belongs to, where that is probable enough."""
        best: tuple[float, Cluster] | None = None
        oldest = shape.at - self._limits.window.total_seconds()
        for cluster in self._index.near(shape, _CANDIDATES):
            if cluster.last_at >= oldest:
                probability = self._scorer.probability(compare(shape, cluster))
                if best is None or probability > best[0]:
                    best = (probability, cluster)
        return best[1] if best is not None and best[0] >= self._scorer.threshold else None

    def _tell(self, cluster: Cluster, report: telling.Report, now: datetime, *, history: bool) -> StoryUpdate:
        before = self._stories.get(cluster.id)
        self._before.setdefault(cluster.id, before)
        if before is None:
            phases = self._inherited(report) if lifecycle.phase_of(report.item, report.assessment) else ()
            story = telling.opened(cluster.id, report, now, phases=phases)
        else:
            story = telling.advanced(before, report, now)
        spoken = dict.fromkeys((*languages(story), report.assessment.language))
        kept = {"origins": story.print.get("origins", ()), "languages": tuple(spoken)}
        story = replace(story, print={**packed(cluster), **kept})
        self._stories[cluster.id] = story
        if self._bridges is not None:
            self._bridges.put(story)
        echo = self._echo(story) if story.told is None else ""
        return StoryUpdate(story, before, report.item, report.assessment, report.copy, history, echo)

    def _echo(self, story: Story) -> str:
        if self._situations is None:
            self._situations = Situations(self._stories.values())
        return self._situations.echo(story)

    def _inherited(self, report: telling.Report) -> tuple[PhaseStep, ...]:
        """The ceasefire's life as other open stories of the same country know it, the latest one's."""
        countries = set(report.assessment.countries)
        lives = [
            story.phases
            for story in self._stories.values()
            if story.phases and countries & set(story.countries) and story.phases[-1].at <= report.item.published
        ]
        return max(lives, key=lambda steps: (steps[-1].at, steps[-1].item_uid), default=())


def _is_copy(shape: Print, cluster: Cluster) -> bool:
    """The same title as that of a text which the cluster holds, or nearly the same words with the same numbers."""
    if shape.title and shape.title in cluster.titles:
        return True
    return any(figures == shape.figures and alike(sketch, shape.sketch) >= _COPY for sketch, figures in cluster.texts)
