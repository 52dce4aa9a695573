"""Words of a text with exact character offsets: the tokeniser that lexicons, numbers and claims share.

A token is a word ("M23"), a run of digits ("1,200") or, in Chinese, one character. Hyphens split words,
an apostrophe splits Latin words only ("l'armée" is two tokens, "п'ять" one). Token texts are folded (case,
composed forms, Arabic letter variants, dotless i); offsets count characters of the text as it was given.
Everything here is linear in the length of the text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u200c\u200d"
_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_INNER = "\u0400-\u052f\u0531-\u0587\u0590-\u05ff\u0600-\u06ff"
"""Scripts in which an apostrophe (and in Hebrew a quote) inside a word belongs to it."""

_TOKEN = re.compile(
    rf"(?P<han>[{_HAN}])"
    r"|(?P<number>\d+(?:[.,'’٫٬]\d+)*)"
    rf"|(?P<word>[^\W\d_{_HAN}](?:[^\W\d_{_HAN}]|(?<![\u0590-\u06ff])\d|[{_MARKS}]|(?<=[{_INNER}])['’ʼ\"״׳](?=[{_INNER}]))*)"
)
_MARK = re.compile(rf"[{_MARKS}]")
_FOLDS = str.maketrans(
    {
        "ı": "i", "ё": "е", "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ی", "ي": "ی", "ك": "ک", "ة": "ه",
        "ۀ": "ه", "’": "'", "ʼ": "'", "״": '"', "׳": "'", "և": "եւ",
    }
)  # fmt: skip

_SENTENCE_END = re.compile(r"[!?。！？؟։۔]|\.(?=[\s\"'”’»)\]]|$)|…|\.\.|\n\s*\n|[\n|;；•]")
_SHORT_FORMS = """
mr mrs ms dr gen lt col capt maj sgt st sen rep gov adm brig cmdr cpl pvt pres prof jr sr vs no inc ltd
co corp jan feb mar jun jul aug sept sep oct nov dec
mon tue wed thu fri sat sun approx dept u.s u.n ca etc al
sra sres ee uu mme mm bzw nr hr ul тыс млн млрд чел им ул г гг св руб тис
"""
_ABBREVIATIONS = frozenset(_SHORT_FORMS.split())


class Token(NamedTuple):
    """One word. ``text`` is folded; ``start`` and ``end`` are character offsets into the original."""

    text: str
    start: int
    end: int
    sentence: int
    """Which sentence it stands in, counted from 0; patterns never match across sentences."""
    kind: str
    """"word", "number" or "han"."""


def fold(word: str) -> str:
    """The form in which words are compared: lower case, composed, no vowel points, letter variants one."""
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKC", word).replace("İ", "i").lower().translate(_FOLDS)
    return _MARK.sub("", folded)


def tokenise(text: str) -> tuple[Token, ...]:
    """Splits ``text`` into tokens, in order."""
    tokens: list[Token] = []
    ends = _sentence_ends(text)
    sentence = 0
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        while sentence < len(ends) and ends[sentence] <= start:
            sentence += 1
        tokens.append(Token(fold(match.group()), start, end, sentence, match.lastgroup or "word"))
    return tuple(tokens)


def _sentence_ends(text: str) -> list[int]:
    """Offsets just behind each character that ends a sentence."""
    return [match.end() for match in _SENTENCE_END.finditer(text) if _ends_here(text, match)]


def _ends_here(text: str, match: re.Match[str]) -> bool:
    if match.group() not in {".", "\n"}:
        return True
    after = text[match.end() : match.end() + 3].lstrip("\"'”’»)] ")
    if match.group() == "\n":
        return not after[:1].islower()
    before = re.search(r"[\w.]*$", text[max(0, match.start() - 12) : match.start()])
    word = before.group().lower() if before else ""
    if after[:1].islower() or word in _ABBREVIATIONS:
        return False
    return not (len(word) == 1 and word.isalpha()) and not re.search(r"\b\w\.\w$", word)


_SHORTEST_STEM = 2
_MOST_PREFIXES = 3


def variants(word: str, prefixes: tuple[str, ...]) -> tuple[str, ...]:
    """The word and what is left of it when up to three of ``prefixes`` ("and", "the", "in") are taken off."""
    if not word.startswith(prefixes):
        return (word,)
    found = [word]
    fresh = [word]
    for _ in range(_MOST_PREFIXES):
        fresh = [rest for stem in fresh for rest in _without_prefix(stem, prefixes) if rest not in found]
        found += fresh
    return tuple(dict.fromkeys(found))


def _without_prefix(word: str, prefixes: tuple[str, ...]) -> list[str]:
    return [
        word[len(prefix) :]
        for prefix in prefixes
        if word.startswith(prefix) and len(word) - len(prefix) >= _SHORTEST_STEM
    ]
