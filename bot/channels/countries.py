"""Names and flags of countries by ISO 3166-1 alpha-2 code (with XK for Kosovo), in the interface's languages.

The names in ``countries.json`` are CLDR's, with a few shortened to what a newsroom writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

_FLAG_A = 0x1F1E6


@cache
def _table() -> Mapping[str, Mapping[str, str]]:
    table: dict[str, dict[str, str]] = json.loads(
        files(__package__).joinpath("countries.json").read_text(encoding="utf-8")
    )
    return table


def codes() -> tuple[str, ...]:
    """All codes that have a name, in order."""
    return tuple(_table())


def country_name(code: str, language: str = "en") -> str:
    """The country's name, English where the language lacks it, the code itself where nobody knows it."""
    names = _table().get(code.upper())
    if names is None:
        return code.upper()
    return names.get(language) or names["en"]


def flag(code: str) -> str:
    """The flag as an emoji; "" for what is no two-letter code of a known country."""
    code = code.upper()
    if code not in _table():
        return ""
    return "".join(chr(_FLAG_A + ord(letter) - ord("A")) for letter in code)
