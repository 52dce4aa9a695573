"""Who claims, denies, threatens or demands what."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.assessment import Text
from classifiers.claims import MODES, read_claims
from classifiers.taxonomy import SIGNAL_IDS


def claims(title: str, summary: str = "", language: str = "en") -> list[tuple[str, str | None, str | None]]:
    """Mode, signal and speaker of each claim."""
    return [(claim.mode, claim.signal, claim.by) for claim in read_claims(Text(title, summary), language)]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Turkey denies sending fighters to Azerbaijan", ("denied", "foreign_involvement", "Turkey")),
        ("Armenia accuses Azerbaijan of violating the ceasefire", ("accused", "ceasefire_breakdown", "Armenia")),
        ("UN urges ceasefire in Sudan", ("demanded", "ceasefire_proposal", "UN")),
        ("Iran vows to retaliate after strike", ("threatened", "threat", "Iran")),
    ],
)
def test_headlines(title: str, expected: tuple[str, str, str]) -> None:
    """A headline's verb gives the mode, its subject the speaker, its object the signal."""
    assert claims(title) == [expected]


@pytest.mark.parametrize(
    ("title", "speaker"),
    [
        ("According to Azerbaijan's defence ministry, 12 soldiers were killed", "Azerbaijan's defence ministry"),
        ("Twelve soldiers were killed, the defence ministry said on Monday", "defence ministry"),
        ("Twelve people died, said the mayor of Gyumri", "mayor of Gyumri"),
        ("The army, which lost the town on Friday, says that it was retaken", "army"),
        ("Police say two men were shot dead", "Police"),
        ("French President Marie Durand said that talks had failed", "French President Marie Durand"),
    ],
)
def test_the_speaker_is_found_before_and_behind_the_verb(title: str, speaker: str) -> None:
    """Reported speech names its source in front, behind, or in another clause."""
    assert [by for mode, _, by in claims(title) if mode == "claimed"] == [speaker]


@pytest.mark.parametrize(
    ("title", "mode"),
    [
        ("If talks fail, the army could attack the port", "hypothetical"),
        ("City marks anniversary of the siege", "historical"),
        ("Two presidents plan to sign a truce", "planned"),
    ],
)
def test_what_is_not_so_or_no_longer_is_marked(title: str, mode: str) -> None:
    """The supposed, the past and the planned are no plain reports."""
    assert mode in [found for found, _, _ in claims(title)]


def test_may_the_month_supposes_nothing() -> None:
    """ "May" with a capital inside a sentence is a month, with a small letter a supposition."""
    assert claims("Fighting went on in May near the border") == []
    assert [mode for mode, _, _ in claims("Fighting may go on near the border")] == ["hypothetical"]


def test_a_denial_takes_up_the_accusation() -> None:
    """ "Denied the accusations" denies what was held against somebody just before."""
    summary = (
        "Northland has complained that Eastmark is supplying fighters to Westmark. Eastmark denied the accusations."
    )
    found = claims("", summary)
    assert ("accused", "foreign_involvement", "Northland") in found
    assert ("denied", "foreign_involvement", "Eastmark") in found


@pytest.mark.parametrize(
    ("language", "text", "mode", "signal"),
    [
        ("ru", "Турция отрицает поставки оружия Азербайджану", "denied", "foreign_involvement"),
        ("uk", "ООН закликає до припинення вогню", "demanded", "ceasefire_proposal"),
        ("es", "La ONU pide un alto el fuego en Sudán", "demanded", "ceasefire_proposal"),
        ("fr", "L'Iran menace de riposter aux frappes", "threatened", None),
        ("de", "Russland dementiert Angriff auf Wohnhaus", "denied", None),
        ("ar", "نفت تركيا إرسال مقاتلين", "denied", None),
        ("zh", "土耳其否认派遣武装人员", "denied", None),
    ],
)
def test_other_languages_assert_too(language: str, text: str, mode: str, signal: str | None) -> None:
    """The modes are read with the words of each language."""
    found = claims(text, language=language)
    assert mode in [m for m, _, _ in found]
    assert signal is None or signal in [s for _, s, _ in found]


def test_spans_are_the_sentence() -> None:
    """A claim spans its own sentence and no more."""
    text = Text("Talks fail", "Rain fell. Turkey denies sending fighters. The sun set.")
    (claim,) = read_claims(text, "en")
    assert text.summary[claim.start : claim.end] == "Turkey denies sending fighters"
    assert claim.field == "summary"


@given(st.text(max_size=200), st.sampled_from(["en", "ru", "ar", "fa", "zh", "tr", "xx"]))
@settings(max_examples=100)
def test_any_text_is_read(text: str, language: str) -> None:
    """No text breaks the reader; modes, signals and spans are what they may be."""
    for claim in read_claims(Text(text), language):
        assert claim.mode in MODES
        assert claim.signal is None or claim.signal in SIGNAL_IDS
        assert 0 <= claim.start < claim.end <= len(text)
