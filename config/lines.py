"""Where in a TOML text a value stands: ``tomllib`` does not tell."""

from __future__ import annotations

import re

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[\w-]+))*)\s*=""")


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))


def _tables(text: str) -> list[tuple[int, tuple[str | int, ...]]]:
    """(line, place) of every header and key, in order."""
    counts: dict[tuple[str, ...], int] = {}
    here: tuple[str | int, ...] = ()
    found: list[tuple[int, tuple[str | int, ...]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = _parts(header[2])
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
            here = _indexed(name, counts)
            found.append((number, here))
        elif key := _KEY.match(line):
            found.append((number, (*here, *_parts(key[1]))))
    return found


def _indexed(name: tuple[str, ...], counts: dict[tuple[str, ...], int]) -> tuple[str | int, ...]:
    """``rules.exclude`` below the second ``[[rules]]`` is ``("rules", 1, "exclude")``."""
    out: tuple[str | int, ...] = ()
    for depth, part in enumerate(name, 1):
        out = (*out, part)
        if name[:depth] in counts:
            out = (*out, counts[name[:depth]])
    return out


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """The 1-based line of a value, or of the nearest table or key that holds it."""
    best, depth = 1, 0
    for number, there in _tables(text):
        common = 0
        while common < min(len(there), len(place)) and there[common] == place[common]:
            common += 1
        if common == len(there) and common > depth:
            best, depth = number, common
    return best
