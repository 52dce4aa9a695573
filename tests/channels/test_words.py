"""The catalogues: every language says everything, with the same fields."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.channels.words import LANGUAGES, best_language, phrasebook, plural_form, read_catalogue
from bot.model import Certainty, Phase, Reason, Severity
from classifiers.taxonomy import SIGNALS

ROOT = Path(__file__).parent.parent.parent
OTHERS = LANGUAGES[1:]
FORMS = {"en": {"one", "other"}, "es": {"one", "other"}, "fr": {"one", "other"}, "tr": {"one", "other"},
         "ru": {"one", "few", "many", "other"}, "uk": {"one", "few", "many", "other"},
         "ar": {"zero", "one", "two", "few", "many", "other"}}  # fmt: skip


def fields(phrase: str | Mapping[str, str]) -> set[str]:
    texts = [phrase] if isinstance(phrase, str) else list(phrase.values())
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", OTHERS)
def test_no_language_lacks_a_phrase(language: str) -> None:
    """Each catalogue has the keys of the English one, and no others."""
    assert set(read_catalogue(language)) == set(read_catalogue("en"))


@pytest.mark.parametrize("language", OTHERS)
def test_translations_keep_the_fields(language: str) -> None:
    """What English fills in, every language fills in; a plural form may leave out the number it names in words."""
    english = read_catalogue("en")
    for key, phrase in read_catalogue(language).items():
        assert fields(phrase) == fields(english[key]), key
        assert isinstance(phrase, str) == isinstance(english[key], str), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_plurals_have_all_their_forms(language: str) -> None:
    """Every plural table has CLDR's forms of its language, so that no number is worded wrongly."""
    for key, phrase in read_catalogue(language).items():
        if not isinstance(phrase, str):
            assert set(phrase) == FORMS[language], key
    assert {plural_form(language, n) for n in range(400)} <= FORMS[language]


@pytest.mark.parametrize("language", OTHERS)
def test_translations_are_translated(language: str) -> None:
    """Hardly a phrase is the English one left standing."""
    english = read_catalogue("en")
    same = [key for key, phrase in read_catalogue(language).items() if phrase == english[key]]
    allowed = {"alert.score", "alert.up_to", "button.sources", "digest.digest", "signal.sanctions", "desk.done"}
    assert len(set(same) - allowed) <= 8, same


def test_everything_that_is_said_has_words() -> None:
    """Severities, certainties, phases, reasons and signals all have a phrase, as has every key in the code."""
    phrases = read_catalogue("en")
    wanted = {f"severity.{one.word}" for one in Severity} | {f"certainty.{one.word}" for one in Certainty}
    wanted |= {f"phase.{one.name.lower()}" for one in Phase} | {f"reason.{one.name.lower()}" for one in Reason}
    wanted |= {f"signal.{signal.id}" for signal in SIGNALS}
    for folder in ("bot/channels", "bot/telegram"):
        for path in (ROOT / folder).glob("*.py"):
            wanted |= set(re.findall(r'(?:say|count)\(\s*"([a-z_.]+)"', path.read_text(encoding="utf-8")))
    assert wanted - set(phrases) == set()


def test_no_phrase_is_left_over() -> None:
    """Every phrase that is named in full somewhere is named in the code; the others belong to families."""
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    families = ("severity.", "certainty.", "phase.", "signal.", "reason.", "preset.", "region.", "way.", "fault.",
                "command.", "desk.ask_", "desk.state_", "digest.")  # fmt: skip
    named = [key for key in read_catalogue("en") if not key.startswith(families)]
    assert [key for key in named if f'"{key}"' not in code and f"'{key}'" not in code] == []


@pytest.mark.parametrize(
    ("tag", "language"),
    [("pt-BR", "en"), ("uk", "uk"), ("ar-EG", "ar"), ("zh_Hans", "en"), (None, "en"), ("FR", "fr"), ("", "en")],
)
def test_languages_fall_back_to_english(tag: str | None, language: str) -> None:
    """A tag names its language whatever its region; what we do not speak is English."""
    assert best_language(tag) == language


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "1 independent source: x"),
        (2, "2 independent sources, first x"),
        (0, "0 independent sources, first x"),
    ],
)
def test_numbers_take_their_form(number: int, said: str) -> None:
    """The plural form follows the number."""
    assert phrasebook("en").count("alert.sources", number, first="x") == said


@pytest.mark.parametrize(
    ("language", "forms"),
    [
        ("ru", {1: "one", 2: "few", 5: "many", 11: "many", 21: "one", 22: "few", 112: "many"}),
        ("ar", {0: "zero", 1: "one", 2: "two", 3: "few", 10: "few", 11: "many", 99: "many", 100: "other", 103: "few"}),
        ("fr", {0: "one", 1: "one", 2: "other"}),
        ("tr", {1: "one", 2: "other"}),
    ],
)
def test_plural_forms_are_cldrs(language: str, forms: dict[int, str]) -> None:
    """The forms are CLDR's."""
    assert {n: plural_form(language, n) for n in forms} == forms


def test_an_unknown_phrase_is_an_error() -> None:
    """A key that no catalogue has, or a plural said without a number, is a KeyError."""
    words = phrasebook("en")
    for key in ("no.such", "alert.sources"):
        with pytest.raises(KeyError):
            words.say(key)
