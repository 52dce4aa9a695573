"""The words of messages and dialogues, one TOML catalogue a language under ``locales/``.

A catalogue is a tree of phrases; a phrase is a :meth:`str.format` template with named fields, or a table of plural
forms (CLDR's one, few, many, other). What a language lacks is said in English; a test fails on anything missing.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LANGUAGES = ("en", "ru", "uk", "ar", "es", "fr", "tr")
"""Languages of the interface, English first: it is what the others fall back to."""

_FORMS = frozenset({"zero", "one", "two", "few", "many", "other"})
_SLAVIC_TEENS = range(11, 15)


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """What Tocsin says, in one language. ``phrases`` maps dotted keys to a template or to its plural forms."""

    language: str
    phrases: Mapping[str, str | Mapping[str, str]]

    def say(self, key: str, /, **values: object) -> str:
        """The phrase with its fields filled in. Raises :class:`KeyError` for a key that no catalogue has."""
        phrase = self.phrases[key]
        if not isinstance(phrase, str):
            raise KeyError(key)
        return phrase.format(**values) if values else phrase

    def count(self, key: str, n: int, /, **values: object) -> str:
        """The phrase in the plural form for ``n``, which it may use as ``{n}``."""
        phrase = self.phrases[key]
        if isinstance(phrase, str):
            return phrase.format(n=n, **values)
        form = plural_form(self.language, n)
        return (phrase.get(form) or phrase["other"]).format(n=n, **values)

    def shout(self, key: str) -> str:
        """The phrase in capitals, with Turkish's own."""
        phrase = self.say(key)
        return (phrase.replace("i", "İ") if self.language == "tr" else phrase).upper()

    def has(self, key: str) -> bool:
        """True where there is such a phrase."""
        return key in self.phrases


def plural_form(language: str, n: int) -> str:
    """CLDR's plural category of a whole number in one of our languages."""
    if language in ("ru", "uk"):
        return _slavic(n)
    if language == "ar":
        return _arabic(n)
    if language == "fr":
        return "one" if n in (0, 1) else "other"
    return "one" if n == 1 else "other"


def _slavic(n: int) -> str:
    if n % 100 in _SLAVIC_TEENS:
        return "many"
    if n % 10 == 1:
        return "one"
    return "few" if n % 10 in (2, 3, 4) else "many"


def _arabic(n: int) -> str:
    if n in (0, 1, 2):
        return ("zero", "one", "two")[n]
    if 3 <= n % 100 <= 10:
        return "few"
    return "many" if n % 100 >= 11 else "other"


def best_language(tag: str | None) -> str:
    """The interface language for a BCP 47 tag ("pt-BR" has none: English)."""
    primary = (tag or "").replace("_", "-").split("-")[0].lower()
    return primary if primary in LANGUAGES else LANGUAGES[0]


@cache
def phrasebook(language: str) -> Phrasebook:
    """The phrasebook for a language tag, English underneath. Read once."""
    chosen = best_language(language)
    phrases = read_catalogue(LANGUAGES[0])
    if chosen != LANGUAGES[0]:
        phrases = {**phrases, **read_catalogue(chosen)}
    return Phrasebook(chosen, phrases)


def read_catalogue(language: str) -> dict[str, str | Mapping[str, str]]:
    """One language's own phrases by dotted key, without a fallback; empty where there is no catalogue."""
    source = files(__package__).joinpath("locales", f"{language}.toml")
    if not source.is_file():
        return {}
    return dict(_flat(tomllib.loads(source.read_text(encoding="utf-8")), ""))


def _flat(tree: Mapping[str, object], prefix: str) -> list[tuple[str, str | Mapping[str, str]]]:
    rows: list[tuple[str, str | Mapping[str, str]]] = []
    for name, value in tree.items():
        if not isinstance(value, Mapping):
            rows.append((prefix + name, str(value)))
        elif "other" in value and _FORMS.issuperset(value):
            rows.append((prefix + name, {form: str(text) for form, text in value.items()}))
        else:
            rows.extend(_flat(value, f"{prefix}{name}."))
    return rows
