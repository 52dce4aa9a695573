"""The gazetteer's file as it is being built: entries, their names, and the bytes they become."""

from __future__ import annotations

import io
import math
import zipfile
from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from classifiers.gazetteer import ENTRY_BITS, FORMAT, Kind, key_of, words_of

Array = NDArray[np.generic]


@dataclass
class Table:
    """Entries and names as they are gathered."""

    entries: list[tuple[str, str, Kind, float, float, int]] = field(default_factory=list)
    names: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))
    longest: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    index: dict[tuple[str, str, Kind], int] = field(default_factory=dict)
    towns: dict[tuple[str, str], int] = field(default_factory=dict)
    """Country and folded name, in any script, of the towns: the largest of each name."""

    def entry(
        self, name: str, country: str, kind: Kind, lat: float = math.nan, lon: float = math.nan, weight: int = 0
    ) -> int:
        """The number of an entry, made where it is new."""
        key = (name, country, kind)
        if key not in self.index:
            self.index[key] = len(self.entries)
            self.entries.append((name, country, kind, lat, lon, weight))
        return self.index[key]

    def put(self, spaced: str, number: int, flags: int = 0) -> None:
        """Gives an entry a name in a space; of one name twice the laxer flags stay."""
        known = self.names[spaced].get(number)
        self.names[spaced][number] = flags if known is None else known & flags

    def name(self, space: str, name: str, number: int, flags: int = 0) -> None:
        """Gives an entry a plain name in the space of a language or of all ("c")."""
        words = words_of(name)
        if not words or sum(map(len, words)) < 2:
            return
        self.put(f"{space}:{' '.join(words)}", number, flags)
        if len(words) > 1:
            self.longest[f"1:{space}:{words[0]}"] = max(self.longest[f"1:{space}:{words[0]}"], len(words))

    def cut(self, language: str, name: str, number: int) -> None:
        """Gives an entry a name of several words, each cut to four letters, so that case endings do not matter."""
        words = [word[:4] for word in words_of(name.replace("*", ""))]
        self.put(f"4:{language}:{' '.join(words)}", number)
        self.longest[f"14:{language}:{words[0]}"] = max(self.longest[f"14:{language}:{words[0]}"], len(words))


def pack(table: Table) -> bytes:
    """The file's bytes: names sorted by hash, entries as they came."""
    countries = sorted({country for _, country, *_ in table.entries})
    code = {country: n for n, country in enumerate(countries)}
    for first, length in table.longest.items():
        table.names[first][length] = 0
    pairs: list[tuple[int, int]] = []
    for spaced, numbers in table.names.items():
        ranked = sorted(numbers, key=lambda n: rank(table, n) if not spaced.startswith("1") else (0, 0, n))
        pairs += [(key_of(spaced), number | numbers[number] << ENTRY_BITS) for number in ranked[:4]]
    pairs.sort(key=lambda pair: pair[0])
    keys = np.array([key for key, _ in pairs], dtype=np.uint64)
    high = keys >> np.uint64(16)
    arrays: dict[str, Array] = {
        "format": np.array([FORMAT], dtype=np.uint8),
        "high": np.diff(high, prepend=np.uint64(0)).astype(np.uint32),
        "low": (keys & np.uint64(0xFFFF)).astype(np.uint16),
        "values": np.array([value for _, value in pairs], dtype=np.uint32),
        "countries": np.frombuffer("".join(countries).encode("ascii"), dtype=np.uint8),
        "names": np.frombuffer("\n".join(entry[0] for entry in table.entries).encode(), dtype=np.uint8),
        "entries": np.array([(code[e[1]], int(e[2]), e[5]) for e in table.entries], dtype=np.uint8),
        "places": np.array([(e[3], e[4]) for e in table.entries], dtype=np.float32),
    }
    return zipped(arrays)


def rank(table: Table, number: int) -> tuple[int, int, int]:
    """Order of the entries that share a name: countries, regions and capitals, the rest; large cities before small."""
    _, _, kind, _, _, weight = table.entries[number]
    order = {
        Kind.DECOY: 0,
        Kind.COUNTRY: 1,
        Kind.PEOPLE: 2,
        Kind.REGION: 3,
        Kind.CAPITAL: 3,
        Kind.GROUP: 4,
        Kind.LEADER: 4,
    }
    return (order.get(kind, 5), -weight, number)


def zipped(arrays: dict[str, Array]) -> bytes:
    """An npz with fixed dates, so that equal content gives equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, array in arrays.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, array, allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, part.getvalue(), compresslevel=9)
    return out.getvalue()
