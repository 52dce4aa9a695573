"""Turns words into numbered features, in training and in serving by the same code.

A feature is named by a 32-bit key. Families:

====  ==========================================================================
word  each word, wherever it stands
lead  each word of the title, a second time
pair  two neighbouring words
part  three to five letters inside a word with its borders, for forms unseen in training
sign  patterns of the lexicon: what they speak for, and whether in the title
mode  a mode of assertion (denied, threatened, …) in the sentence of a pattern
====  ==========================================================================

Numbers are masked by size, so that no year or toll is learnt by heart.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from classifiers.document import Window
from classifiers.lexicon import Lexicon, Match
from classifiers.tokens import Token

Keys = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int32]

FAMILIES = ("word", "lead", "pair", "part", "sign", "mode")
WORD, LEAD, PAIR, PART, SIGN, MODE = range(len(FAMILIES))
FEATURE_VERSION = 2
"""Rises whenever the same text would give other keys: weights of another version are refused."""

_SALTS = tuple(np.uint32(zlib.crc32(f"family {name}".encode())) for name in FAMILIES)
_LEFT, _RIGHT = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_LONGEST_PART_WORD = 20
_PART_SIZES = (3, 4, 5)
_MOST_KNOWN_WORDS = 30_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_SIZES = ((1, "#one"), (9, "#few"), (99, "#tens"), (999, "#hundreds"))


class Occurrences(NamedTuple):
    """Every feature of a window where it stands; all arrays have one entry an occurrence."""

    keys: Keys
    first: Indices
    """Index of the first word that it covers."""
    last: Indices
    """Index of the last word that it covers."""
    family: npt.NDArray[np.int8]


@dataclass
class FeatureMaker:
    """Computes features and remembers the keys of the words it has met (a bounded memory, for speed only)."""

    _known: dict[str, tuple[int, Keys]] = field(default_factory=dict)

    def occurrences(self, window: Window, lexicon: Lexicon | None) -> Occurrences:
        """All features of ``window``, with the words they cover."""
        words, parts = self._words(window.tokens)
        at = np.arange(len(words), dtype=np.int32)
        lengths = np.array([len(p) for p in parts], dtype=np.int64)
        blocks = [
            (WORD, words, at, at),
            (LEAD, words[: window.titles], at[: window.titles], at[: window.titles]),
            (PAIR, _pairs(words), at[:-1], at[1:]),
            (PART, np.concatenate(parts) if parts else words, np.repeat(at, lengths), np.repeat(at, lengths)),
            *_patterns(window, lexicon),
        ]
        return Occurrences(
            keys=np.concatenate([keys + _SALTS[family] for family, keys, _, _ in blocks]),
            first=np.concatenate([first for _, _, first, _ in blocks]),
            last=np.concatenate([last for _, _, _, last in blocks]),
            family=np.concatenate([np.full(len(keys), family, np.int8) for family, keys, _, _ in blocks]),
        )

    def _words(self, tokens: Sequence[Token]) -> tuple[Keys, list[Keys]]:
        if len(self._known) > _MOST_KNOWN_WORDS:
            self._known.clear()
        keys: list[int] = []
        parts: list[Keys] = []
        for token in tokens:
            known = self._known.get(token.text)
            if known is None:
                known = self._known[token.text] = _word(token)
            keys.append(known[0])
            parts.append(known[1])
        return np.array(keys, dtype=np.uint32), parts


def masked(token: Token) -> str:
    """The word as features see it: numbers become their size."""
    if token.kind != "number":
        return token.text
    digits = "".join(filter(str.isdigit, token.text))
    value = int(digits[:9])
    if len(token.text) == 4 and _FIRST_YEAR <= value <= _LAST_YEAR:
        return "#year"
    return next((name for most, name in _SIZES if value <= most), "#thousands")


def key_of(text: str) -> int:
    """The 32-bit name of a string (CRC-32 of its UTF-8; lone surrogates are let through)."""
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


def pattern_key(signal: str) -> int:
    """The feature of a lexicon pattern that speaks for ``signal``, wherever it stands."""
    return (key_of(signal) + int(_SALTS[SIGN])) % 2**32


def _word(token: Token) -> tuple[int, Keys]:
    text = masked(token)
    bordered = f"<{text[:_LONGEST_PART_WORD]}>"
    sizes = _PART_SIZES if token.kind == "word" else ()
    parts = [key_of(bordered[i : i + n]) for n in sizes for i in range(len(bordered) - n + 1)]
    return key_of(text), np.array(parts, dtype=np.uint32)


def _pairs(words: Keys) -> Keys:
    paired: Keys = words[:-1] * _LEFT + words[1:] * _RIGHT
    return paired


Block = tuple[int, Keys, Indices, Indices]


def _patterns(window: Window, lexicon: Lexicon | None) -> list[Block]:
    if lexicon is None:
        return []
    signs: list[tuple[str, int, int]] = []
    modes: list[tuple[str, int, int]] = []
    for start, tokens in ((0, window.tokens[: window.titles]), (window.titles, window.tokens[window.titles :])):
        found = lexicon.scan("signals", tokens)
        if not found:
            continue
        where = "title" if start < window.titles else "summary"
        for match in found:
            signs.append((match.key, match.first + start, match.last + start - 1))
            signs.append((f"{match.key} {where}", match.first + start, match.last + start - 1))
        modes += _modes(tokens, found, lexicon.scan("assertion", tokens), start)
    return [block for block in (_block(SIGN, signs), _block(MODE, modes)) if block is not None]


def _modes(
    tokens: Sequence[Token], signs: Sequence[Match], assertions: Sequence[Match], start: int
) -> list[tuple[str, int, int]]:
    sentences: dict[int, set[str]] = {}
    for sign in signs:
        sentences.setdefault(tokens[sign.first].sentence, set()).add(sign.key)
    return [
        (f"{mode.key} {key}", mode.first + start, mode.last + start - 1)
        for mode in assertions
        for key in sorted(sentences.get(tokens[mode.first].sentence, ()))
    ]


def _block(family: int, found: Sequence[tuple[str, int, int]]) -> Block | None:
    if not found:
        return None
    return (
        family,
        np.array([key_of(name) for name, _, _ in found], dtype=np.uint32),
        np.array([first for _, first, _ in found], dtype=np.int32),
        np.array([last for _, _, last in found], dtype=np.int32),
    )
