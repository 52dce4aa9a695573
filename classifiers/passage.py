"""A title or a summary, tokenised once and looked up once in the lexicon: what tolls and claims are read from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from classifiers.assessment import Field, Text
from classifiers.lexicon import Lexicon, Match
from classifiers.numbers import Number, read_numbers
from classifiers.tokens import Token, tokenise

CLAUSE_MARKS = frozenset(",;:()—–|")
LONGEST = 20_000
"""Characters of a field that are read: some 3,000 words, in which any news item has said how many died."""
ALL_MARKS = CLAUSE_MARKS | frozenset(".!?")
_HARM = frozenset({"toll.killed", "toll.injured"})
_ONE_KEY = {"people": "people", "countries": "country"}
"""Sections whose keys are all marked alike; the match itself keeps its own key ("soldiers", "AZ")."""


@dataclass(frozen=True)
class Passage:
    """One field of an item. Token indices are those of ``tokens``; offsets are characters of ``text``."""

    field: Field
    text: str
    lexicon: Lexicon
    tokens: Sequence[Token]
    numbers: Sequence[Number]
    matches: Mapping[str, Sequence[Match]]
    """Matches of [toll] and [assertion] by key, of [people] under "people", of [countries] under "country"."""
    marks: Sequence[frozenset[str]]
    """For each token the keys whose matches cover it, "number" where a number does or its doubt ("year")."""

    @cached_property
    def gaps(self) -> Sequence[str]:
        """What stands in front of each token, and behind the last one: one string more than tokens."""
        ends = [0, *(token.end for token in self.tokens)]
        starts = [*(token.start for token in self.tokens), len(self.text)]
        return [self.text[end : min(start, end + 12)] for end, start in zip(ends, starts, strict=True)]

    @cached_property
    def clause_starts(self) -> Sequence[bool]:
        """For each token, and the end of the text, whether a comma, colon, dash or bracket stands before it."""
        return [not CLAUSE_MARKS.isdisjoint(gap) for gap in self.gaps]

    @cached_property
    def sentence_keys(self) -> Mapping[int, frozenset[str]]:
        """The keys found in each sentence."""
        found: dict[int, set[str]] = {}
        for token, marks in zip(self.tokens, self.marks, strict=True):
            found.setdefault(token.sentence, set()).update(marks)
        return {sentence: frozenset(keys) for sentence, keys in found.items()}

    @cached_property
    def _starts(self) -> Mapping[str, Sequence[int]]:
        return {key: [match.first for match in found] for key, found in self.matches.items()}

    def near(self, key: str, low: int, high: int) -> Sequence[Match]:
        """The matches of ``key`` that begin at tokens ``low`` to ``high`` (exclusive)."""
        starts = self._starts.get(key, ())
        return self.matches.get(key, ())[bisect_left(starts, low) : bisect_left(starts, high)]

    def keys_of(self, sentence: int) -> frozenset[str]:
        """The keys found in one sentence."""
        return self.sentence_keys.get(sentence, frozenset())

    def keys_between(self, first: int, last: int) -> frozenset[str]:
        """The keys found on tokens ``first`` to ``last`` (exclusive)."""
        return frozenset().union(*self.marks[first:last])

    def same_sentence(self, first: int, second: int) -> bool:
        """Whether two tokens stand in one sentence."""
        return self.tokens[first].sentence == self.tokens[second].sentence


def read_passages(text: Text, lexicon: Lexicon) -> tuple[Passage, ...]:
    """The title and, where there is one, the summary, each as far as :data:`LONGEST`."""
    fields: Iterable[tuple[Field, str]] = (("title", text.title[:LONGEST]), ("summary", text.summary[:LONGEST]))
    return tuple(read_passage(name, value, lexicon) for name, value in fields if value)


def read_passage(name: Field, text: str, lexicon: Lexicon) -> Passage:
    """Tokenises ``text`` and looks all its words up, once."""
    tokens = tokenise(text)
    matches: dict[str, list[Match]] = {}
    marks: list[set[str]] = [set() for _ in tokens]
    found = lexicon.scan_all(tokens)
    spared = {at for match in found if match.key == "toll.nobody" for at in range(match.first, match.last)}
    longer = {at: m.key for m in found if m.key in _HARM for at in range(m.first, m.last) if m.last - m.first > 1}
    for match in found:
        alone = match.last - match.first == 1 and longer.get(match.first, match.key) != match.key
        if match.key in _HARM and (match.first in spared or alone):
            continue
        section, _, own = match.key.partition(".")
        key = _ONE_KEY.get(section, own)
        matches.setdefault(key, []).append(match._replace(key=own))
        for at in range(match.first, match.last):
            marks[at].add(key)
    read = read_numbers(text, tokens, lexicon)
    numbers = [_after_growth(n, tokens, marks) for n in read if not _inside_a_phrase(n, marks)]
    for number in numbers:
        for at in range(number.first, number.last):
            marks[at].add(number.doubt or "number")
    for number in numbers:
        if tokens[number.first].text.startswith(_glued_and(lexicon)):
            marks[number.first].add("and")
    return Passage(name, text, lexicon, tokens, numbers, matches, [frozenset(m) for m in marks])


def _glued_and(lexicon: Lexicon) -> tuple[str, ...]:
    """The particles for "and" that a language glues to the next word (Arabic "و", Hebrew "ו")."""
    return tuple(prefix for prefix in lexicon.prefixes if prefix in lexicon.words("toll", "and"))


def _after_growth(number: Number, tokens: Sequence[Token], marks: Sequence[set[str]]) -> Number:
    """ "rose from 12 to 54" is no range but 54."""
    before = marks[max(0, number.first - 6) : number.first]
    if number.high is None or not any("grows" in keys for keys in before):
        return number
    last = number.last - 1
    return replace(number, best=number.high, low=None, high=None, first=last, start=tokens[last].start)


def _inside_a_phrase(number: Number, marks: Sequence[set[str]]) -> bool:
    """Whether a vague word is part of "as many as" and the like."""
    if number.form != "vague":
        return False
    return any(marks[at] & {"at_least", "up_to"} for at in range(number.first, number.last))
