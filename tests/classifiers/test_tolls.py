"""Tolls in English: what is counted, what is added up, and what is no toll at all."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.assessment import Text, Toll
from classifiers.lexicon import load_lexicon
from classifiers.passage import LONGEST, read_passages
from classifiers.toll_features import TollFeatures
from classifiers.toll_scene import mentions_of
from classifiers.tolls import TollReading, dump_toll_model, load_toll_model, parse_toll_model, read_toll

LABELS = ("armed_clash", "casualties")


def read(title: str, summary: str = "") -> TollReading:
    """The toll of a text that is known to be about casualties."""
    return read_toll(Text(title, summary), "en", LABELS)


def best(toll: Toll | None) -> int | None:
    """The stated number, ``None`` where there is none."""
    return toll.best if toll else None


@pytest.mark.parametrize(
    ("title", "killed", "injured"),
    [
        ("At least 12 people were killed in the shelling of Dara", 12, None),
        ("3 dead in attack on ferry terminal", 3, None),
        ("Blast kills 12, hurts 40", 12, 40),
        ("A suicide bomber kills nine in Kandahar", 9, None),
        ("Three soldiers and two civilians were killed in an ambush", 5, None),
        ("At least 30 rebels and 12 soldiers have died in a battle for the bridge", 42, None),
        ("Death toll of bombing rises to 54", 54, None),
        ("Death toll rises from 31 to 54 after bombing", 54, None),
        ("The number of dead in the siege has climbed to 1,204", 1204, None),
        ("A soldier was killed on the border", 1, None),
        ("Journalist shot dead in Mosul", 1, None),
        ("Two dozen recruits were killed when a missile hit their barracks", 24, None),
        ("Seventeen civilians have been killed by a roadside bomb", 17, None),
        ("Gunmen kill six policemen and wound eleven", 6, 11),
        ("Up to 30 fighters were killed, the army says", 30, None),
        ("Four people, including two children, were killed by a mortar shell", 4, None),
        ("Nine killed, among them three women, as rocket hits bus", 9, None),
        ("Twenty people are injured in a grenade attack", None, 20),
        ("More than a hundred wounded as police break up protest", None, 100),
        ("Air strike leaves eight dead and fifteen injured", 8, 15),
        ("Eleven dead, five of them children", 11, None),
        ("Rebels say they killed 22 soldiers in the attack", 22, None),
        ("The bodies of seven kidnapped villagers were found", 7, None),
        ("Militants execute three captives", 3, None),
    ],
)
def test_a_stated_number_is_the_toll(title: str, killed: int | None, injured: int | None) -> None:
    """Headlines, passives, both sides, words and rising tolls give the number that they state."""
    reading = read(title)
    assert (best(reading.killed), best(reading.injured)) == (killed, injured)


@pytest.mark.parametrize(
    ("title", "toll"),
    [
        ("Between 40 and 50 fighters were killed in the raid", Toll(low=40, best=45, high=50)),
        ("30-50 killed as bombs hit market", Toll(low=30, best=40, high=50)),
        ("At least 12 people were killed in the blast", Toll(low=12, best=12, high=None)),
        ("Up to 12 people were killed in the blast", Toll(low=None, best=12, high=12)),
        ("Twelve people were killed in the blast", Toll(low=12, best=12, high=12)),
        ("54 more soldiers were killed; a total of 158 have died", Toll(54, 54, 54, 158)),
        ("Dozens of people were killed in the raid", Toll(words="dozens")),
        ("Hundreds of people have been killed in the fighting", Toll(words="hundreds")),
        ("Scores killed as armies battle for the capital", Toll(words="scores")),
        ("More than 9,000 civilians have been killed since the invasion began", Toll(total=9000)),
    ],
)
def test_low_high_total_and_words(title: str, toll: Toll) -> None:
    """Bounds, cumulative totals and amounts without a number are kept as the text gives them."""
    assert read(title).killed == toll


@pytest.mark.parametrize(
    "title",
    [
        "Flight 370 crew remembered",
        "Brigade 36 holds Hill 203",
        "The 12th day of fighting",
        "Shells fall 30 km from the city",
        "Army buys 40 tanks for $300 million",
        "War enters its 8th year",
        "Talks on 11 March in Geneva",
        "A 24-year-old pilot speaks of captivity",
        "Nobody was killed in the blast",
        "",
    ],
)
def test_numbers_of_other_things_are_no_toll(title: str) -> None:
    """Flights, units, dates, distances, money, ages and explicit zeros give no number."""
    reading = read(title)
    assert (best(reading.killed), best(reading.injured)) == (None, None)


@given(
    st.integers(1900, 2099),
    st.sampled_from(
        [
            "In {} shells killed nine people in Dara",
            "Nine people were killed in Dara in {}",
            "Nine killed in Dara, the worst attack since {}",
            "Nine killed in Dara on 4 May {}",
            "{}: nine killed in Dara",
            "Shells killed nine in Dara, scene of the {} siege",
        ]
    ),
)
@settings(max_examples=60)
def test_a_year_is_never_the_toll(year: int, frame: str) -> None:
    """Wherever a year stands in a sentence, it is neither the toll nor part of it."""
    reading = read(frame.format(year))
    assert best(reading.killed) == 9
    assert year not in [figure.best for figure in reading.figures]


IRRELEVANT = [
    "The weather was fine.",
    "Read more on our pages.",
    "The bridge was built in 1974 for 30 million dollars.",
    "Photo: city archive.",
    "Our correspondent reports from the scene.",
]


@given(
    st.integers(2, 900),
    st.sampled_from(["Shells kill {} people in Dara", "{} people were killed in Dara", "{} dead in Dara attack"]),
    st.lists(st.sampled_from(IRRELEVANT), max_size=3),
)
@settings(max_examples=60)
def test_irrelevant_sentences_change_nothing(number: int, frame: str, after: list[str]) -> None:
    """What follows and tells of nobody's death leaves the toll as it was."""
    title = frame.format(number)
    assert read(title, " ".join(after)).killed == read(title).killed
    assert best(read(title).killed) == number


@given(st.integers(1, 400), st.integers(1, 400))
@settings(max_examples=40)
def test_groups_of_one_clause_are_added(first: int, second: int) -> None:
    """Two groups that share one word of killing are one toll."""
    title = f"The army says {first} soldiers and {second} civilians were killed in the attack"
    expected = first + second
    assert best(read(title).killed) == expected


@given(st.integers(1, 4000), st.integers(1, 4000))
@settings(max_examples=40)
def test_killed_and_injured_are_kept_apart(dead: int, hurt: int) -> None:
    """In "N killed, M wounded" each number goes to its own word, whatever they are."""
    if 1900 <= dead <= 2099 or 1900 <= hurt <= 2099:
        return
    reading = read(f"{dead:,} killed and {hurt:,} wounded in fighting near Dara")
    assert (best(reading.killed), best(reading.injured)) == (dead, hurt)


def test_a_long_article_keeps_its_parts_apart() -> None:
    """In a whole article the newest toll, the total, another side's dead and fighters sent are figures of their own."""
    summary = (
        "Northland has offered a truce after a week of fighting in the Vale.\n\n"
        "The offer came after 61 more Northland soldiers were killed. A total of 203 Northland soldiers have died.\n\n"
        "The two presidents spoke by telephone. Envoys met on Friday. Meanwhile, 14 civilians were killed by shells in "
        "the south.\n\n"
        "The prime minister said that Eastmark had sent some 250 Syrians to the front. Eastmark denied the accusations."
    )
    reading = read("Northland wants a truce", summary)
    assert reading.killed is not None
    assert (reading.killed.best, reading.killed.total) == (61, 203)
    figures = {figure.best: figure for figure in reading.figures}
    assert figures[14].kind == "killed"
    assert figures[14].who == "civilians"
    assert not figures[61].cumulative
    assert figures[203].cumulative
    assert figures[250].kind == "fighters"
    assert summary[figures[250].start : figures[250].end] == "250"


def test_figures_say_who_and_by_whose_account() -> None:
    """A figure knows its people, their side, and who says so."""
    reading = read("According to the defence ministry, 12 Armenian soldiers were killed and 30 civilians fled")
    dead, fled = reading.figures
    assert (dead.kind, dead.best, dead.who, dead.party) == ("killed", 12, "soldiers", "AM")
    assert dead.claimant == "defence ministry"
    assert (fled.kind, fled.best, fled.who) == ("displaced", 30, "civilians")


def test_without_casualties_there_is_no_toll() -> None:
    """Where no signal is raised, or the model is sure that no casualties are reported, nothing is read."""
    text = Text("Bus crash kills 12 on mountain road")
    assert read_toll(text, "en", ()) == TollReading(None, None, ())
    assert read_toll(text, "en", (), {"casualties": 0.02}) == TollReading(None, None, ())
    assert read_toll(text, "en", ("talks",)).killed is None


def test_the_probability_of_casualties_weighs() -> None:
    """A plain number needs a likely signal; words of accidents make it need a likelier one."""
    strike, crash = Text("Shells kill 12 in Dara"), Text("Bus crash kills 12 in Dara")
    assert best(read_toll(strike, "en", (), {"casualties": 0.6}).killed) == 12
    assert read_toll(strike, "en", (), {"casualties": 0.3}).killed is None
    assert read_toll(crash, "en", (), {"casualties": 0.6}).killed is None


def test_a_language_without_lexicon_gives_nothing() -> None:
    """An unsupported language is not guessed at."""
    assert read_toll(Text("12 killed"), "ka", LABELS) == TollReading(None, None, ())


@given(st.text(max_size=200), st.sampled_from(["en", "ru", "ar", "he", "zh", "tr", "hy"]))
@settings(max_examples=150)
def test_any_text_is_read(text: str, language: str) -> None:
    """No text breaks the reader, and every figure lies inside its field."""
    for figure in read_toll(Text(text, text), language, LABELS).figures:
        assert 0 <= figure.start < figure.end <= len(text)


@pytest.mark.parametrize("unit", ["killed ", "12 killed ", "12 ", "a soldier ", "12, ", "after 12 people "])
def test_long_texts_are_read_in_linear_time(unit: str) -> None:
    """200 kB of triggers or numbers without a full stop take a moment: a field is read as far as its limit."""
    began = time.process_time()
    read("x", unit * (200_000 // len(unit)))
    assert time.process_time() - began < 5


def test_what_stands_beyond_the_limit_is_not_read() -> None:
    """A number that comes after some 3,000 words is no toll of the event."""
    filler = "The talks went on. " * (LONGEST // 19 + 1)
    assert read("Talks", filler + "Nine people were killed.").killed is None
    assert best(read("Talks", "Nine people were killed. " + filler).killed) == 9


def test_a_toll_has_at_most_four_parts_that_stand_close() -> None:
    """Sums of more than four mentions, or of mentions three sentences apart, are not even weighed."""
    text = Text("", "One soldier died. Two died. Three died. Four died. Five died. Six died.")
    lexicon = load_lexicon("en")
    assert lexicon is not None
    passages = read_passages(text, lexicon)
    scene = TollFeatures(passages, "killed", mentions_of(passages))
    sums = list(scene.sums())
    assert max(map(len, sums)) == 4
    sentences = [[scene.mentions[at].number.sentence for at in members] for members in sums]
    assert all(later - earlier <= 2 for s in sentences for earlier, later in pairwise(s))


def test_weights_survive_writing_and_reading() -> None:
    """A model read back from its file ranks alike, and the file of what was read is the same."""
    model = load_toll_model()
    written = dump_toll_model(model)
    assert dump_toll_model(parse_toll_model(written, "tolls.json")) == written
    assert parse_toll_model(written, "tolls.json").bias == model.bias


def test_weights_of_another_format_are_refused() -> None:
    """A file of another format is one clear error that names it."""
    written = dump_toll_model(load_toll_model()).replace('"format": 1', '"format": 7')
    with pytest.raises(ValueError, match=r"tolls\.json: format is 7, this version reads 1"):
        parse_toll_model(written, "tolls.json")


def test_weights_decide() -> None:
    """With the signs of its weights turned, the reader takes last year's dead for today's."""
    lexicon = load_lexicon("en")
    assert lexicon is not None
    passages = read_passages(Text("Blast kills 8 in the market; a bombing there killed 40 last year"), lexicon)
    scene = TollFeatures(passages, "killed", mentions_of(passages))
    model = load_toll_model()
    assert model.choose(scene).value == 8
    turned = {kind: {name: -weight for name, weight in known.items()} for kind, known in model.weights.items()}
    assert replace(model, weights=turned).choose(scene).value == 40
