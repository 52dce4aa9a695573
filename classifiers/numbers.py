"""Numbers of a text, in digits or words of any supported language, with the reasons why one counts nothing.

"1,200", "1 200", "1.5 million", "two dozen", "between 40 and 50", "٣٥٠", "三百二十" and "сорок два" read as what
they say. The value of a word and the words that may join two of them come from the lexicon; the grammar is shared:
a word of a hundred or more multiplies what stands before it, a smaller one is added where its decimal place is free.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from classifiers.lexicon import Lexicon
from classifiers.tokens import Token, variants

Doubt = Literal["year", "ordinal", "compound", "unit", "money", "percent", "clock", "decimal"]
"""Why a number probably counts no people: "2015", "12th", "24-year", "B-52", "$40", "15%", "10:30", "6.2"."""


@dataclass(frozen=True, slots=True)
class Number:
    """One number of the text: tokens ``first`` to ``last`` (exclusive), characters ``start`` to ``end``."""

    best: int | None
    """``None`` for a vague amount; the middle, rounded down, for a range."""
    low: int | None
    high: int | None
    words: str | None
    """The English word for a vague amount ("dozens"), else ``None``."""
    first: int
    last: int
    start: int
    end: int
    sentence: int
    form: Literal["digits", "words", "vague"]
    doubt: Doubt | None = None


def read_numbers(text: str, tokens: Sequence[Token], lexicon: Lexicon) -> tuple[Number, ...]:
    """All numbers of ``text`` in order, ranges joined. ``tokens`` must be ``tokenise(text)``."""
    words = _Words(lexicon)
    numbers: list[Number] = []
    at = 0
    while at < len(tokens):
        number = _number_at(text, tokens, at, words)
        if number:
            numbers.append(number)
        at = number.last if number else at + 1
    return _joined(text, tokens, numbers, lexicon)


def _number_at(text: str, tokens: Sequence[Token], at: int, words: _Words) -> Number | None:
    if tokens[at].kind == "number":
        return _digits_at(text, tokens, at, words)
    if not words.may_begin(tokens[at].text):
        return None
    vague = words.vague_at(tokens, at)
    found = None if vague and vague.exact else words.number_at(text, tokens, at)
    if vague and (found is None or vague.last > found.last):
        return _number(tokens, at, vague.last, None, "vague", words=vague.word)
    return _number(tokens, at, found.last, found.value, "words") if found else None


def _number(
    tokens: Sequence[Token],
    first: int,
    last: int,
    value: float | None,
    form: Literal["digits", "words", "vague"],
    words: str | None = None,
    doubt: Doubt | None = None,
) -> Number:
    token = tokens[first]
    best = None if value is None else int(value)
    return Number(best, None, None, words, first, last, token.start, tokens[last - 1].end, token.sentence, form, doubt)


# ---------------------------------------------------------------------------------------------------- digits

_LONGEST_NUMBER = 15
_GROUPED = re.compile(r"\d{1,3}(?:([.,'’٬])\d{3})(?:\1\d{3})*")
_GROUP_SPACES = frozenset({" ", "\u00a0", "\u202f", "\u2009"})
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_MONEY = frozenset("$€£¥₽₴₹₪₺₼֏﷼")
_HYPHENS = frozenset("-\u2010\u2011")
_ORDINAL_ENDINGS = frozenset({"st", "nd", "rd", "th", "й", "го", "му", "я", "е", "ю", "րդ", "er", "ème", "º", "ª"})
_CASE_ENDINGS = frozenset({"ти", "х", "ми", "м", "ю", "yə", "ya", "ə", "də", "da", "dən", "dan", "nin", "nın", "ye"})


def _digits_at(text: str, tokens: Sequence[Token], at: int, words: _Words) -> Number | None:
    token = tokens[at]
    if token.end - token.start > _LONGEST_NUMBER:
        return None
    value, whole = _value(token.text)
    last = at + 1
    while whole and last < len(tokens) and _continues(text, tokens, last, at):
        value = value * 1000 + int(tokens[last].text)
        last += 1
    scaled = words.multiplied(text, tokens, last, value)
    if scaled:
        value, last, whole = scaled.value, scaled.last, True
    doubt = _doubt(text, tokens, at, last, whole)
    return _number(tokens, at, last, value, "digits", doubt=doubt)


def _value(digits: str) -> tuple[float, bool]:
    """The value of "1,200", "1.5" or "12" and whether it is a whole number."""
    if _GROUPED.fullmatch(digits) and not digits.startswith("0"):
        return int(re.sub(r"\D", "", digits)), True
    whole, *rest = re.split(r"\D", digits)
    if not rest:
        return int(whole), True
    return float(f"{int(whole)}.{int(rest[0])}") if len(rest) == 1 else 0.0, False


def _continues(text: str, tokens: Sequence[Token], at: int, first: int) -> bool:
    """Whether token ``at`` is the next group of three digits of "12 300"."""
    before, token = tokens[at - 1], tokens[at]
    return (
        token.kind == "number"
        and len(token.text) == len("000")
        and token.text.isdigit()
        and len(tokens[first].text) <= len("000")
        and text[before.end : token.start] in _GROUP_SPACES
        and not (
            at + 1 < len(tokens)
            and text[token.end : token.end + 1] in {".", ","}
            and text[token.end + 1 : token.end + 2].isdigit()
        )
    )


def _doubt(text: str, tokens: Sequence[Token], first: int, last: int, whole: bool) -> Doubt | None:
    start, end = tokens[first].start, tokens[last - 1].end
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    surroundings = _doubt_before(before) or _doubt_after(after) or _doubt_ending(text, tokens, last)
    if surroundings:
        return surroundings
    if not whole:
        return "decimal"
    digits = tokens[first].text
    is_year = last == first + 1 and len(digits) == len("2015") and digits.isdigit()
    return "year" if is_year and _FIRST_YEAR <= int(digits) <= _LAST_YEAR else None


def _doubt_before(before: str) -> Doubt | None:
    if before[-1:] in _MONEY or before.strip()[-1:] in _MONEY:
        return "money"
    if before[-1:] in {"#", "№"}:
        return "unit"
    if before[-1:] == "第":
        return "ordinal"
    if before[-1:] in {":", "/"} and before[:1].isdigit():
        return "clock"
    is_code = before[-1:] in _HYPHENS and before[:1].isalpha() and not "\u0590" <= before[0] <= "\u06ff"
    return "unit" if is_code else None


def _doubt_after(after: str) -> Doubt | None:
    mark = after.lstrip()[:1]
    if mark and mark in "%٪":
        return "percent"
    if mark and mark in _MONEY:
        return "money"
    if after[:1] in {":", "/"} and after[1:].isdigit():
        return "clock"
    return "unit" if after[:1] == "°" else None


def _doubt_ending(text: str, tokens: Sequence[Token], last: int) -> Doubt | None:
    """ "12th" and "5-й" are ordinals, "24-year" and "30km" measures."""
    if last >= len(tokens) or tokens[last].kind != "word":
        return None
    gap, word = text[tokens[last - 1].end : tokens[last].start], tokens[last].text
    if gap and gap not in _HYPHENS:
        return None
    if word in _ORDINAL_ENDINGS:
        return "ordinal"
    if gap == "":
        return "unit"
    return None if word in _CASE_ENDINGS or "\u0530" <= word[0] <= "\u06ff" else "compound"


# ---------------------------------------------------------------------------------------------------- words


class _Vague(NamedTuple):
    word: str
    last: int
    exact: bool
    """Whether the very same words also stand among the numbers (Russian "тысячи"): alone they are vague."""


class _Value(NamedTuple):
    value: float
    last: int
    glued: bool = False
    """Whether the word was read without a prefixed "and" (Arabic "وعشرون")."""


class _Words:
    """Reads number words with one lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._han = lexicon.script == "han"
        self._joiners = lexicon.words("toll", "and")
        self._longest = lexicon.longest_number

    def may_begin(self, word: str) -> bool:
        """Whether a number may begin with ``word``: a cheap no for nearly all words."""
        heads, prefixes = self._lexicon.number_heads, self._lexicon.prefixes
        return word in heads or (bool(prefixes) and not heads.isdisjoint(variants(word, prefixes)))

    def vague_at(self, tokens: Sequence[Token], at: int) -> _Vague | None:
        for length in range(self._longest, 0, -1):
            for words in self._spellings(tokens, at, length):
                if words in self._lexicon.vague:
                    return _Vague(self._lexicon.vague[words], at + length, words in self._lexicon.numbers)
        return None

    def _word_at(self, tokens: Sequence[Token], at: int) -> _Value | None:
        """The longest single number word of the lexicon that begins at ``at``."""
        for length in range(min(self._longest, len(tokens) - at), 0, -1):
            for words in self._spellings(tokens, at, length):
                if words in self._lexicon.numbers:
                    glued = words[0] != tokens[at].text
                    return _Value(self._lexicon.numbers[words], at + length, glued)
        return None

    def _spellings(self, tokens: Sequence[Token], at: int, length: int) -> list[tuple[str, ...]]:
        span = tokens[at : at + length]
        if len(span) < length or span[0].sentence != span[-1].sentence:
            return []
        rest = tuple(token.text for token in span[1:])
        prefixes = self._lexicon.prefixes
        heads = variants(span[0].text, prefixes) if prefixes else (span[0].text,)
        return [(first, *rest) for first in heads]

    def number_at(self, text: str, tokens: Sequence[Token], at: int) -> _Value | None:
        """The number whose words begin at ``at``: "two hundred and five", "двадцать три", "三百二十"."""
        found = self._word_at(tokens, at)
        if not found:
            return None
        sum_ = _Sum(self._han)
        sum_.add(found.value, glued=False)
        last = found.last
        while (step := self._next(text, tokens, last)) and sum_.add(step.value, glued=step.glued):
            last = step.last
        return _Value(sum_.value, last)

    def _next(self, text: str, tokens: Sequence[Token], at: int) -> _Value | None:
        """The next word of the same number, over one joining word ("and") at most."""
        if at >= len(tokens) or not _close(text, tokens, at):
            return None
        found = self._word_at(tokens, at) if self.may_begin(tokens[at].text) else None
        if found or tokens[at].text not in self._joiners or at + 1 >= len(tokens):
            return found
        return self._word_at(tokens, at + 1) if _close(text, tokens, at + 1) else None

    def multiplied(self, text: str, tokens: Sequence[Token], at: int, value: float) -> _Value | None:
        """``value`` in digits times the words that follow it: "1.5 million", "3 dozen", "12万"."""
        last = at
        while last < len(tokens) and _close(text, tokens, last):
            word = self._word_at(tokens, last) if self.may_begin(tokens[last].text) else None
            if not word or not _multiplies(word.value, value, han=self._han):
                break
            value, last = value * word.value, word.last
        return _Value(value, last) if last > at else None


_DOZEN = 12
_HUNDRED = 100
_THOUSAND = 1000


def _close(text: str, tokens: Sequence[Token], at: int) -> bool:
    """Whether only a space or a hyphen parts token ``at`` from the one before it."""
    gap = text[tokens[at - 1].end : tokens[at].start]
    return len(gap) <= 1 and (gap in _GROUP_SPACES or gap in _HYPHENS or not gap)


def _multiplies(word: float, value: float, *, han: bool) -> bool:
    return word >= _HUNDRED or (word in {10, _DOZEN} and (han or 2 <= value <= 9))


class _Sum:
    """A number under construction, word by word."""

    def __init__(self, han: bool) -> None:
        self._han = han
        self._total = 0.0
        self._group = 0.0
        self._scale = float("inf")

    @property
    def value(self) -> float:
        return self._total + self._group

    def add(self, value: float, *, glued: bool) -> bool:
        """Takes one more word in; ``False`` where the word cannot belong to the same number."""
        if value >= _THOUSAND:
            return self._close_group(value)
        group = self._group
        unit = group % 10 if self._han else group
        if self._multiplies(value, unit):
            self._group += unit * value - unit
        elif self._has_room(value, glued):
            self._group += value
        else:
            return False
        return True

    def _multiplies(self, value: float, unit: float) -> bool:
        if value == _HUNDRED:
            return 0 < unit < _HUNDRED
        return value in {10, _DOZEN} and (1 if self._han else 2) <= unit <= 9

    def _close_group(self, scale: float) -> bool:
        if scale >= self._scale or (self._total and not self._group):
            return False
        self._total += max(self._group, 1) * scale
        self._group, self._scale = 0.0, scale
        return True

    def _has_room(self, value: float, glued: bool) -> bool:
        group = self._group
        if value < 10:
            return value > 0 and group % 10 == 0 and (group > 0 or self._total > 0 or not self.value)
        if value < _HUNDRED:
            french = value < 20 and group % _HUNDRED in {60, 80}
            reversed_ = glued and 0 < group % _HUNDRED < 10 and value % 10 == 0
            return group % _HUNDRED == 0 or french or reversed_
        return group == 0


# ---------------------------------------------------------------------------------------------------- ranges

_DASHES = frozenset("-–—\u2010\u2011~～至到")


def _joined(text: str, tokens: Sequence[Token], numbers: list[Number], lexicon: Lexicon) -> tuple[Number, ...]:
    """Joins "30-50", "30 to 50" and "between 30 and 50" into one number with ``low`` and ``high``."""
    joined: list[Number] = []
    for number in numbers:
        merged = _range(text, tokens, joined[-1], number, lexicon) if joined else None
        if merged:
            joined[-1] = merged
        else:
            joined.append(number)
    return tuple(joined)


def _range(text: str, tokens: Sequence[Token], low: Number, high: Number, lexicon: Lexicon) -> Number | None:
    if low.best is None or high.best is None or low.high is not None or low.sentence != high.sentence:
        return None
    if not 0 < low.best < high.best or low.doubt in {"year", "money", "clock", "unit"} or high.doubt == "year":
        return None
    if not _parts_a_range(text, tokens, low, high, lexicon):
        return None
    doubt = high.doubt or (low.doubt if low.doubt != "compound" else None)
    middle = (low.best + high.best) // 2
    return replace(high, best=middle, low=low.best, high=high.best, first=low.first, start=low.start, doubt=doubt)


def _parts_a_range(text: str, tokens: Sequence[Token], low: Number, high: Number, lexicon: Lexicon) -> bool:
    gap = text[low.end : high.start]
    if gap in _DASHES:
        return True
    if high.first != low.last + 1:
        return False
    word = tokens[low.last].text
    if word in lexicon.words("toll", "range"):
        return True
    before = tokens[low.first - 1].text if low.first else ""
    return word in lexicon.words("toll", "and") and before in lexicon.words("toll", "between")
