"""The gazetteer: which countries, regions, cities, peoples, leaders and armed groups a name may stand for.

One compressed NumPy file (``gazetteer/places.npz``, built by ``build_gazetteer.py``) holds 48-bit hashes of the
folded names, sorted, and beside each the number of the entry that it names. That is some ten bytes a name in memory
where a ``dict`` of strings takes over a hundred, and a whole text is looked up in one ``searchsorted``.

Names live in *spaces*, so that "Niger" may mean one thing in French and another in English::

    en:chad         the plain name in a language           c:aleppo    a name in any language that uses its letters
    *ru:росси       "росси" with any ending                s:ru:москв  what is left of a name without its case ending
    4:ru:юж осет    several words, four letters of each     1:c:new     the first word of a longer name
"""

from __future__ import annotations

import re
import unicodedata
from binascii import crc_hqx
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from importlib.resources import files
from io import BytesIO
from zipfile import BadZipFile
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from classifiers.errors import ClassifierError

FORMAT = 1
"""Version of the file's layout; a file of another version is refused."""

ENTRY_BITS = 24
CAPITALS = 1
"""Flag beside a name: it counts only where it is written in capitals as the gazetteer has it ("US", not "us")."""

FOREIGN = 2
"""Flag beside a town's name that English news does not use, and that may be a word or a person's name in English."""

_MARKS = "\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u0640"
WORD = re.compile(f"[^\\W\\d_][^\\W_]*(?:[{_MARKS}]+[^\\W_]*)*")
"""One word: letters with their combining marks, and digits after them ("M23").

Apostrophes and hyphens part words, in names and texts alike.
"""

_FOLD = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ə": "e", "ħ": "h",
        "ى": "ي", "ی": "ي", "ک": "ك", "ۀ": "ه", "ة": "ه", "ہ": "ه", "ـ": None, "ґ": "г",
    }
)  # fmt: skip


class GazetteerError(ClassifierError):
    """The gazetteer file cannot be used; the message names the file and what is wrong with it."""


class Kind(IntEnum):
    """What sort of thing an entry is; it decides how far a mention of it tells where something happened."""

    COUNTRY = 0
    REGION = 1
    CAPITAL = 2
    CITY = 3
    PEOPLE = 4
    """Inhabitants and adjectives."""
    LEADER = 5
    GROUP = 6
    """Armed groups and organs of a state that sit in one country."""
    ROVING = 7
    """Groups that fight in several countries."""
    PAIR = 9
    """Two countries in one word, as Chinese headlines join them."""
    DECOY = 8
    """A phrase that holds a place's name and names no place ("Indian Ocean")."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a name may stand for; a town's ``weight`` is 16 times the decimal logarithm of its inhabitants."""

    number: int
    name: str
    country: str
    kind: Kind
    lat: float | None
    lon: float | None
    weight: int
    flags: int


def fold(name: str) -> str:
    """The name without case, accents and spelling variants of its script ("Şuşa" is "susa", "إدلب" is "ادلب")."""
    if name.isascii():
        return name.lower()
    # a compatibility form may hide a capital, and a case fold an accent: hence decomposed before and after
    spread = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    return "".join([c for c in spread if not unicodedata.combining(c)]).translate(_FOLD)


def words_of(name: str) -> list[str]:
    """The folded words of a name, told apart exactly as the words of a text are."""
    return [fold(word) for word in WORD.findall(name)]


def key_of(name: str) -> int:
    """The 48-bit hash of a spaced name. Two independent checksums: a stranger matches one name in about a billion."""
    data = name.encode()
    return crc32(data) << 16 | crc_hqx(data, 0)


class Gazetteer:
    """Names and what they may stand for. Read-only, safe to share between threads."""

    def __init__(self, data: bytes, source: str = "gazetteer") -> None:
        """``data`` is the npz file; raises :class:`GazetteerError` where it is damaged or of another version."""
        try:
            with np.load(BytesIO(data), allow_pickle=False) as table:
                arrays = {name: table[name] for name in table.files}
            version = int(arrays["format"][0])
            if version != FORMAT:
                raise GazetteerError(f"{source}: gazetteer format {version}, this version reads {FORMAT}")
            high = np.cumsum(arrays["high"].astype(np.uint64), dtype=np.uint64)
            self._keys: NDArray[np.uint64] = high << np.uint64(16) | arrays["low"].astype(np.uint64)
            self._values: NDArray[np.uint32] = arrays["values"]
            self._countries = arrays["countries"].tobytes().decode("ascii")
            self._names = arrays["names"].tobytes().decode("utf-8").split("\n")
            self._entries = arrays["entries"]
            self._places = arrays["places"]
            self._made: dict[int, Entry] = {}
        except (KeyError, ValueError, OSError, EOFError, IndexError, BadZipFile) as error:
            raise GazetteerError(f"{source}: not a readable gazetteer: {error}") from error

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, names: Sequence[str]) -> list[tuple[int, ...]]:
        """For each spaced name the packed values (entry number and flags) that it has, best first; often empty."""
        if not names:
            return []
        wanted = np.array([key_of(name) for name in names], dtype=np.uint64)
        left = np.searchsorted(self._keys, wanted, side="left")
        hits = np.flatnonzero(self._keys[np.minimum(left, len(self._keys) - 1)] == wanted)
        found: list[tuple[int, ...]] = [()] * len(names)
        for at in hits.tolist():
            start = int(left[at])
            end = start + 1
            while end < len(self._keys) and self._keys[end] == wanted[at]:
                end += 1
            found[at] = tuple(self._values[start:end].tolist())
        return found

    def entry(self, value: int) -> Entry:
        """The entry of a packed value that :meth:`find` returned."""
        known = self._made.get(value)
        if known is None:
            known = self._made[value] = self._make(value)
        return known

    def _make(self, value: int) -> Entry:
        number = value & ((1 << ENTRY_BITS) - 1)
        country, kind, weight = (int(x) for x in self._entries[number])
        lat, lon = (float(x) for x in self._places[number])
        known = lat == lat
        code = self._countries[2 * country : 2 * country + 2]
        return Entry(
            number,
            self._names[number],
            code,
            Kind(kind),
            round(lat, 4) if known else None,
            round(lon, 4) if known else None,
            weight,
            value >> ENTRY_BITS,
        )


@lru_cache(maxsize=1)
def gazetteer() -> Gazetteer:
    """The gazetteer that comes with the package, read once on first use."""
    path = files("classifiers") / "gazetteer" / "places.npz"
    try:
        data = path.read_bytes()
    except OSError as error:
        raise GazetteerError(f"{path}: cannot read the gazetteer: {error}") from error
    return Gazetteer(data, str(path))
