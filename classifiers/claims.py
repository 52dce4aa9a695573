"""Who says what, and how it is to be taken: claimed, denied, threatened, demanded, planned, accused, supposed, past.

A claim is one sentence with a word of the lexicon's [assertion] table. Its ``by`` is the subject of that word, its
``signal`` what the sentence's words speak for; a denial that names nothing of its own ("denied the accusations") is
one of what was claimed last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from classifiers.assessment import Claim, Text
from classifiers.lexicon import Match, load_lexicon
from classifiers.passage import Passage, read_passages

Mode = Literal["claimed", "denied", "threatened", "demanded", "planned", "hypothetical", "historical", "accused"]
MODES: tuple[Mode, ...] = get_args(Mode)
_LONGEST_NAME = 8
_MOST_CLAIMS = 40
_VERB_FIRST = frozenset({"ar"})
"""Languages in which the subject stands behind its verb."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with a word of assertion: tokens ``first`` to ``last`` (exclusive) of its passage."""

    mode: Mode
    by: str | None
    signal: str | None
    first: int
    last: int


def read_claims(text: Text, language: str) -> tuple[Claim, ...]:
    """All claims of ``text`` in order; none where the language has no lexicon."""
    lexicon = load_lexicon(language)
    if lexicon is None:
        return ()
    claims: list[Claim] = []
    for passage in read_passages(text, lexicon):
        tokens = passage.tokens
        for said in statements(passage):
            signal = said.signal or (_last_signal(claims) if said.mode == "denied" else None)
            start, end = tokens[said.first].start, tokens[said.last - 1].end
            claims.append(Claim(said.mode, signal, said.by, passage.field, start, end))
    return tuple(claims[:_MOST_CLAIMS])


def _last_signal(claims: Sequence[Claim]) -> str | None:
    """What a denial without a subject of its own denies: the last accusation, else the last claim."""
    recent = [claim for claim in reversed(claims) if claim.signal]
    accused = [claim for claim in recent if claim.mode == "accused"]
    return next((claim.signal for claim in [*accused, *recent]), None)


def claimants(passage: Passage) -> Mapping[int, str]:
    """By whose account each sentence is told, where it says so."""
    found: dict[int, str] = {}
    for said in statements(passage, signals=False):
        if said.by and said.mode in {"claimed", "accused"}:
            found.setdefault(passage.tokens[said.first].sentence, said.by)
    return found


def statements(passage: Passage, *, signals: bool = True) -> Iterator[Statement]:
    """The statements of one passage, one for each mode and sentence."""
    reader = _Reader(passage, signals=signals)
    seen: set[tuple[Mode, int]] = set()
    found = [(m.first, mode, m) for mode in MODES for m in passage.matches.get(mode, ())]
    found += [(m.first, "claimed", m) for m in passage.matches.get("source", ())]
    for _, mode, match in sorted(found, key=lambda entry: entry[0]):
        at = (mode, passage.tokens[match.first].sentence)
        if at not in seen and reader.is_meant(mode, match):
            seen.add(at)
            yield reader.statement(mode, match)


class _Reader:
    """Reads the statements of one passage."""

    def __init__(self, passage: Passage, *, signals: bool) -> None:
        self._p = passage
        self._signals = passage.lexicon.scan("signals", passage.tokens) if signals else ()
        self._sources = frozenset(m.first for m in passage.matches.get("source", ()))
        self._borders = _sentence_borders(passage)
        self._actors = _actors(passage)

    def is_meant(self, mode: Mode, match: Match) -> bool:
        """ "May" with a capital inside a sentence is a month."""
        first = self._borders[self._p.tokens[match.first].sentence][0]
        return mode != "hypothetical" or match.first == first or not self._p.text[match.start].isupper()

    def statement(self, mode: Mode, match: Match) -> Statement:
        first, last = self._borders[self._p.tokens[match.first].sentence]
        by = None if mode in {"hypothetical", "historical"} else self._by(match, first, last)
        return Statement(mode, by, self._signal(match, first, last), first, last)

    def _signal(self, match: Match, first: int, last: int) -> str | None:
        """What the words speak for: behind the word of assertion if anything, the longest phrase first."""
        inside = [m for m in self._signals if first <= m.first and m.last <= last]
        behind = [m for m in inside if m.first >= match.first]
        best = max(behind or inside, key=lambda m: (m.last - m.first, -m.first), default=None)
        return best.key if best else None

    # ------------------------------------------------------------------------------------------- who says it

    def _by(self, match: Match, first: int, last: int) -> str | None:
        after = self._name(match.last, last)
        before = self._name_before(match.first, first)
        inverted = match.first in self._sources or self._p.lexicon.language in _VERB_FIRST
        if inverted or self._p.clause_starts[match.first]:
            return after or before
        return before or (after if match.first - first <= 1 else None)

    def _name_before(self, verb: int, first: int) -> str | None:
        """The nearest part of the sentence before the verb that names somebody."""
        end = verb
        for start in range(verb - 1, first - 1, -1):
            if start == first or self._p.clause_starts[start]:
                name = self._name(start, end)
                if name:
                    return name
                end = start
        return None

    def _name(self, start: int, end: int) -> str | None:
        """The run of words from ``start`` on that names somebody; it must begin within three words."""
        at = next((i for i in range(start, min(start + 4, end)) if self._is_actor(i)), None)
        if at is None:
            return None
        last = at + 1
        while last < min(end, at + _LONGEST_NAME) and self._goes_on(last, end):
            last += 1
        begin = at if self._p.text[self._p.tokens[at].start].isupper() else self._with_adjective(start, at)
        return self._p.text[self._p.tokens[begin].start : self._p.tokens[last - 1].end]

    def _with_adjective(self, start: int, at: int) -> int:
        """Takes in one word before the actor ("defence ministry"), but no article or conjunction."""
        before = at - 1
        if before < start or self._p.clause_starts[at]:
            return at
        word = self._p.tokens[before].text
        small = word in self._p.lexicon.words("toll", "one") or self._p.marks[before] & {"and", "breaks", "also"}
        return at if small or len(word) <= 3 else before

    def _goes_on(self, at: int, end: int) -> bool:
        if self._p.clause_starts[at]:
            return False
        if self._is_actor(at) or self._p.gaps[at] in {"'", "’", "-", "."}:
            return True
        return at + 1 < end and self._is_actor(at + 1) and "breaks" not in self._p.marks[at]

    def _is_actor(self, at: int) -> bool:
        if at in self._actors:
            return True
        token = self._p.tokens[at]
        is_first = at == 0 or not self._p.same_sentence(at - 1, at)
        return token.kind == "word" and self._p.text[token.start].isupper() and not (is_first and self._is_small(at))

    def _is_small(self, at: int) -> bool:
        """Whether a word that begins a sentence is likely capitalised for that alone."""
        marks = self._p.marks[at]
        small = {"breaks", "also", "and", "hypothetical", "number", *MODES}
        return bool(marks & small) or self._p.tokens[at].text in self._p.lexicon.words("toll", "one")


def _actors(passage: Passage) -> frozenset[int]:
    """Tokens of words for those who speak: states, offices, armed groups; not "people" and "others"."""
    persons = [m for m in passage.matches.get("people", ()) if m.key not in {"people", "children"}]
    named = [*passage.matches.get("actors", ()), *passage.matches.get("country", ()), *persons]
    return frozenset(at for match in named for at in range(match.first, match.last))


def _sentence_borders(passage: Passage) -> Mapping[int, tuple[int, int]]:
    borders: dict[int, tuple[int, int]] = {}
    for at, token in enumerate(passage.tokens):
        first, _ = borders.get(token.sentence, (at, at))
        borders[token.sentence] = (first, at + 1)
    return borders
