"""The gazetteer: its file, its names, and what endings do to them."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assessment import Field
from classifiers.gazetteer import Gazetteer, GazetteerError, Kind, fold, gazetteer, key_of, words_of
from classifiers.place_features import mask
from classifiers.toponyms import Word, extra_names, find_mentions, words_in

LANGUAGES = ("en", "ru", "uk", "ar", "es", "fr", "tr", "fa", "he", "hy", "az", "zh", "de", "pt", "pl")


def found(text: str, language: str) -> list[tuple[str, str]]:
    """Each name found in a text, as written, and the country it stands for."""
    words: dict[Field, list[Word]] = {"title": words_in(text), "summary": []}
    mentions = find_mentions(words, language, gazetteer())
    return [(text[m.start : m.end], m.entries[0].country) for m in mentions]


def test_folding_joins_what_is_written_differently() -> None:
    """Case, accents, dotless i, Arabic letter variants and vowel points do not part two spellings."""
    assert fold("Şuşa") == fold("SUSA") == "susa"
    assert fold("İdlib") == fold("ıdlib") == "idlib"
    assert fold("إدلب") == fold("ادلب")
    assert fold("Łódź") == "lodz"
    assert fold("سوريّة") == fold("سورية")


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded word is its own folding, so that tables and texts meet."""
    assert fold(fold(text)) == fold(text)


def test_words_are_parted_at_apostrophes_and_hyphens() -> None:
    """Names and texts are cut alike."""
    assert words_of("N'Djamena") == ["n", "djamena"]
    assert words_of("Deir ez-Zor") == ["deir", "ez", "zor"]


def test_keys_are_48_bits_and_stable() -> None:
    """The hash is part of the file's format: it may never change silently."""
    assert key_of("en:chad") == key_of("en:chad") < 1 << 48
    assert key_of("c:aleppo") == 2219134996430


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_names_most_countries(language: str) -> None:
    """Each language knows many countries by their plain names."""
    known = {
        "en": "Syria", "ru": "Сирия", "uk": "Сирія", "ar": "سوريا", "es": "Siria", "fr": "Syrie", "tr": "Suriye",
        "fa": "سوریه", "he": "סוריה", "hy": "Սիրիա", "az": "Suriya", "zh": "叙利亚", "de": "Syrien", "pt": "Síria",
        "pl": "Syria",
    }[language]  # fmt: skip
    ((value, *_),) = gazetteer().find([f"{language}:{fold(known)}"])
    entry = gazetteer().entry(value)
    assert (entry.country, entry.kind) == ("SY", Kind.COUNTRY)


@pytest.mark.parametrize(
    ("language", "text", "name", "country"),
    [
        ("en", "Shelling near Deir ez-Zor", "Deir ez-Zor", "SY"),
        ("en", "Gunmen raid a village in Plateau state", "Plateau state", "NG"),
        ("en", "M23 advances", "M23", "CD"),
        ("ru", "Обстрелы в Донецкой области", "Донецкой области", "UA"),
        ("ru", "Взрыв в Кабуле", "Кабуле", "AF"),
        ("ru", "Заложники в Нигере", "Нигере", "NE"),
        ("ru", "Заложники в Нигерии", "Нигерии", "NG"),
        ("uk", "Вибухи під Києвом", "Києвом", "UA"),
        ("uk", "Заручники в Нігері", "Нігері", "NE"),
        ("pl", "Wybuch w Bagdadzie", "Bagdadzie", "IQ"),
        ("pl", "Próba rakietowa w Korei Północnej", "Korei Północnej", "KP"),
        ("tr", "Halep'te çatışma", "Halep", "SY"),
        ("az", "Ermənistanda etiraz", "Ermənistanda", "AM"),
        ("hy", "Պայթյուն Երևանում", "Երևանում", "AM"),
        ("ar", "انفجار بالعراق", "بالعراق", "IQ"),
        ("ar", "مقتل جندي في شمال سيناء", "شمال سيناء", "EG"),
        ("he", "ירי בלבנון", "בלבנון", "LB"),
        ("he", "פיגוע בתל אביב", "בתל אביב", "IL"),
        ("fa", "انفجار در زاهدان", "زاهدان", "IR"),
        ("zh", "若开邦发生冲突", "若开邦", "MM"),
        ("de", "Gefechte in Nordkivu und im Südsudan", "Südsudan", "SS"),
        ("fr", "Attaque en Côte d'Ivoire", "Côte d'Ivoire", "CI"),
        ("es", "Atentado en Cauca", "Cauca", "CO"),
        ("pt", "Ataque em Cabo Delgado", "Cabo Delgado", "MZ"),
    ],
)
def test_names_are_found_in_their_inflected_forms(language: str, text: str, name: str, country: str) -> None:
    """Regions, towns and countries are found as the grammar of each language writes them."""
    assert (name, country) in found(text, language)


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("Unrest in Nagorno-Karabakh", "AZ"), ("Unrest in Gaza", "PS"), ("Unrest in the West Bank", "PS"),
        ("Unrest in Kosovo", "XK"), ("Unrest in Taiwan", "TW"), ("Unrest in Western Sahara", "EH"),
        ("Unrest in Crimea", "UA"), ("Unrest in Abkhazia", "GE"), ("Unrest in Transnistria", "MD"),
        ("Unrest in Somaliland", "SO"), ("Unrest in Donetsk", "UA"),
    ],
)  # fmt: skip
def test_disputed_regions_are_where_the_codebook_puts_them(text: str, country: str) -> None:
    """The codebook decides whose country a disputed region is."""
    assert [c for _, c in found(text, "en")] == [country]


@pytest.mark.parametrize(
    "text",
    [
        "Paris Hilton sells house", "Real Madrid win again", "He told us more", "Jordan Peterson speaks",
        "Sam Houston Rockets fan club meets", "Indian Ocean storm", "Reading the date is most welcome",
    ],
)  # fmt: skip
def test_lures_name_no_place(text: str) -> None:
    """People, clubs, oceans and common words are no places."""
    assert found(text, "en") == []


def test_abbreviations_count_in_capitals_only() -> None:
    """ "US" is a country, "us" is not."""
    assert found("US envoy meets us", "en") == [("US", "US")]
    assert found("Car bomb goes off", "en") == []
    assert found("Rebels leave the CAR", "en") == [("CAR", "CF")]


def test_the_rest_of_the_text_settles_a_shared_name() -> None:
    """Georgia is the state where Atlanta stands beside it and the country beside Tbilisi."""
    assert ("Georgia", "US") in found("Protest in Atlanta, Georgia", "en")
    assert ("Georgia", "GE") in found("Protest in Tbilisi, Georgia", "en")
    assert ("Tripoli", "LB") in found("Clashes in Tripoli as Beirut sends troops", "en")
    assert ("Tripoli", "LY") in found("Clashes in Tripoli as Benghazi sends troops", "en")


@pytest.mark.parametrize(
    ("language", "text", "classes"),
    [
        ("tr", "Ordu Halep'i vurdu", ["HIT", "<R>"]),
        ("tr", "Mali'de saldırı", ["LOC", "<N>"]),
        ("az", "Suriyada toqquşma", ["LOC", "<N>"]),
        ("hy", "Պայթյուն Երևանում", ["LOC", "<P>"]),
        ("he", "ירי בלבנון", ["LOC", "<N>"]),
        ("ar", "انفجار بالعراق", ["LOC", "<N>"]),
        ("zh", "在叙利亚", ["LOC", "<N>"]),
    ],
)
def test_endings_and_particles_become_words(language: str, text: str, classes: list[str]) -> None:
    """What one language says with an ending another says with a preposition: the scorer sees the same."""
    words: dict[Field, list[Word]] = {"title": words_in(text), "summary": []}
    masked, _ = mask(words["title"], find_mentions(words, language, gazetteer()), language)
    at = masked.classes.index(classes[1])
    assert masked.classes[at - 1 : at + 1] == classes


def test_names_from_the_lexicons_are_read() -> None:
    """What a language's lexicon lists under ``[countries]`` is found although the gazetteer was built without it."""
    extra = extra_names("ru")
    assert extra.words or extra.beginnings
    assert extra_names("xx").words == {}


def test_a_place_has_its_position() -> None:
    """Towns carry the coordinates of the town itself."""
    entry = gazetteer().entry(gazetteer().find(["c:aleppo"])[0][0])
    assert entry.lat == pytest.approx(36.2, abs=0.1)
    assert entry.lon == pytest.approx(37.16, abs=0.1)


def test_unknown_names_have_no_meaning() -> None:
    """A made-up name finds nothing, and no names find nothing."""
    assert gazetteer().find(["c:qwertzuiopsk", "en:qwertzuiopsk"]) == [(), ()]
    assert gazetteer().find([]) == []


@pytest.mark.parametrize("data", [b"", b"not a file", b"PK\x03\x04 broken"])
def test_a_damaged_file_is_named(data: bytes) -> None:
    """A broken gazetteer is refused in one line that names the file."""
    with pytest.raises(GazetteerError, match=r"^places\.npz: not a readable gazetteer"):
        Gazetteer(data, "places.npz")


def test_another_version_is_refused() -> None:
    """A file of a later format is not guessed at."""
    out = io.BytesIO()
    np.savez(out, format=np.array([99], dtype=np.uint8))
    with pytest.raises(GazetteerError, match="format 99"):
        Gazetteer(out.getvalue(), "places.npz")


@given(st.text(max_size=200), st.sampled_from(LANGUAGES))
def test_mentions_lie_in_the_text_and_apart(text: str, language: str) -> None:
    """Whatever the text, names lie inside it, in order, and never overlap."""
    words: dict[Field, list[Word]] = {"title": words_in(text), "summary": []}
    end = 0
    for mention in find_mentions(words, language, gazetteer()):
        assert end <= mention.start < mention.end <= len(text)
        end = mention.end
