"""Words of a text as stories compare them: folded, without accents, numbers whole. Linear in the length of the text."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Iterator

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
"""Scripts written without spaces: Thai, Lao, Burmese, Khmer, kana and Han."""
_WORD = re.compile(rf"(?:[^\W\d_]\.){{2,}}|\d+(?:[.,]\d+)*|[{_UNSPACED}]+|[^\W\d_{_UNSPACED}]+(?:-?\d+)?")
_RUN = re.compile(f"[{_UNSPACED}]")
_MARKS = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u0610-\u061a\u0640\u064b-\u065f\u0670]+"
)
"""Accents, vowel points and the Arabic stretch."""
_TYPOGRAPHY = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": ".", "\u00a0": " "})
_LEAD = 600
"""Characters of a summary that are read: the lead says what happened, the rest is background."""
_LONGEST_WORD = 64


def fold(text: str) -> str:
    """Lower case without accents or vowel points: the form in which words are compared."""
    plain = text.translate(_TYPOGRAPHY)
    if plain.isascii():
        return plain.lower()
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", plain).casefold())
    return _MARKS.sub("", folded)


def words(text: str) -> list[str]:
    """The folded words and numbers of a text, in order.

    "1,200" is "1200", "U.S." is "us", "G-7" is "g7", "cease-fire" is "ceasefire"; of scripts written
    without spaces each pair of letters is a word.

    >>> words("U.S. and G-7 back cease-fire after 1,200 deaths")
    ['us', 'and', 'g7', 'back', 'ceasefire', 'after', '1200', 'deaths']
    """
    joined = fold(text).replace("cease-fire", "ceasefire")
    out: list[str] = []
    for found in _WORD.findall(joined):
        if found.isalpha() and found.isascii():
            out.append(found[:_LONGEST_WORD])
        else:
            out.extend(word[:_LONGEST_WORD] for word in _plain(found))
    return out


def lead(summary: str) -> str:
    """The first sentences of a summary, at most 600 characters."""
    return summary[:_LEAD]


def spaced(text: str) -> str:
    """The words of a text with one space between and around them, so that a phrase is found by plain search."""
    return f" {' '.join(words(text))} "


def is_unspaced(text: str) -> bool:
    """True where a text holds letters of a script that is written without spaces."""
    return _RUN.search(text) is not None


def hashed(word: str) -> int:
    """A stable 32-bit number for a word, the same on every machine: even for words, odd for numbers."""
    value = zlib.crc32(word.encode("utf-8", "surrogatepass"))
    return value | 1 if word[:1].isdigit() else value & ~1


def is_number(term: int) -> bool:
    """Whether a hashed word was a number."""
    return term & 1 == 1


def stem(word: str) -> str:
    """A word without its commonest endings. Crude on purpose: it serves to compare, in any language.

    >>> stem("killings"), stem("столкновения")
    ('kill', 'столкн')
    """
    if len(word) <= _SHORTEST_STEM:
        return word
    if not word.isascii():
        return word[:_STEM_ABROAD]
    if word[-1] not in _LAST_LETTERS or word[0].isdigit():
        return word
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


_ENDINGS = ("ings", "ing", "ers", "ies", "ed", "es", "er", "s")
_LAST_LETTERS = frozenset("sgdr")
_SHORTEST_STEM = 4
_STEM_ABROAD = 6


def _plain(found: str) -> Iterator[str]:
    if _RUN.match(found):
        yield from (found[n : n + 2] for n in range(max(1, len(found) - 1)))
    elif found[0].isdigit():
        yield found.replace(",", "").replace(".", "")
    else:
        yield found.replace(".", "").replace("-", "")
