"""What the code knows of a language by hand: one TOML file a language, and the matcher of its patterns.

The format is described in ``LEXICONS.md``. Patterns are plain words, ``*`` for any ending and ``…`` for a
short gap; matching looks at each token once in a table keyed by the pattern's first word, so it stays linear.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple, TypeGuard

from classifiers.tokens import Token, fold, tokenise, variants

SCRIPTS = frozenset({"latin", "cyrillic", "arabic", "hebrew", "armenian", "han"})
PATTERN_SECTIONS = ("toll", "people", "assertion", "signals", "countries")
_SECTIONS = frozenset({"numbers", "vague", *PATTERN_SECTIONS})
_GAP = "…"
_GAP_WORDS = 4
_GAP_HAN = 12
_MOST_GAPS = 3
_LONGEST_STEM = 32
_MOST_KNOWN = 20_000


class LexiconError(ValueError):
    """A lexicon file that cannot be used; the message names the file, the line where known, and the key."""


class Match(NamedTuple):
    """Where a pattern stands: tokens ``first`` to ``last`` (exclusive), characters ``start`` to ``end``."""

    key: str
    first: int
    last: int
    start: int
    end: int


class _Element(NamedTuple):
    """One word of a pattern; ``stem``: any ending will do; ``gap``: a short gap may stand before it."""

    word: str
    stem: bool = False
    gap: bool = False


_Pattern = tuple[_Element, ...]
_Keyed = tuple[str, _Pattern]


class Matcher:
    """Finds many patterns in one pass over the tokens."""

    def __init__(self, patterns: Iterable[_Keyed], gap_width: int, prefixes: tuple[str, ...] = ()) -> None:
        self._exact: dict[str, list[_Keyed]] = {}
        self._stems: dict[str, list[_Keyed]] = {}
        self._gap_width = gap_width
        self._prefixes = prefixes
        for key, pattern in patterns:
            table = self._stems if pattern[0].stem else self._exact
            table.setdefault(pattern[0].word, []).append((key, pattern))
        self._stem_lengths = tuple(sorted({len(stem) for stem in self._stems}))
        self._known: dict[str, list[_Keyed]] = {}

    def find(self, tokens: Sequence[Token]) -> tuple[Match, ...]:
        """All matches, by first token; of one key at one place only the longest."""
        found: list[Match] = []
        for first, token in enumerate(tokens):
            candidates = self._candidates(token.text)
            if candidates:
                found += self._longest(candidates, tokens, first)
        return tuple(found)

    def _longest(self, candidates: Sequence[_Keyed], tokens: Sequence[Token], first: int) -> list[Match]:
        longest: dict[str, int] = {}
        for key, pattern in candidates:
            last = self._end_of(pattern, tokens, first) if len(pattern) > 1 else first + 1
            if last > longest.get(key, first):
                longest[key] = last
        start = tokens[first].start
        return [Match(key, first, last, start, tokens[last - 1].end) for key, last in longest.items()]

    def _candidates(self, text: str) -> list[_Keyed]:
        """What may start with a word; remembered (bounded, for speed only), since news repeats its words."""
        known = self._known.get(text)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[text] = self._starting_with(text)
        return known

    def _starting_with(self, text: str) -> list[_Keyed]:
        candidates: list[_Keyed] = []
        for word in variants(text, self._prefixes) if self._prefixes else (text,):
            candidates += self._exact.get(word, ())
            size = len(word)
            for length in self._stem_lengths:
                if length > size:
                    break
                candidates += self._stems.get(word[:length], ())
        return candidates

    def _end_of(self, pattern: _Pattern, tokens: Sequence[Token], first: int) -> int:
        """Token index behind the match of ``pattern`` from ``first`` on; ``first`` where there is none."""
        sentence = tokens[first].sentence
        ends = {first + 1}
        for element in pattern[1:]:
            reach = self._gap_width if element.gap else 0
            ends = {
                at + 1
                for end in ends
                for at in range(end, min(end + reach + 1, len(tokens)))
                if tokens[at].sentence == sentence and self._fits(element, tokens[at].text)
            }
            if not ends:
                return first
        return min(ends)

    def _fits(self, element: _Element, text: str) -> bool:
        if not self._prefixes:
            return text.startswith(element.word) if element.stem else text == element.word
        words = variants(text, self._prefixes)
        return any(w.startswith(element.word) if element.stem else w == element.word for w in words)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """One language: its number words, vague amounts and patterns by section and key."""

    language: str
    name: str
    script: str
    numbers: Mapping[tuple[str, ...], float]
    """Folded words of a number word ("quatre", "vingts") and its value."""
    vague: Mapping[tuple[str, ...], str]
    """Folded words of a vague amount and the English word reported for it."""
    prefixes: tuple[str, ...]
    """Particles that may be glued to the front of a word ("and", "the" in Arabic and Hebrew), folded."""
    _keys: Mapping[str, tuple[str, ...]]
    _by_section: Mapping[str, Matcher]
    _by_key: Mapping[tuple[str, str], Matcher]
    _words: Mapping[tuple[str, str], frozenset[str]]
    _all: Matcher
    number_heads: frozenset[str]
    """First words of all number words and vague amounts: no number begins with any other word."""
    longest_number: int
    """How many words the longest number word or vague amount has."""

    def keys(self, section: str) -> tuple[str, ...]:
        """The keys of ``section`` in the order of the file; empty where the file has no such section."""
        return self._keys.get(section, ())

    def words(self, section: str, key: str) -> frozenset[str]:
        """The patterns of one key that are one plain word each, folded."""
        return self._words.get((section, key), frozenset())

    def find(self, section: str, key: str, tokens: Sequence[Token]) -> tuple[Match, ...]:
        """Where the patterns of one key stand in ``tokens``; empty where the lexicon lacks the key."""
        matcher = self._by_key.get((section, key))
        return matcher.find(tokens) if matcher else ()

    def scan_all(self, tokens: Sequence[Token]) -> tuple[Match, ...]:
        """Where the patterns of all sections but [signals] stand, in one pass; keys read "section.key"."""
        return self._all.find(tokens)

    def scan(self, section: str, tokens: Sequence[Token]) -> tuple[Match, ...]:
        """Where the patterns of all keys of ``section`` stand, in one pass."""
        matcher = self._by_section.get(section)
        return matcher.find(tokens) if matcher else ()


def languages() -> tuple[str, ...]:
    """ISO 639-1 codes of the languages that have a lexicon, sorted."""
    folder = files("classifiers") / "lexicons"
    return tuple(sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")))


@cache
def load_lexicon(language: str) -> Lexicon | None:
    """The lexicon for a BCP 47 tag ("pt-BR" reads pt.toml), or ``None`` where the language has none.

    Raises :class:`LexiconError` where the file is malformed.
    """
    code = re.split(r"[-_]", language.lower(), maxsplit=1)[0]
    if code not in languages():
        return None
    path = files("classifiers") / "lexicons" / f"{code}.toml"
    return parse_lexicon(path.read_text(encoding="utf-8"), f"lexicons/{code}.toml", code)


def parse_lexicon(source: str, origin: str, language: str) -> Lexicon:
    """Reads the TOML text of a lexicon. ``origin`` names the file in errors."""
    try:
        data: dict[str, object] = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(f"{origin}: not valid TOML: {error}") from error
    reader = _Reader(source, origin)
    script = reader.header(data, language)
    reader.check_sections(data)
    patterns = {
        (section, key): [reader.pattern(section, key, p) for p in reader.strings(section, key, value)]
        for section in PATTERN_SECTIONS
        for key, value in reader.table(data, section).items()
    }
    width = _GAP_HAN if script == "han" else _GAP_WORDS
    prefixes = reader.prefixes(data)
    numbers, vague = reader.numbers(data), reader.vague(data)
    spoken = [(f"{s}.{k}", p) for (s, k), ps in patterns.items() if s != "signals" for p in ps]
    return Lexicon(
        language=language,
        name=str(data["name"]),
        script=script,
        numbers=MappingProxyType(numbers),
        vague=MappingProxyType(vague),
        number_heads=frozenset(words[0] for words in [*numbers, *vague]),
        longest_number=max(map(len, [*numbers, *vague]), default=0),
        _all=Matcher(spoken, width, prefixes),
        prefixes=prefixes,
        _keys={section: tuple(reader.table(data, section)) for section in PATTERN_SECTIONS},
        _by_section={
            section: Matcher([(k, p) for (s, k), ps in patterns.items() if s == section for p in ps], width, prefixes)
            for section in PATTERN_SECTIONS
        },
        _by_key={at: Matcher([(at[1], p) for p in ps], width, prefixes) for at, ps in patterns.items()},
        _words={at: frozenset(p[0].word for p in ps if len(p) == 1 and not p[0].stem) for at, ps in patterns.items()},
    )


def _is_strings(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) for v in value)


class _Reader:
    """Checks the parts of one file and names the line of whatever is wrong."""

    def __init__(self, source: str, origin: str) -> None:
        self._lines = source.splitlines()
        self._origin = origin

    def error(self, what: str, section: str = "", key: str = "") -> LexiconError:
        where = f"{self._origin}:{self._line_of(section, key)}"
        path = f"[{section}] {key}".strip() if section else key
        return LexiconError(f"{where}: {path}: {what}")

    def _line_of(self, section: str, key: str) -> int:
        inside = not section
        for number, line in enumerate(self._lines, 1):
            stripped = line.strip()
            if stripped.startswith("["):
                inside = stripped.split("]")[0].strip("[ ") == section
                if inside and not key:
                    return number
            elif inside and key and stripped.split("=")[0].strip().strip("\"'") == key:
                return number
        return 1

    def header(self, data: Mapping[str, object], language: str) -> str:
        if data.get("language") != language:
            raise self.error(f'must be "{language}" like the file\'s name', key="language")
        if not isinstance(data.get("name"), str) or not data["name"]:
            raise self.error("must be the language's English name", key="name")
        script = data.get("script")
        if not isinstance(script, str) or script not in SCRIPTS:
            raise self.error(f"must be one of {', '.join(sorted(SCRIPTS))}", key="script")
        return script

    def check_sections(self, data: Mapping[str, object]) -> None:
        for name in data:
            if name not in _SECTIONS | {"language", "name", "script", "prefixes"}:
                raise self.error(f"unknown; sections are {', '.join(sorted(_SECTIONS))}", section=name)

    def table(self, data: Mapping[str, object], section: str) -> dict[str, object]:
        value = data.get(section, {})
        if not isinstance(value, dict):
            raise self.error("must be a table", section=section)
        return value

    def strings(self, section: str, key: str, value: object) -> list[str]:
        if not _is_strings(value):
            raise self.error("must be a list of patterns in quotes, with one at least", section, key)
        return value

    def prefixes(self, data: Mapping[str, object]) -> tuple[str, ...]:
        if "prefixes" not in data:
            return ()
        return tuple(fold(prefix) for prefix in self.strings("", "prefixes", data["prefixes"]))

    def numbers(self, data: Mapping[str, object]) -> dict[tuple[str, ...], float]:
        read: dict[tuple[str, ...], float] = {}
        for word, value in self.table(data, "numbers").items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
                raise self.error("must be a number that is not negative", "numbers", word)
            read[self.words("numbers", word, word)] = value
        return read

    def vague(self, data: Mapping[str, object]) -> dict[tuple[str, ...], str]:
        read: dict[tuple[str, ...], str] = {}
        for word, value in self.table(data, "vague").items():
            if not isinstance(value, str) or not value:
                raise self.error("must be the English word in quotes", "vague", word)
            read[self.words("vague", word, word)] = value
        return read

    def words(self, section: str, key: str, text: str) -> tuple[str, ...]:
        words = tuple(token.text for token in tokenise(text))
        if not words:
            raise self.error(f"{text!r} holds no word", section, key)
        return words

    def pattern(self, section: str, key: str, text: str) -> _Pattern:
        """Compiles one pattern ("offer* … ceasefire")."""
        parts = [part.strip() for part in text.split(_GAP)]
        if not all(parts):
            raise self.error(f"{text!r} is empty or begins or ends with a gap", section, key)
        if len(parts) - 1 > _MOST_GAPS:
            raise self.error(f"{text!r} has more than {_MOST_GAPS} gaps", section, key)
        elements: list[_Element] = []
        for number, part in enumerate(parts):
            for at, element in enumerate(self._elements(section, key, part)):
                elements.append(element._replace(gap=number > 0 and at == 0))
        return tuple(elements)

    def _elements(self, section: str, key: str, part: str) -> list[_Element]:
        elements: list[_Element] = []
        for chunk in part.split():
            stem = chunk.endswith("*")
            if "*" in chunk[:-1]:
                raise self.error(f"{chunk!r}: * may stand at the end of a word only", section, key)
            words = self.words(section, key, chunk.rstrip("*"))
            if stem and len(words[-1]) > _LONGEST_STEM:
                raise self.error(f"{chunk!r}: longer than {_LONGEST_STEM} letters", section, key)
            elements += [_Element(word) for word in words[:-1]]
            elements.append(_Element(words[-1], stem=stem))
        return elements


__all__ = [
    "Lexicon",
    "LexiconError",
    "Match",
    "Matcher",
    "Token",
    "fold",
    "languages",
    "load_lexicon",
    "parse_lexicon",
    "tokenise",
]
