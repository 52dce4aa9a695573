"""Amounts of people in a text, and the words of killing, wounding, capture or flight that each belongs to.

A *mention* is a number, a vague amount ("dozens"), an article with one person ("a soldier"), one person alone
("general, 5 officers killed") or, where a word of killing has none of these, that word itself ("Omar Said shot dead").
Each mention is tied to the triggers near it: words between cost a little, commas and other numbers more, another
trigger most. A mention sees 25 tokens to either side, so reading stays linear in the length of the text.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, NamedTuple

from classifiers.assessment import Field
from classifiers.lexicon import Match
from classifiers.numbers import Number
from classifiers.passage import ALL_MARKS, Passage
from classifiers.surroundings import Surroundings
from classifiers.tokens import Token

Kind = Literal["killed", "injured", "captured", "abducted", "displaced", "sent", "other"]
Form = Literal["digits", "words", "vague", "article", "noun", "bare"]
KINDS: tuple[Kind, ...] = ("killed", "injured", "captured", "abducted", "displaced", "other")
HARM: tuple[Kind, ...] = ("killed", "injured")
_TRIGGERS = frozenset(KINDS)
_PERSONS = frozenset({"people", "person"})
_FREE = (
    frozenset({"number", "people", "person", "and", "at_least", "up_to", "about", "more", "total", "rises"}) | _TRIGGERS
)
_WINDOW = 25
_SENT_REACH = 4
_OLDEST = 110


@dataclass(frozen=True, slots=True)
class Link:
    """How a mention reaches its nearest trigger of one kind, and what stands between."""

    cost: float
    after: bool
    """Whether the trigger stands behind the mention ("12 were killed")."""
    words: int
    commas: int
    ands: int
    numbers: int
    triggers: int
    breaks: int
    """Words that open another clause or phrase ("while", "after", "in")."""
    trigger: Match


@dataclass(frozen=True, slots=True)
class Mention:
    """One amount of people with all that its surroundings say of it."""

    number: Number
    field: Field
    form: Form
    links: Mapping[Kind, Link]
    kind: Kind | None
    """The kind whose trigger is cheapest to reach, ``None`` where none is in reach."""
    flags: frozenset[str]
    who: str | None
    """Canonical English word for the people counted ("soldiers"), from the lexicon."""
    party: str | None
    """ISO code of the nationality named with them."""

    def cost(self, kind: Kind) -> float:
        """The cost of the link to ``kind``; 40 where none is in reach."""
        link = self.links.get(kind)
        return link.cost if link else 40.0

    @property
    def is_single(self) -> bool:
        """Whether it counts one person without saying a number."""
        return self.form in {"article", "noun", "bare"}


def read_mentions(passage: Passage) -> tuple[Mention, ...]:
    """All mentions of one passage in order."""
    reader = _Reader(passage)
    mentions = [reader.mention(number, number.form) for number in passage.numbers]
    mentions += [reader.mention(number, "article") for number in reader.articles()]
    nouns = [reader.mention(number, "noun") for number in reader.nouns()]
    mentions += [m for m in nouns if min(m.cost(kind) for kind in HARM) <= 3]
    mentions += [reader.mention(number, "bare") for number in reader.bare(mentions)]
    return tuple(sorted(mentions, key=lambda m: (m.number.first, m.number.last)))


def counts_nobody(mention: Mention) -> bool:
    """Whether the number is surely no amount of people: a year, a date, an age, a distance, a unit, money."""
    number, flags = mention.number, mention.flags
    if number.best == 0 or flags & {"not_people_after", "outdated"}:
        return True
    if mention.form == "digits" and _is_age(mention):
        return True
    people = "people_after" in flags or mention.is_single
    if "not_before" in flags or number.doubt == "compound":
        return not people
    if number.doubt == "year":
        return not (people or flags & {"at_least", "about"})
    return number.doubt is not None


def _is_age(mention: Mention) -> bool:
    best = mention.number.best
    people = mention.flags & {"people", "people_after"}
    return "apposed" in mention.flags and not people and best is not None and best < _OLDEST


class _Trigger(NamedTuple):
    first: int
    last: int
    kind: Kind
    match: Match


class _Between:
    """Counts what stands between two tokens, in constant time."""

    def __init__(self, passage: Passage) -> None:
        tests: tuple[Callable[[frozenset[str]], bool], ...] = (
            lambda keys: keys.isdisjoint(_FREE),
            lambda keys: "and" in keys,
            lambda keys: "number" in keys,
            lambda keys: "people" not in keys and not keys.isdisjoint(_TRIGGERS),
            lambda keys: "breaks" in keys,
        )
        self._sums = [[0, *accumulate(map(test, passage.marks))] for test in tests]
        self._commas = [0, *accumulate(passage.clause_starts)]

    def count(self, begin: int, end: int) -> list[int]:
        """How many plain words, "and"s, numbers, triggers and breaks stand on tokens ``begin`` to ``end``."""
        return [sums[end] - sums[begin] if end > begin else 0 for sums in self._sums]

    def commas(self, begin: int, end: int) -> int:
        """How many commas and the like stand before tokens ``begin`` to ``end`` inclusive."""
        return self._commas[end + 1] - self._commas[begin] if end >= begin else 0


class _Reader:
    """Finds the mentions of one passage and ties them to its triggers."""

    def __init__(self, passage: Passage) -> None:
        self._p = passage
        self._articles = passage.lexicon.words("toll", "one")
        self._lone = passage.lexicon.words("toll", "lone")
        self._persons = passage.lexicon.words("toll", "person")
        self._plurals = passage.lexicon.words("toll", "plural")
        found = [_Trigger(m.first, m.last, kind, m) for kind in KINDS for m in passage.matches.get(kind, ())]
        self._triggers = sorted(found, key=lambda t: (t.first, t.last))
        self._starts = [trigger.first for trigger in self._triggers]
        self._between = _Between(passage)
        self._around = Surroundings(passage)

    # ------------------------------------------------------------------------------------------- what is counted

    def articles(self) -> list[Number]:
        """ "a soldier", "another man": an article and, within a few words, one person."""
        tokens, marks = self._p.tokens, self._p.marks
        return [
            _one(tokens, at, at + 1)
            for at, token in enumerate(tokens)
            if token.text in self._articles
            and "number" not in marks[at]
            and (self._person_after(at) or (token.text in self._lone and self._harm_after(at)))
        ]

    def _harm_after(self, at: int) -> bool:
        """Whether a word of harm follows at once ("another wounded", "another was hurt")."""
        near = range(at + 1, min(at + 4, len(self._p.tokens)))
        return any(self._p.marks[i] & set(HARM) and self._p.same_sentence(at, i) for i in near)

    def _person_after(self, at: int) -> bool:
        """Whether one person is named within five words of the article at ``at``."""
        tokens, marks = self._p.tokens, self._p.marks
        stops = {"number", "killed", "injured", "and", "one", "breaks"}
        for near in range(at + 1, min(at + 6, len(tokens))):
            if not self._p.same_sentence(at, near) or self._p.clause_starts[near]:
                return False
            if "people" in marks[near]:
                return not self._is_plural(tokens[self._run_of_people(near) - 1].text)
            if marks[near] & stops:
                return False
        return False

    def _run_of_people(self, at: int) -> int:
        """Token index behind the words for people that begin at ``at`` ("army" "officer")."""
        last = at + 1
        while last < len(self._p.tokens) and self._p.marks[last] & _PERSONS and not self._stops(last):
            last += 1
        return last

    def _stops(self, at: int) -> bool:
        return not ALL_MARKS.isdisjoint(self._p.gaps[at])

    def _is_plural(self, word: str) -> bool:
        # only English has articles that are no number words, hence the English plural
        return word.endswith("s") or word in self._plurals

    def nouns(self) -> list[Number]:
        """Single persons with neither number nor article: "leader, 10 bodyguards killed"."""
        tokens, marks = self._p.tokens, self._p.marks
        found = []
        at = 0
        while at < len(tokens):
            last = self._run_of_people(at) if marks[at] & _PERSONS else at + 1
            if marks[at] & _PERSONS and self._is_lone_person(at, last):
                found.append(_one(tokens, at, last))
            at = last
        return found

    def _is_lone_person(self, first: int, last: int) -> bool:
        if self._p.marks[last - 1] & _TRIGGERS or self._is_counted(first):
            return False
        word = self._p.tokens[last - 1].text
        if self._persons:
            return word in self._persons
        return bool(self._articles) and not self._is_plural(word)

    def _is_counted(self, at: int) -> bool:
        """Whether a number or an article stands before the person at ``at``."""
        for before in range(at - 1, max(-1, at - 6), -1):
            marks = self._p.marks[before]
            if self._stops(before + 1) or marks & {"breaks", "killed", "injured", "and"}:
                return False
            if "number" in marks or self._p.tokens[before].text in self._articles:
                return True
        return False

    def bare(self, mentions: Sequence[Mention]) -> list[Number]:
        """Words of killing or wounding that no amount is tied to."""
        taken = {
            at
            for mention in mentions
            for kind in HARM
            if _takes(mention, kind)
            for at in _span(mention.links[kind].trigger)
        }
        return [
            _one(self._p.tokens, match.first, match.last)
            for kind in HARM
            for match in self._p.matches.get(kind, ())
            if taken.isdisjoint(_span(match))
        ]

    # ------------------------------------------------------------------------------------------- ties

    def mention(self, number: Number, form: Form) -> Mention:
        links = self._links(number)
        who = self._around.who(number)
        return Mention(
            number=number,
            field=self._p.field,
            form=form,
            links=links,
            kind=_nearest(links) or self._sent(number),
            flags=frozenset(self._around.flags(number, people=who is not None)),
            who=who,
            party=self._around.party(number),
        )

    def _links(self, number: Number) -> dict[Kind, Link]:
        best: dict[Kind, Link] = {}
        low = bisect_left(self._starts, number.first - _WINDOW)
        for trigger in self._triggers[low:]:
            if trigger.first > number.last + _WINDOW:
                break
            if self._p.tokens[trigger.first].sentence != number.sentence:
                continue
            link = self._link(number, trigger)
            if trigger.kind not in best or link.cost < best[trigger.kind].cost:
                best[trigger.kind] = link
        return best

    def _link(self, number: Number, trigger: _Trigger) -> Link:
        after = trigger.first >= number.last
        begin, end = (number.last, trigger.first) if after else (trigger.last, number.first)
        words, ands, numbers, triggers, breaks = self._between.count(begin, end)
        commas = self._between.commas(begin, end)
        ands += not after and "and" in self._p.marks[number.first]
        if not after and self._rises_to(number):
            words = commas = ands = numbers = 0
        alone = numbers - min(numbers, ands + commas)
        cost = 0.5 * words + 1.5 * max(0, commas - numbers) + ands + 3 * alone + 3 * triggers
        return Link(cost, after, words, commas, ands, numbers, triggers, breaks, trigger.match)

    def _rises_to(self, number: Number) -> bool:
        """ "The toll of the blast … rose to 54": however far the toll, it is this number.

        In languages whose verb comes last the word of rising stands behind the number.
        """
        marks = self._p.marks
        at = number.first - 1
        while at >= 0 and marks[at] & {"at_least", "about", "up_to"} and "rises" not in marks[at]:
            at -= 1
        if at >= 0 and "range" in marks[at] and any("grows" in keys for keys in marks[max(0, at - 6) : at]):
            return True
        behind = marks[number.last : number.last + 2]
        return (at >= 0 and "rises" in marks[at]) or any("rises" in keys for keys in behind)

    def _sent(self, number: Number) -> Kind | None:
        """ "sent" for people moved to a war ("sent some 300 fighters")."""
        for at in range(max(0, number.first - _SENT_REACH), min(number.last + _SENT_REACH, len(self._p.tokens))):
            if "sent" in self._p.marks[at] and self._p.tokens[at].sentence == number.sentence:
                return "sent"
        return None


def _nearest(links: Mapping[Kind, Link]) -> Kind | None:
    costs: list[tuple[float, Kind]] = [(link.cost, kind) for kind, link in links.items()]
    return min(costs, key=lambda entry: entry[0])[1] if costs else None


def _takes(mention: Mention, kind: Kind) -> bool:
    """Whether a trigger of ``kind`` has its amount in ``mention`` and needs no bare mention of its own."""
    if mention.form in {"article", "noun"}:
        return mention.cost(kind) <= 1.5
    return mention.kind == kind and mention.cost(kind) < 3 and not counts_nobody(mention)


def _span(match: Match) -> range:
    return range(match.first, match.last)


def _one(tokens: Sequence[Token], first: int, last: int) -> Number:
    token = tokens[first]
    return Number(1, None, None, None, first, last, token.start, tokens[last - 1].end, token.sentence, "words")
