"""Where the event happened: countries and places in all fifteen languages."""

from __future__ import annotations

import json
import time
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.assessment import Text
from classifiers.gazetteer import gazetteer
from classifiers.language import detect
from classifiers.place_features import Evidence
from classifiers.places import evidence_of, read_places, score, select

EVENTS = [
    ("en", "SY", "Moscow says nine people were killed in an air strike near Idlib"),
    ("en", "SY", "Israel strikes Damascus"),
    ("en", "YE", "US drone kills three in Yemen"),
    ("en", "AZ TR", "Turkey denies sending fighters to Azerbaijan"),
    ("en", "CM", "Boko Haram gunmen kill thirty in Cameroon village"),
    ("en", "AZ", "Washington urges restraint after Nagorno-Karabakh clashes"),
    ("en", "IL", "Hezbollah fires rockets at Kiryat Shmona"),
    ("en", "NE", "Niger junta expels French ambassador"),
    ("en", "MZ", "Troops retake Palma from insurgents"),
    ("en", "IN", "Kashmir attack kills seven pilgrims"),
    ("en", "US", "Gunman shot dead in Atlanta, Georgia"),
    ("en", "GE", "Police fire tear gas in Tbilisi, Georgia"),
    ("ru", "SO", "В Могадишо смертник взорвал автомобиль у гостиницы, десять погибших"),
    ("ru", "LY", "Париж осудил столкновения в Ливии"),
    ("ru", "UA", "Ночью беспилотники ударили по Одессе, сообщили власти"),
    ("uk", "UA", "Уночі дрони вдарили по Миколаєву, є поранені"),
    ("uk", "YE", "У Ємені внаслідок авіаудару загинули семеро людей"),
    ("ar", "YE", "غارة جوية على الحديدة وسقوط قتلى"),
    ("ar", "LY", "اشتباكات عنيفة في طرابلس بين مجموعات مسلحة في ليبيا"),
    ("es", "CO", "Cinco policías muertos en un ataque con explosivos en Tumaco"),
    ("es", "ML", "Alemania retira sus tropas de Malí"),
    ("fr", "BF", "Une vingtaine de civils tués près de Djibo, au Burkina Faso"),
    ("fr", "UA", "Des missiles russes frappent Odessa"),
    ("tr", "IQ", "Bağdat'ta bombalı saldırı: dokuz ölü"),
    ("tr", "SY", "İdlib'de hava saldırısı"),
    ("fa", "AF", "انفجار در قندهار پنج کشته برجای گذاشت"),
    ("fa", "SY", "حمله هوایی به حلب"),
    ("he", "LB", "חיל האוויר תקף בדרום לבנון"),
    ("he", "SY", "פיצוץ בחלב, סוריה"),
    ("hy", "AM", "Երևանում ոստիկանությունը ցրել է ցուցարարներին"),
    ("hy", "SY", "Ավիահարված Սիրիայում, կան զոհեր"),
    ("az", "AZ", "Laçın istiqamətində atəşkəs pozulub"),
    ("az", "SY", "Suriyada aviazərbə nəticəsində beş nəfər həlak olub"),
    ("zh", "SD", "苏丹喀土穆发生激烈交火"),
    ("zh", "UA", "基辅遭到导弹袭击"),
    ("de", "ML", "Anschlag auf Bundeswehrkonvoi in Mali"),
    ("de", "NG", "Bewaffnete entführen Schüler in Nigeria"),
    ("pt", "MZ", "Insurgentes atacam vila em Cabo Delgado"),
    ("pt", "CO", "Explosão mata três soldados na Colômbia"),
    ("pl", "UA", "Rosyjskie rakiety spadły na Charków"),
    ("pl", "IQ", "Zamach w Bagdadzie, dziesięć ofiar"),
]


@pytest.mark.parametrize(("language", "countries", "title"), EVENTS)
def test_the_event_is_where_it_happened(language: str, countries: str, title: str) -> None:
    """The country struck, not the one that strikes, comments or mediates, in every language."""
    assert set(read_places(Text(title), language).countries) == set(countries.split())


def test_every_language_is_tested() -> None:
    """All fifteen languages stand in the table of events."""
    assert len({language for language, *_ in EVENTS}) == 15


def test_own_examples_are_read_as_they_are_labelled() -> None:
    """Of the project's own example texts at least nine in ten countries are right, whatever the language."""
    hit = wrong = missed = 0
    source = (files("classifiers") / "gazetteer" / "examples.tsv").read_text("utf-8")
    for line in source.splitlines():
        if line.startswith("#"):
            continue
        _, countries, title = line.split("\t")
        read = set(read_places(Text(title), detect(Text(title))[0]).countries)
        true = set(countries.split())
        hit, wrong, missed = hit + len(read & true), wrong + len(read - true), missed + len(true - read)
    assert 2 * hit / (2 * hit + wrong + missed) >= 0.9


def test_places_carry_positions_and_exact_offsets() -> None:
    """A town is given with country, coordinates and the characters it stands on, in title and summary."""
    text = Text("Shelling kills two", "Shells fell on the centre of Aleppo, Syria, on Friday.")
    (place,) = read_places(text, "en").places
    assert (place.name, place.country, place.field) == ("Aleppo", "SY", "summary")
    assert text.summary[place.start : place.end] == "Aleppo"
    assert place.lat == pytest.approx(36.2, abs=0.1)


def test_places_of_mere_commentators_are_left_out() -> None:
    """A capital that only speaks of the event is no place of it."""
    reading = read_places(Text("Moscow says nine people were killed in an air strike near Idlib"), "en")
    assert [place.name for place in reading.places] == ["Idlib"]


def test_a_text_without_names_is_nowhere() -> None:
    """Nothing named, nothing read."""
    assert read_places(Text("Talks resume after a night of shelling"), "en") == ((), ())
    assert read_places(Text(""), "und") == ((), ())


def test_unsupported_languages_are_read_as_far_as_names_go() -> None:
    """A country whose name is written as in English is found in any language."""
    assert read_places(Text("Esplosione a Kabul"), "it").countries == ("AF",)


def test_names_are_masked_before_they_are_weighed() -> None:
    """No feature holds a name: the scorer cannot learn which countries are at war today."""
    for evidence in evidence_of(Text("Troops shelled Aleppo in Syria, Damascus said"), "en", lexical=True):
        told = " ".join(evidence.features).lower()
        assert not any(name in told for name in ("aleppo", "syria", "damascus"))


def test_the_likeliest_is_taken_where_none_is_sure() -> None:
    """An item names no country of its event only where even the best candidate is unlikely."""
    weights = {"": 0.0, "weak": -1.0, "hopeless": -9.0, "strong": 2.0}
    assert select([Evidence("AA", ["weak"]), Evidence("BB", ["hopeless"])], weights, 0.0) == ("AA",)
    assert select([Evidence("BB", ["hopeless"])], weights, 0.0) == ()
    assert select([Evidence("AA", ["strong"]), Evidence("BB", ["strong", "strong"])], weights, 0.0) == ("BB", "AA")
    assert score(Evidence("AA", ["strong", "unknown"]), weights) == 2.0


def test_weights_know_only_features() -> None:
    """The weights are two tables of finite numbers, each with its bias."""
    weights = json.loads((files("classifiers") / "gazetteer" / "weights.json").read_text("utf-8"))
    assert set(weights) == {"en", "other"}
    assert all(abs(value) < 20 for table in weights.values() for value in table.values())
    assert all("" in table for table in weights.values())


@given(
    st.text(max_size=200),
    st.text(max_size=300),
    st.sampled_from(["en", "ru", "ar", "he", "zh", "tr", "hy", "it", "und"]),
)
def test_any_text_is_read(title: str, summary: str, language: str) -> None:
    """Whatever the text, countries are two letters and places lie where they say."""
    text = Text(title, summary)
    reading = read_places(text, language)
    assert all(len(country) == 2 for country in reading.countries)
    for place in reading.places:
        source = text.title if place.field == "title" else text.summary
        assert 0 <= place.start < place.end <= len(source)
        assert place.country in reading.countries


def test_the_cost_is_linear() -> None:
    """Ten times the text takes less than thirty times the time, and a short item a few milliseconds at most."""
    gazetteer()
    sentence = "Troops shelled Aleppo in Syria and the army of Sudan moved on El Fasher, officials in Cairo said. "
    short, long = Text("Shelling", sentence * 4), Text("Shelling", sentence * 40)
    read_places(short, "en")

    def cost(text: Text) -> float:
        taken = []
        for _ in range(5):
            start = time.process_time()
            read_places(text, "en")
            taken.append(time.process_time() - start)
        return min(taken)

    assert cost(long) < 30 * max(cost(short), 0.0005)
