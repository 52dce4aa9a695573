"""WordPiece (Schuster and Nakajima 2012) as BERT's uncased models use it, with offsets into the text as given."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

_WORD = re.compile(r"[㐀-䶿一-鿿]|[^\W_㐀-䶿一-鿿]+|[^\w\s]|_")
_LONGEST_WORD = 60
"""A longer word is unknown: no English word is, and greedy matching is quadratic in the length."""
_MOST_KNOWN = 30_000


class Piece(NamedTuple):
    """A piece of a word: its row in the vocabulary and the characters of its whole word."""

    row: int
    start: int
    end: int


@dataclass
class WordPiece:
    """Splits text into pieces. Remembers the words it has met (a bounded memory, for speed only)."""

    vocabulary: Mapping[str, int]
    _known: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def pieces(self, text: str, most: int) -> list[Piece]:
        """The first ``most`` pieces of ``text``."""
        found: list[Piece] = []
        for match in _WORD.finditer(text):
            rows = self._rows(match.group())
            found += [Piece(row, match.start(), match.end()) for row in rows]
            if len(found) >= most:
                break
        return found[:most]

    def _rows(self, word: str) -> tuple[int, ...]:
        known = self._known.get(word)
        if known is None:
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            known = self._known[word] = self._split(_plain(word))
        return known

    def _split(self, word: str) -> tuple[int, ...]:
        unknown = (self.vocabulary["[UNK]"],)
        if len(word) > _LONGEST_WORD:
            return unknown
        rows: list[int] = []
        start = 0
        while start < len(word):
            row, start = self._longest(word, start)
            if row is None:
                return unknown
            rows.append(row)
        return tuple(rows)

    def _longest(self, word: str, start: int) -> tuple[int | None, int]:
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            row = self.vocabulary.get(prefix + word[start:end])
            if row is not None:
                return row, end
        return None, start


def _plain(word: str) -> str:
    """Lower case without accents."""
    if word.isascii():
        return word.lower()
    decomposed = unicodedata.normalize("NFD", word.lower())
    return "".join(letter for letter in decomposed if unicodedata.category(letter) != "Mn")
