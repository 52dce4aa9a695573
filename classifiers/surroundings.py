"""What the words around a number say of it: how sure it is, whom it counts, and whether it is of another event."""

from __future__ import annotations

from classifiers.lexicon import Match
from classifiers.numbers import Number
from classifiers.passage import ALL_MARKS, Passage

_WINDOW = 25
_HARM = frozenset({"killed", "injured", "captured", "abducted", "displaced"})


class Surroundings:
    """Flags, people and nationality of the numbers of one passage."""

    def __init__(self, passage: Passage) -> None:
        self._p = passage

    def flags(self, number: Number, *, people: bool) -> list[str]:
        """Keys of the lexicon that stand next to the number, before, behind or near it, and signs of another time.

        ``people``: whether a word for people follows, see :meth:`who`.
        """
        flags = [*self._flags_before(number), *self._flags_after(number), *self._flags_of_time(number)]
        if people:
            flags.append("people")
        if any(mark in self._p.gaps[number.first] for mark in ",(") and any(
            mark in self._p.gaps[number.last] for mark in ",)"
        ):
            flags.append("apposed")
        return flags

    def _flags_before(self, number: Number) -> list[str]:
        if number.first == 0:
            return []
        previous = self._p.marks[number.first - 1]
        direct = ("at_least", "up_to", "about", "more", "rises", "including", "between")
        flags = [key for key in direct if key in previous]
        if "not_before" in previous and ALL_MARKS.isdisjoint(self._p.gaps[number.first]):
            flags.append("not_before")
        if "people" in previous:
            flags.append("people_before")
        start = self._start_of_amount(number)
        if "after" in self._p.marks[start] and (start == 0 or not self._p.same_sentence(start - 1, start)):
            flags.append("after_before")
        if "from" in previous and any(
            "grows" in keys for keys in self._p.marks[max(0, number.first - 10) : number.first]
        ):
            flags.append("outdated")
        low = max(0, number.first - 5)
        near = [self._p.marks[at] for at in range(low, number.first) if self._p.tokens[at].sentence == number.sentence]
        seen = frozenset().union(*near)
        return flags + [f"{key}_near" for key in ("including", "more", "total", "rises") if key in seen]

    def _start_of_amount(self, number: Number) -> int:
        """Token index before the number and its "at least"."""
        at = number.first - 1
        while at > 0 and self._p.marks[at] & {"at_least", "about", "up_to", "more"}:
            at -= 1
        return at

    def _flags_after(self, number: Number) -> list[str]:
        marks = self._p.marks
        for at in range(number.last, min(number.last + 3, len(marks))):
            if self._p.tokens[at].sentence != number.sentence or self._p.clause_starts[at]:
                break
            keys = marks[at]
            if keys & _HARM and "people" not in keys:
                break
            if keys & {"people", "more"}:
                return [f"{key}_after" for key in ("people", "more") if key in keys]
            if "not_people" in keys:
                return ["not_people_after" if at == number.last else "not_people_after_far"]
        return []

    def _flags_of_time(self, number: Number) -> list[str]:
        """Signs that it counts the dead of another, earlier event."""
        flags = []
        before = self._here("earlier", number, number.first - 2 * _WINDOW, number.first)
        if before:
            apart = any(self._p.clause_starts[before[0].last : number.first + 1])
            flags.append("earlier_before1" if apart else "earlier_before0")
        if self._here("earlier", number, number.last, number.last + _WINDOW // 2):
            flags.append("earlier_after")
        if any("year" in self._p.marks[at] for at in range(max(0, number.first - 8), number.first)):
            flags.append("year_before")
        if self._here("cumulative", number, number.first - 2 * _WINDOW, number.last + 2 * _WINDOW):
            flags.append("cumulative")
        if self._here("among", number, number.first - 4, number.first):
            flags.append("among_before")
        if self._here("among", number, number.last, number.last + 8):
            flags.append("among_after")
        if self._here("self", number, number.last, number.last + _WINDOW // 2):
            flags.append("self_after")
        return flags

    def _here(self, key: str, number: Number, low: int, high: int) -> list[Match]:
        found = self._p.near(key, low, high)
        return [match for match in found if self._p.tokens[match.first].sentence == number.sentence]

    def who(self, number: Number) -> str | None:
        """The canonical English word for the people counted ("soldiers"), named within six words behind."""
        for at in range(number.last, min(number.last + 6, len(self._p.tokens))):
            marks = self._p.marks[at]
            if self._p.tokens[at].sentence != number.sentence or "number" in marks or self._p.clause_starts[at]:
                return None
            if "people" in marks:
                return next(m.key for m in self._p.near("people", at - 8, at + 1) if m.last > at)
        return None

    def party(self, number: Number) -> str | None:
        """ISO code of the nationality named within four words behind."""
        return next((m.key for m in self._p.near("country", number.last, number.last + 4)), None)
