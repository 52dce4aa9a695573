"""How common words are in the news at large: a table of document frequencies by hashed word.

The table was counted over 222,000 news items and current-events notes of 2002–2024; it holds numbers only. It gives a
young index the sense of what is rare that it could only learn in weeks. Words of languages that the table does not
know are told apart by a list of their function words.

File: one line of ASCII ``tocsin-df 1 DOCUMENTS TERMS``, then TERMS little-endian 32-bit hashes in rising order, then
TERMS bytes, each ``round(16 * log2(frequency))`` capped at 255.
"""

from __future__ import annotations

import math
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.errors import TocsinError

from .text import fold, hashed, stem, words

_MAGIC = "tocsin-df 1"
_STEPS = 16
_FREQUENCY = tuple(2.0 ** (level / _STEPS) for level in range(256))
_COMMON = 0.1
"""The share of documents in which function words are taken to stand."""


class BackgroundError(TocsinError):
    """The table of document frequencies cannot be read."""


@dataclass(frozen=True, slots=True)
class Background:
    """Document frequencies of stemmed words in ``documents`` documents."""

    documents: int
    hashes: array[int]
    levels: bytes
    common: frozenset[int] = frozenset()

    def frequencies(self, terms: Iterable[int]) -> list[float]:
        """In how many documents each of these hashed words stands; 0 where the table does not know it."""
        hashes, levels, known = self.hashes, self.levels, len(self.hashes)
        common = self.documents * _COMMON
        out = []
        for term in terms:
            at = bisect_left(hashes, term)
            if term in self.common:
                out.append(common)
            elif at < known and hashes[at] == term:
                out.append(_FREQUENCY[levels[at]])
            else:
                out.append(0.0)
        return out


@cache
def load_background() -> Background:
    """The shipped table. Raises :class:`BackgroundError` where it is damaged."""
    home = files("bot.stories")
    raw = (home / "background.bin").read_bytes()
    return unpack(raw, function_words((home / "function_words.txt").read_text(encoding="utf-8")))


def function_words(text: str) -> frozenset[int]:
    """Hashed stems of the listed words; lines that begin with ``#`` are remarks."""
    lines = (line.partition(":")[2] for line in text.splitlines() if not line.startswith("#"))
    return frozenset(hashed(stem(word)) for line in lines for word in words(fold(line)))


def unpack(raw: bytes, common: Iterable[int] = ()) -> Background:
    """Read a table. Raises :class:`BackgroundError` where it is damaged."""
    head, _, body = raw.partition(b"\n")
    fields = head.decode("ascii", "replace").rsplit(" ", 2)
    if len(fields) != 3 or fields[0] != _MAGIC or not (fields[1] + fields[2]).isdigit():
        raise BackgroundError("background.bin: not a table of document frequencies")
    count = int(fields[2])
    hashes = array("I")
    if len(body) != count * (hashes.itemsize + 1) or hashes.itemsize != 4:
        raise BackgroundError(f"background.bin: {len(body)} bytes do not hold {count} terms")
    hashes.frombytes(body[: 4 * count])
    if sys.byteorder == "big":
        hashes.byteswap()
    return Background(int(fields[1]), hashes, body[4 * count :], frozenset(common))


def pack(documents: int, frequencies: Mapping[int, int]) -> bytes:
    """A table as the file holds it."""
    terms = sorted(frequencies)
    hashes = array("I", terms)
    if sys.byteorder == "big":
        hashes.byteswap()
    levels = bytes(min(255, round(_STEPS * math.log2(frequencies[term]))) for term in terms)
    return f"{_MAGIC} {documents} {len(terms)}\n".encode("ascii") + hashes.tobytes() + levels
