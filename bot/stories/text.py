"""Words of a text as stories compare them: folded, without accents, numbers whole. Linear in the length of the text."""

from __future__ import annotations

import re
import unicodedata
import zlib

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+")
_HAN = re.compile("[\u3400-\u9fff]")
_LEAD = 600
"""Characters of a summary that are read: the lead says what happened, the rest is background."""


def fold(text: str) -> str:
    """Lower case without accents or vowel points: the form in which words are compared."""
    if text.isascii():
        return text.lower()
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in parts if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    """The folded words and numbers of a text, in order; a thousands separator is dropped ("1,200" is "1200")."""
    return [_plain(word) for word in _WORD.findall(fold(text))]


def lead(summary: str) -> str:
    """The first sentences of a summary, at most 600 characters."""
    return summary[:_LEAD]


def spaced(text: str) -> str:
    """The words of a text with one space between and around them, so that a phrase is found by plain search."""
    return f" {' '.join(words(text))} "


def has_han(text: str) -> bool:
    """True where a text holds Chinese characters, which are written without spaces."""
    return _HAN.search(text) is not None


def hashed(word: str) -> int:
    """A stable 32-bit number for a word; the same on every machine and in every run."""
    return zlib.crc32(word.encode("utf-8", "surrogatepass"))


def _plain(word: str) -> str:
    return word.replace(",", "").replace(".", "") if word[0].isdigit() else word
