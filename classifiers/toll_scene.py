"""The mentions that may make up a toll, sorted by what kind of evidence each is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import combinations, pairwise

from classifiers.mentions import Kind, Mention, counts_nobody, read_mentions
from classifiers.passage import Passage

MOST_MENTIONS = 7
MOST_PARTS = 4
FARTHEST_PART = 2
"""Sentences from one part of a toll to the next."""
SUBSET = frozenset({"including", "including_near"})
"""Flags of a mention that counts people already counted ("12, including three children")."""
_FARTHEST = 20.0
_EARLIER = frozenset({"earlier_before0", "earlier_before1", "earlier_after", "year_before"})


class Scene:
    """All mentions of an item that may enter the toll of one kind of harm."""

    def __init__(self, passages: Sequence[Passage], kind: Kind, mentions: Sequence[Mention]) -> None:
        self.passages = {passage.field: passage for passage in passages}
        self.kind = kind
        self.other: Kind = "injured" if kind == "killed" else "killed"
        self.all = mentions
        self.mentions = self._eligible()

    def _eligible(self) -> list[Mention]:
        fit = [m for m in self.all if m.number.best is not None and not counts_nobody(m) and self._in_reach(m)]
        if len(fit) > MOST_MENTIONS:
            nearest = sorted(fit, key=lambda m: m.cost(self.kind) + 2 * m.is_single)[:MOST_MENTIONS]
            fit = [m for m in fit if any(m is n for n in nearest)]
        return fit

    def _in_reach(self, mention: Mention) -> bool:
        cost = mention.cost(self.kind)
        limit = {"bare": 0.0, "noun": 3.0, "article": 5.0}.get(mention.form)
        return cost <= (limit if limit is not None else _FARTHEST)

    @cached_property
    def near(self) -> list[Mention]:
        """The mentions that are about this kind rather than another."""
        return [m for m in self.mentions if m.kind == self.kind or m.cost(self.kind) <= 1]

    @cached_property
    def strengths(self) -> list[int]:
        """0 (no) to 3 (surely): how plainly each mention counts people of this kind."""
        return [self._strength(m) for m in self.mentions]

    def _strength(self, mention: Mention) -> int:
        link = mention.links.get(self.kind)
        if not link or mention.kind != self.kind or mention.flags & SUBSET:
            return 0
        voice = self.voice(mention)
        if voice == "active" and link.after:
            return 0
        if voice == "passive" and not link.after and link.commas + link.breaks:
            return 1
        return 3 if link.cost <= 1 else 2 if link.cost <= 3 else 1

    @cached_property
    def sorts(self) -> list[str]:
        """One word for each mention: what kind of evidence it is."""
        return [self._sort_of(at) for at in range(len(self.mentions))]

    def _sort_of(self, at: int) -> str:
        mention = self.mentions[at]
        size = "one" if mention.is_single else "number"
        if self._is_past(mention):
            return f"past {size}"
        if mention.flags & SUBSET or "among_after" in mention.flags:
            return f"subset {size}"
        link = mention.links.get(self.kind)
        if link and link.after and self.voice(mention) == "active":
            return f"self {size}" if "self_after" in mention.flags else f"agent {size}"
        return f"{('far', 'weak', 'plain', 'plain')[self.strengths[at]]} {size}"

    def _is_past(self, mention: Mention) -> bool:
        """Whether it likely counts the dead of another, earlier event."""
        if mention.flags & {"earlier_before0", "year_before", "after_before"}:
            return True
        return self.is_relative(mention) and (bool(mention.flags & _EARLIER) or self._has_main_clause(mention))

    def _has_main_clause(self, mention: Mention) -> bool:
        """Whether the dead of another clause than the relative one are told of as plainly."""
        return any(
            other is not mention and self.strengths[at] >= 2 and not self.is_relative(other)
            for at, other in enumerate(self.mentions)
        )

    def is_relative(self, mention: Mention) -> bool:
        """Whether its trigger stands in a relative clause ("the attack that killed 13")."""
        link = mention.links.get(self.kind)
        if not link:
            return False
        return "relative" in self.passages[mention.field].keys_between(link.trigger.first, link.trigger.last)

    def voice(self, mention: Mention) -> str:
        """Whether the trigger's people stand behind it ("kills"), before it ("died") or it cannot be told."""
        link = mention.links.get(self.kind)
        if not link:
            return "-"
        keys = self.passages[mention.field].keys_between(link.trigger.first, link.trigger.last)
        if "active" in keys and "passive" in keys:
            return "both"
        return "active" if "active" in keys else "passive" if "passive" in keys else "?"

    def sums(self) -> Iterator[tuple[int, ...]]:
        """All sets of one to four mentions that may be added up: parts of one toll stand close together."""
        for size in range(1, min(len(self.mentions), MOST_PARTS) + 1):
            for members in combinations(range(len(self.mentions)), size):
                if all(self._are_close(self.mentions[i], self.mentions[j]) for i, j in pairwise(members)):
                    yield members

    def _are_close(self, one: Mention, two: Mention) -> bool:
        return one.field != two.field or two.number.sentence - one.number.sentence <= FARTHEST_PART

    def value_of(self, members: Sequence[int]) -> int | None:
        """The number that the mentions ``members`` add up to; ``None`` for none."""
        return sum(self.mentions[at].number.best or 0 for at in members) if members else None


def mentions_of(passages: Sequence[Passage]) -> list[Mention]:
    """The mentions of all passages, in order."""
    return [mention for passage in passages for mention in read_mentions(passage)]
