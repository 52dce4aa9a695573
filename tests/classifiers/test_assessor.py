"""The assessor that ships: any text, exact evidence, light imports."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers import SIGNAL_IDS, Assessor, Text, to_json

_STORY = """[ad_1]

By Mara Linden, Highland Courier

The government of Armenia has proposed an immediate ceasefire after six days of heavy fighting with Azerbaijan
around Nagorno-Karabakh. Clashes went on along the whole front on Saturday.

Its foreign minister called for a truce through international mediators and said that any new attack would be
answered. The offer came after 54 more Armenian soldiers were killed. A total of 158 Armenian soldiers have died
since the fighting began, the army said.

Meanwhile 19 civilians were killed in shelling, local officials said. Many families spent the week in cellars and
schools in the region have been shut since Monday.

Armenia has accused Turkey of sending fighters from Syria to Azerbaijan. Turkey denied the accusation. A European
president said that some 300 fighters had been sent to the front by Turkey.

Russia is holding talks with Turkey to end the conflict, and both foreign ministers promised to work together.

Read more
"""


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    """The shipped model."""
    return shipped()


@cache
def shipped() -> Assessor:
    """The shipped model, loaded once."""
    return Assessor.load()


_ODD = [
    "",
    " ",
    "\x00",
    "\ud800",
    "😀😀😀",
    "x" * 200_000,
    "word " * 200_000,
    "漢字" * 300_000,
    "אב" * 100_000,
    "1" * 50_000,
    "a.b" * 200_000,
    "((((" * 50_000,
    "killed " * 100_000,
    "\n" * 500_000,
]


@pytest.mark.parametrize("odd", _ODD, ids=range(len(_ODD)))
def test_any_text_is_assessed(assessor: Assessor, odd: str) -> None:
    """Empty, broken, huge or meaningless texts are assessed like all others, in little time."""
    start = time.process_time()
    (assessment,) = assessor.assess([Text(odd, odd)])
    assert tuple(assessment.signals) == SIGNAL_IDS
    assert all(0.0 <= p <= 1.0 for p in assessment.signals.values())
    assert time.process_time() - start < 2.0  # far above what is measured: this only catches a hang


@given(st.lists(st.text(max_size=200), max_size=4))
@settings(deadline=None, max_examples=25)
def test_order_and_number_are_kept(texts: list[str]) -> None:
    """There is one assessment a text, in order, the same as for the text alone."""
    assessor = shipped()
    together = assessor.assess(texts)
    assert together == [assessor.assess([text])[0] for text in texts]


@given(st.sampled_from(["Shelling kills {}", "{} rejects ceasefire", "Peace talks: {}", "{}"]), st.text(max_size=80))
@settings(deadline=None, max_examples=25)
def test_evidence_is_exact(pattern: str, filler: str) -> None:
    """Each span of evidence is the text that stands at its offsets in the field it names."""
    text = Text(pattern.format(filler), f"{filler} soldiers fought. Continue reading...")
    for evidence in shipped().assess([text])[0].evidence:
        source = text.title if evidence.field == "title" else text.summary
        assert source[evidence.start : evidence.end] == evidence.text
        assert evidence.weight > 0


def test_every_label_has_evidence(assessor: Assessor) -> None:
    """A raised signal names at least one span, and only raised signals do."""
    (assessment,) = assessor.assess([Text("Air strikes hit the city", _STORY)])
    assert {e.signal for e in assessment.evidence} == set(assessment.labels)
    assert not assessor.assess(["Air strikes hit the city"], explain=False)[0].evidence


def test_json_keeps_the_contract(assessor: Assessor) -> None:
    """A line of `tocsin score --jsonl` holds the agreed keys in the agreed order, all 23 signals among them."""
    row = to_json(assessor.assess(["Rocket fire kills 14 in the border town"])[0], "a1")
    contract = [
        "id",
        "signals",
        "labels",
        "severity",
        "score",
        "killed",
        "injured",
        "countries",
        "language",
        "evidence",
    ]
    assert list(row)[: len(contract)] == contract
    assert tuple(row["signals"]) == SIGNAL_IDS
    assert list(row["evidence"][0]) == ["signal", "field", "start", "end", "text", "weight"]


def test_serving_needs_numpy_only() -> None:
    """Importing and using the assessor brings neither scikit-learn nor SciPy nor PyTorch along."""
    code = (
        "import sys; from classifiers import Assessor; Assessor.load().assess(['Shelling kills 3']);"
        "heavy = {'sklearn', 'scipy', 'torch', 'pandas'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_it_travels_to_worker_processes(assessor: Assessor) -> None:
    """An assessor survives pickling and says the same afterwards."""
    copy = pickle.loads(pickle.dumps(assessor))  # noqa: S301 - our own bytes
    text = "Militants ambush patrol, nine soldiers killed"
    assert copy.assess([text]) == assessor.assess([text])


def test_a_long_story_is_read_whole(assessor: Assessor) -> None:
    """An article with advertisement markers and a byline gives its signals, and an offer is no agreement."""
    (assessment,) = assessor.assess([Text("Armenia steps back, this time it wants a ceasefire", _STORY)])
    expected = {"ceasefire_proposal", "armed_clash", "casualties", "foreign_involvement", "talks"}
    assert expected <= set(assessment.labels)
    assert "ceasefire_agreement" not in assessment.labels
    assert assessment.severity == "extreme"
    assert "AZ" in assessment.countries
    assert not any("Read more" in e.text or "Linden" in e.text or "ad_1" in e.text for e in assessment.evidence)


def test_the_numbers_of_a_long_story(assessor: Assessor) -> None:
    """The new dead, all dead and the civilians are told apart; fighters are claimed by one side, denied by another."""
    (assessment,) = assessor.assess([Text("Armenia steps back, this time it wants a ceasefire", _STORY)])
    assert assessment.killed is not None
    assert (assessment.killed.best, assessment.killed.total) == (54, 158)
    assert [f.best for f in assessment.figures if f.who == "civilians"] == [19]
    assert [f.best for f in assessment.figures if f.kind == "fighters"] == [300]
    assert {"accused", "denied"} <= {claim.mode for claim in assessment.claims}


@pytest.mark.parametrize(
    "lure",
    [
        "Hurricanes beat Rangers in overtime shootout",
        "Supermarket price war hits dairy farmers",
        "Union and carmaker resume strike talks",
        "Bombshell as singer leaves the band",
        "Truce between rival bakers after years of quarrel over flour",
        "Chess champion attacks early and captures the title",
    ],
)
def test_lures_stay_silent(assessor: Assessor, lure: str) -> None:
    """Sport, business, accidents and metaphors raise nothing, whatever words they use."""
    assert assessor.assess([lure])[0].labels == ()


@pytest.mark.parametrize(
    ("title", "present", "absent"),
    [
        ("Rebels reject government's ceasefire offer", "ceasefire_breakdown", "ceasefire_agreement"),
        ("UN chief calls for an immediate ceasefire", "ceasefire_proposal", "ceasefire_agreement"),
        ("Warring sides agree to a week-long truce", "ceasefire_agreement", "ceasefire_breakdown"),
        ("Army accuses rebels of violating the truce", "ceasefire_breakdown", "ceasefire_agreement"),
    ],
)
def test_four_things_that_are_said_of_a_ceasefire(assessor: Assessor, title: str, present: str, absent: str) -> None:
    """Asked for, agreed, rejected and violated are told apart."""
    labels = assessor.assess([title])[0].labels
    assert present in labels
    assert absent not in labels
