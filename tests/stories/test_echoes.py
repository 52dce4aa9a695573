"""The same event in other languages, and pieces that add nothing to what was told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.alerts.judge import final_stories, judge
from bot.model import Filter, Item, Reason, Rule, Story
from bot.stories.bridges import ENOUGH, Bridges, points
from bot.stories.grouping import Grouper
from bot.stories.situations import Situations
from classifiers.assessment import Assessment, Place, Toll
from tests.alerts.builders import told

from .builders import at, item, read, story

_QARYAT = Place("Qaryat", "YE", 15.0, 45.0, "title", 0, 6)
_OTHER = Place("Al Wadi", "YE", 16.0, 46.0, "title", 0, 6)
_ENGLISH = item("Air strike on Qaryat market kills nine")
_RUSSIAN = item("При авиаударе по рынку погибли 9 человек", hours=1, outlet="b.example", language="ru")
_READ = read("remote_strike", "casualties", killed=9, places=[_QARYAT])
_RULES = [Rule("all", Filter())]


def _russian(assessment: Assessment) -> Assessment:
    return replace(assessment, language="ru")


def test_event_told_in_two_languages_is_one_story() -> None:
    """Place, toll, kind and hour agree: one story, though no word is shared; and a second source confirms it."""
    grouping = Grouper().group([_ENGLISH, _RUSSIAN], [_READ, _russian(_READ)], at(2))
    assert len(set(grouping.assignments.values())) == 1
    assert [source.independent for source in grouping.updates[-1].story.sources] == [True, True]


@pytest.mark.parametrize(
    "assessment",
    [
        replace(_READ, countries=("SY",)),
        replace(_READ, killed=Toll(best=31), places=(_OTHER,)),
        replace(_READ, labels=("unrest",), signals={"unrest": 0.9}),
        replace(_READ, language="en"),
        replace(_READ, language="und"),
    ],
)
def test_no_bridge(assessment: Assessment) -> None:
    """Another country, another place and toll, another kind, the same or an unknown language: no bridge."""
    spoken = assessment if assessment.language == "und" else _russian(assessment)
    if assessment is not _READ and assessment == replace(_READ, language="en"):
        spoken = assessment
    known = replace(story((_ENGLISH, _READ)), print={"languages": ("en",)})
    assert points(_RUSSIAN, spoken, known, 0) < ENOUGH


def test_late_text_finds_no_bridge() -> None:
    """A day later the same place and toll are another event, or an old one."""
    known = replace(story((_ENGLISH, _READ)), print={"languages": ("en",)})
    late = replace(_RUSSIAN, published=at(25))
    assert points(late, _russian(_READ), known, 1) == 0
    assert Bridges([known]).find(late, _russian(_READ), {}) is None
    assert Bridges([known]).find(_RUSSIAN, _russian(_READ), {}) == known.id


def test_bridges_are_taken_back_with_the_batch() -> None:
    """A story that was rolled back is no bridgehead."""
    grouper = Grouper()
    grouper.group([_ENGLISH], [_READ], at(1))
    grouper.rollback()
    grouping = grouper.group([_RUSSIAN], [_russian(_READ)], at(2))
    assert grouping.updates[0].before is None


def _told(assessment: Assessment = _READ) -> Story:
    return told(story((_ENGLISH, assessment)))


def _piece(assessment: Assessment, title: str = "Mourning in the valley") -> Story:
    return story((item(title, hours=3, outlet="c.example"), assessment))


@pytest.mark.parametrize(
    ("assessment", "silent"),
    [
        (read("remote_strike", places=[_QARYAT]), True),  # no toll, known place
        (read("remote_strike", killed=9, places=[_QARYAT]), True),  # the known toll
        (read("remote_strike"), True),  # vague
        (read("remote_strike", killed=3, places=[_QARYAT]), False),  # a toll of its own
        (read("remote_strike", places=[_OTHER]), False),  # another place
        (read("remote_strike", severity="extreme"), False),  # graver
        (read("remote_strike", "ceasefire_breakdown"), False),  # a turn
        (read("remote_strike", "threat"), False),  # news of its own
        (read("armed_clash"), False),  # another kind of violence
        (read("remote_strike", countries=("SY",)), False),  # another country
        (read("remote_strike", countries=()), False),  # no country told
    ],
)
def test_echo(assessment: Assessment, silent: bool) -> None:
    """A piece that names known places and tolls, or none, is an echo; whatever goes beyond that is not."""
    assert bool(Situations([_told()]).echo(_piece(assessment))) is silent


def test_round_figure_of_the_running_toll_is_an_echo() -> None:
    """In a war whose toll was told, the same toll in round numbers is no news; a risen one is."""
    known = Situations([_told(read("armed_clash", killed=185, severity="extreme"))])
    assert known.echo(_piece(read("armed_clash", killed=180)))
    assert not known.echo(_piece(read("armed_clash", killed=240)))


def test_small_toll_without_a_place_is_no_echo() -> None:
    """Two dead somewhere are not the two dead who were told of: small numbers are too common."""
    known = Situations([_told(read("armed_clash", killed=2))])
    assert not known.echo(_piece(read("armed_clash", killed=2)))


def test_nothing_told_no_echo() -> None:
    """Without anything told of a country its first story is news."""
    assert Situations([replace(_told(), told=None)]).echo(_piece(_READ)) == ""


def _judged(grouper: Grouper, one: Item, assessment: Assessment) -> Reason:
    verdicts = judge(grouper.group([one], [assessment], one.published).updates, _RULES, one.published)
    grouper.commit(final_stories(verdicts))
    return verdicts[0].reason


def test_echo_in_the_line() -> None:
    """The portrait after the strike is silent; the strike on another town is told."""
    grouper = Grouper()
    assert _judged(grouper, _ENGLISH, _READ) is Reason.NEW_STORY
    portrait = item("A father remembers his daughters", hours=4, outlet="c.example")
    assert _judged(grouper, portrait, read("remote_strike", places=[_QARYAT])) is Reason.NO_CHANGE
    second = item("Jets bomb bridge near Al Wadi", hours=5)
    assert _judged(grouper, second, read("remote_strike", places=[_OTHER])) is Reason.NEW_STORY
