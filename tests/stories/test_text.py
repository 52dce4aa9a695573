"""Words as stories compare them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.stories import text
from bot.stories.corrections import is_correction
from bot.stories.prints import explains


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("U.S. and G-7 back cease-fire", ["us", "and", "g7", "back", "ceasefire"]),
        ("F-16 and F16 over the G7", ["f16", "and", "f16", "over", "the", "g7"]),
        ("1,200 dead, 3.5 km away", ["1200", "dead", "35", "km", "away"]),
        ("Qaryat’s “market”—bombed", ["qaryat", "s", "market", "bombed"]),
        ("Éléments à Zürich", ["elements", "a", "zurich"]),
        ("Взрыв в Донецке", ["взрыв", "в", "донецке"]),
        ("مَدينة", ["مدينة"]),
        ("停火协议", ["停火", "火协", "协议"]),
        ("", []),
    ],
)
def test_words(raw: str, words: list[str]) -> None:
    """Case, accents, vowel points, separators and curly quotes make no difference; Chinese is read in pairs."""
    assert text.words(raw) == words


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_has_plain_words(raw: str) -> None:
    """Words are never empty, hold no space and are bounded, whatever the text; hashing them never fails."""
    for word in text.words(raw):
        assert word
        assert " " not in word
        assert len(word) <= 64
        assert 0 <= text.hashed(text.stem(word)) < 2**32


@settings(deadline=None)
@given(st.text(max_size=60))
def test_folding_twice_is_folding_once(raw: str) -> None:
    """Folded text is left as it is by folding it again."""
    assert text.fold(text.fold(raw)) == text.fold(raw)


@given(st.integers(0, 10**9))
def test_numbers_are_told_from_words_by_their_hash(number: int) -> None:
    """The hash of a number is odd, that of a word even."""
    assert text.is_number(text.hashed(str(number)))
    assert not text.is_number(text.hashed(f"w{number}"))


@pytest.mark.parametrize(
    ("one", "other"), [("killed", "killing"), ("strikes", "strike"), ("столкновения", "столкновениях")]
)
def test_stems_bring_forms_together(one: str, other: str) -> None:
    """Forms of one word have one stem, or nearly so."""
    assert text.stem(one)[:4] == text.stem(other)[:4]


@pytest.mark.parametrize(
    "title",
    [
        "CORRECTION: four dead, not fourteen",
        "Death toll revised: officials withdraw first figure".replace("Death toll revised", "Toll revised"),
        "Поправка: погибли четверо",
        "Rectificatif : quatre morts",
        "Corrección: cuatro muertos",
        "更正：四人死亡",
        "تصحيح: أربعة قتلى",
    ],
)
def test_corrections_are_known(title: str) -> None:
    """A title that names itself a correction is one, in several languages."""
    assert is_correction(title)


@pytest.mark.parametrize("title", ["Prison for incorrect tax return", "Strike kills four", "Correctional officer hurt"])
def test_other_titles_are_no_corrections(title: str) -> None:
    """A word that merely begins like one is no mark of a correction."""
    assert not is_correction(title)


@pytest.mark.parametrize(
    ("title", "so"),
    [
        ("Who are the rebels of Qaryat?", True),
        ("WHO says 500 were killed in Qaryat", False),
        ("Is this the end of the truce?", True),
        ("War at a glance: day 40", True),
        ("Почему началась война", True),
        ("Strike on Qaryat kills nine", False),
        ("Howitzers shell Qaryat", False),
    ],
)
def test_explainers(title: str, so: bool) -> None:
    """Questions and overviews explain; the World Health Organization asks nothing."""
    assert explains(title) is so
