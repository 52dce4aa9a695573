"""Finds the names of places, peoples, leaders and armed groups in a text, in any supported language.

Everything is looked up in two batches, so the cost is linear in the number of words.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from classifiers.assessment import Field
from classifiers.gazetteer import CAPITALS, FOREIGN, WORD, Entry, Gazetteer, Kind, fold, words_of
from classifiers.inflection import script_of, word_stems

MAX_WORDS = 600
"""Words of one field that are read: a place that matters is named in the first three thousand characters."""

INFLECTED = frozenset({"ru", "uk", "pl", "az", "hy", "ar", "he", "tr", "de"})
_SCRIPT_OF_LANGUAGE = {
    "ru": "cyrillic",
    "uk": "cyrillic",
    "ar": "arabic",
    "fa": "arabic",
    "he": "hebrew",
    "hy": "armenian",
}
_CASED = frozenset({"latin", "cyrillic", "armenian"})
_NAMES_IN_CAPITALS = frozenset({"en", "ru", "uk", "pl", "es", "fr", "pt", "tr", "az", "hy"})
"""Languages in which a capital letter within a sentence marks a name (in German it marks any noun)."""
_JOINT = re.compile(r"[ \u00a0]?[-'’‘ʼ\"״.‐–\u200c]?[ \u00a0]?|[ \u00a0]+")
_SENTENCE_END = re.compile(r"[.!?…。！？؟։:;|\n—]|\s[-–]\s")
_LARGE = 88
"""Weight of a city of 300,000: under it a name with a glued particle is more often another word."""
_LONGEST_HAN = 8
_LONGEST_NAME = 6
_MOST_ENDING = 5


_AFTER_TOWNS = frozenset(
    "city province region district governorate oblast state airport international prison port county village town"
    " police university hospital mosque bridge station base camp valley front dam embassy territory and".split()
)
_BEFORE_TOWNS = frozenset(
    "in at near of from the to around outside central north south east west northern southern eastern western greater"
    " downtown city town village port mount fort new old upper lower district province".split()
)


class Word(NamedTuple):
    """One word of a text: its folded form, where it stands and how it is written."""

    text: str
    start: int
    end: int
    capital: bool
    upper: bool
    joined: bool
    """Nothing but a blank, hyphen or apostrophe parts it from the word before."""
    sentence: int


@dataclass(frozen=True, slots=True)
class Mention:
    """A name found: words ``first`` to ``last`` (exclusive) of a field, and what it stands for."""

    field: Field
    first: int
    last: int
    start: int
    end: int
    entries: tuple[Entry, ...]
    exact: bool
    """Found as it stands, not through an ending or an abbreviated phrase."""


def words_in(text: str, limit: int = MAX_WORDS) -> list[Word]:
    """The words of a text with their sentences; Chinese runs are one word each."""
    words: list[Word] = []
    end = sentence = 0
    for match in WORD.finditer(text):
        raw, start = match.group(), match.start()
        gap = text[end:start]
        lone = bool(words) and end - words[-1].start == 1 and gap.startswith(".")
        ended = bool(words) and not lone and _SENTENCE_END.search(gap) is not None
        sentence += ended
        joined = bool(words) and not ended and len(gap) <= 3 and _JOINT.fullmatch(gap) is not None
        capital = raw[0].isupper()
        words.append(Word(fold(raw), start, match.end(), capital, capital and raw.isupper(), joined, sentence))
        end = match.end()
        if len(words) >= limit:
            break
    return words


Span = tuple[int, tuple[Entry, ...], bool]
"""Where a name ends (exclusive), what it may stand for, and whether it was found as it stands."""


class ExtraNames(NamedTuple):
    """Names from the ``[countries]`` of a language's lexicon: words, beginnings, and phrases cut to four letters."""

    words: dict[str, str]
    beginnings: dict[str, str]
    phrases: dict[str, str]
    firsts: frozenset[str]


@lru_cache(maxsize=32)
def extra_names(language: str) -> ExtraNames:
    """The lexicon's names of countries; empty where the language has none."""
    path = files("classifiers") / "lexicons" / f"{language}.toml"
    listed: dict[str, list[str]] = tomllib.loads(path.read_text("utf-8")).get("countries", {}) if path.is_file() else {}
    extra = ExtraNames({}, {}, {}, frozenset())
    for country, patterns in listed.items():
        for pattern in patterns:
            _sort_in(extra, country, pattern)
    return extra._replace(firsts=frozenset(phrase.split(" ", 1)[0] for phrase in extra.phrases))


def _sort_in(extra: ExtraNames, country: str, pattern: str) -> None:
    words = words_of(pattern.replace("*", "").replace("…", " "))
    if len(words) > 1:
        extra.phrases[" ".join(word[:4] for word in words)] = country
    elif words and pattern.endswith("*") and len(words[0]) > 2:
        extra.beginnings[words[0]] = country
    elif words:
        extra.words[words[0]] = country


class Finder:
    """Finds names in the fields of one text."""

    def __init__(self, names: Gazetteer, language: str) -> None:
        self._names = names
        self._language = language
        self._spaces = (language,) if language in _KNOWN else ("en",)
        self._script = _SCRIPT_OF_LANGUAGE.get(language, "latin")
        self._english = language == "en"
        self._quiet = True
        self._headline = False
        self._inflected = language in INFLECTED
        self._glued = language in ("ar", "he")
        self._cut = language in _KNOWN and language != "en"
        self._extra = extra_names(language) if self._cut else ExtraNames({}, {}, {}, frozenset())

    def mentions(self, field: Field, words: Sequence[Word]) -> list[Mention]:
        """The names in one field, in order, none overlapping another; the longest wins."""
        self._quiet = sum(word.upper for word in words) * 2 < len(words)
        self._headline = sum(word.capital for word in words) * 5 > len(words) * 3
        spans = self._spans(words)
        found: list[Mention] = []
        at = 0
        while at < len(words):
            if script_of(words[at].text) == "han":
                found += self._han(field, words, at)
                at += 1
                continue
            best = spans.get(at)
            if best is None:
                at += 1
                continue
            last, entries, exact = best
            if entries[0].kind is not Kind.DECOY and not self._part_of_a_name(words, spans, at, last, entries[0]):
                found.append(Mention(field, at, last, words[at].start, words[last - 1].end, entries, exact))
            at = last
        return found

    @staticmethod
    def _no_place(span: Span | None) -> bool:
        return span is None or span[1][0].kind is Kind.LEADER

    def _part_of_a_name(
        self, words: Sequence[Word], spans: Mapping[int, Span], first: int, last: int, entry: Entry
    ) -> bool:
        """Whether a town's name only stands within a person's or a firm's ("Houston Rockets", "Sam Austin")."""
        if entry.kind is not Kind.CITY or self._headline or self._language not in _NAMES_IN_CAPITALS:
            return False
        after = words[last] if last < len(words) else None
        if not self._english:
            return bool(after and after.joined and after.capital and self._no_place(spans.get(last)))
        if after and after.joined and after.capital and after.text not in _AFTER_TOWNS and len(after.text) > 1:
            return True
        before = words[first - 1] if first else None
        if before is None or not words[first].joined or not before.capital or before.text in _BEFORE_TOWNS:
            return False
        return first > 1 and words[first - 2].sentence == before.sentence

    def _spans(self, words: Sequence[Word]) -> dict[int, Span]:
        spans: dict[int, Span] = {}
        asked: list[tuple[int, int, bool, str]] = []
        singles = [(at, *query) for at, word in enumerate(words) for query in self._single(word)]
        for (at, first, query), values in zip(singles, self._names.find([q for *_, q in singles]), strict=True):
            if values and query[0] == "1":
                asked += self._windows(words, at, first, query, max(values))
            elif values and at not in spans:
                self._offer(spans, words, at, at + 1, values, exact=True)
            elif values:
                self._add_regions(spans, at, values)
        for at, word in enumerate(words):
            if at not in spans:
                asked += [(at, at + 1, False, query) for query in self._bent(word)]
        for (at, last, exact, _), values in zip(asked, self._names.find([q for *_, q in asked]), strict=True):
            if values and (at not in spans or last > spans[at][0]):
                self._offer(spans, words, at, last, values, exact=exact)
        if self._cut:
            self._add_extra(spans, words)
        return spans

    def _offer(
        self,
        spans: dict[int, Span],
        words: Sequence[Word],
        at: int,
        last: int,
        values: tuple[int, ...],
        *,
        exact: bool,
    ) -> None:
        upper = all(word.upper for word in words[at:last])
        english = self._english or (self._script != "latin" and words[at].text.isascii())
        entries = tuple(
            entry
            for entry in map(self._names.entry, values)
            if (upper or not entry.flags & CAPITALS)
            and not (english and entry.flags & FOREIGN)
            and not (upper and self._quiet and entry.kind is Kind.CITY)
            and (exact or not self._glued or entry.kind is not Kind.CITY or entry.weight >= _LARGE)
        )
        if entries:
            spans[at] = (last, entries, exact)

    def _add_regions(self, spans: dict[int, Span], at: int, values: tuple[int, ...]) -> None:
        """A country may share its name with another's region: Georgia."""
        last, entries, exact = spans[at]
        regions = tuple(entry for entry in map(self._names.entry, values) if entry.kind is Kind.REGION)
        if entries[0].kind is Kind.COUNTRY and {entry.country for entry in regions} - {entries[0].country}:
            spans[at] = (last, entries + regions, exact)

    def _single(self, word: Word) -> Iterator[tuple[str, str]]:
        """What to ask for one word: the form of it that a longer name would begin with, and the spaced name."""
        text = word.text
        cased = word.capital or script_of(text) not in _CASED
        if cased:
            for space in (*self._spaces, "c"):
                yield text, f"{space}:{text}"
                yield text, f"1:{space}:{text}"
        elif self._language != "en":
            yield text, f"{self._spaces[0]}:{text}"
        if not self._cut:
            return
        for form in word_stems(text, self._language) if self._glued else (text,):
            yield form, f"14:{self._language}:{form[:4]}"
            if self._script != "latin" and cased:
                yield form, f"14:{self._script}:{form[:4]}"

    def _windows(
        self, words: Sequence[Word], at: int, first: str, query: str, longest: int
    ) -> Iterator[tuple[int, int, bool, str]]:
        """The phrases of several words that begin at one, where it is known to begin a name."""
        space = query.split(":")[1]
        cut = query.startswith("14")
        end = at + 1
        while end < len(words) and end - at < min(longest, _LONGEST_NAME) and words[end].joined:
            end += 1
        for last in range(at + 2, end + 1):
            texts = [first, *[word.text for word in words[at + 1 : last]]]
            if cut:
                yield at, last, False, f"4:{space}:{' '.join([text[:4] for text in texts])}"
            elif self._language != "en" or words[last - 1].capital or texts[-1] in _AFTER_TOWNS:
                yield at, last, True, f"{space}:{' '.join(texts)}"

    def _bent(self, word: Word) -> Iterator[str]:
        text = word.text
        script = script_of(text)
        if not self._cut or script == "han" or len(text) < 3:
            return
        if self._inflected and (word.capital or script not in _CASED):
            for stem in word_stems(text, self._language):
                yield f"s:{self._language}:{stem}"
                yield f"s:{script}:{stem}"
                if self._language == "pl":
                    yield f"s:vowelless:{stem}"
        for length in range(len(text), max(2, len(text) - _MOST_ENDING - 1), -1):
            yield f"*{self._language}:{text[:length]}"
            if word.capital:
                yield f"*{script}:{text[:length]}"
        if self._glued:
            for stem in word_stems(text, self._language)[1:]:
                yield f"c:{stem}"
                yield f"{self._language}:{stem}"
                for length in range(len(stem), max(2, len(stem) - _MOST_ENDING - 1), -1):
                    yield f"*{self._language}:{stem[:length]}"

    def _add_extra(self, spans: dict[int, Span], words: Sequence[Word]) -> None:
        for at, word in enumerate(words):
            if at in spans:
                continue
            country = self._extra_country(word)
            if country:
                spans[at] = (at + 1, (_people(country),), False)
            if word.text[:4] in self._extra.firsts:
                for last in range(at + 2, min(at + 4, len(words)) + 1):
                    named = self._extra.phrases.get(" ".join(w.text[:4] for w in words[at:last]))
                    if named:
                        spans[at] = (last, (_people(named),), False)

    def _extra_country(self, word: Word) -> str | None:
        text = word.text
        forms = word_stems(text, self._language) if self._glued else [text]
        for form in forms:
            if form in self._extra.words and (
                word.capital or len(form) > _MOST_ENDING or script_of(form) not in _CASED
            ):
                return self._extra.words[form]
            for length in range(len(form), 2, -1):
                country = self._extra.beginnings.get(form[:length])
                if country:
                    return country
        return None

    def _han(self, field: Field, words: Sequence[Word], index: int) -> list[Mention]:
        word = words[index]
        text = word.text
        asked = [
            (at, length, f"{space}:{text[at : at + length]}")
            for at in range(len(text) - 1)
            for length in range(min(_LONGEST_HAN, len(text) - at), 1, -1)
            for space in ("zh", "c")
        ]
        best: dict[int, tuple[int, tuple[Entry, ...]]] = {}
        for (at, length, _), values in zip(asked, self._names.find([query for *_, query in asked]), strict=True):
            if values and at not in best:
                best[at] = (length, tuple(map(self._names.entry, values)))
        for at in range(len(text)):
            for length in range(min(_LONGEST_HAN, len(text) - at), 1, -1):
                country = self._extra.words.get(text[at : at + length])
                if country and (at not in best or best[at][0] < length):
                    best[at] = (length, (replace(_people(country), kind=Kind.COUNTRY),))
        return list(self._leftmost(field, index, word, best))

    @staticmethod
    def _leftmost(
        field: Field, index: int, word: Word, best: dict[int, tuple[int, tuple[Entry, ...]]]
    ) -> Iterator[Mention]:
        at = 0
        while at < len(word.text):
            if at in best:
                length, entries = best[at]
                start = word.start + at
                if entries[0].kind is not Kind.DECOY:
                    yield Mention(field, index, index + 1, start, start + length, entries, exact=True)
                at += length
            else:
                at += 1


_KNOWN = frozenset({"en", "ru", "uk", "ar", "es", "fr", "tr", "fa", "he", "hy", "az", "zh", "de", "pt", "pl"})


def _people(country: str) -> Entry:
    return Entry(-1, "", country, Kind.PEOPLE, None, None, 0, 0)


def find_mentions(words: dict[Field, list[Word]], language: str, names: Gazetteer) -> list[Mention]:
    """The names in title and summary; of a name's meanings the one that the rest of the text speaks for comes first."""
    finder = Finder(names, language)
    found = [m for field in ("title", "summary") if words[field] for m in finder.mentions(field, words[field])]
    return _settled(found)


def _settled(found: list[Mention]) -> list[Mention]:
    """Puts the likeliest meaning of each name first: one in a country that the other names of the text are in."""
    spoken: Counter[str] = Counter()
    own: dict[tuple[Entry, ...], Counter[str]] = {}
    for mention in found:
        countries = {entry.country for entry in mention.entries}
        votes = Counter({mention.entries[0].country: 2 if len(countries) == 1 else 1})
        spoken += votes
        own[mention.entries] = own.get(mention.entries, Counter()) + votes
    settled: list[Mention] = []
    for mention in found:
        if len(mention.entries) > 1 and mention.entries[0].kind not in (Kind.ROVING, Kind.PAIR):
            others = spoken - own[mention.entries]
            ranked = sorted(mention.entries, key=lambda entry: -others[entry.country])
            mention = replace(mention, entries=tuple(ranked))
        settled.append(mention)
    return settled
