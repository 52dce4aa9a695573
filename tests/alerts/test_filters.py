"""Which stories a filter asks for, and what it misses otherwise."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.alerts.filters import Match, Miss, distance_km, glob, match, nearest, subject
from bot.model import Certainty, Circle, Filter, Reason, Rule, Severity, Where
from classifiers.assessment import Place

from .builders import item, opening, read

_ITEM = item(
    "Drone strike on the port of Qaryat kills nine", "Dockers were among the dead.", outlet="live.herald.example"
)
_PLACES = (Place("Qaryat", "YE", 15.0, 45.0, "title", 0, 5),)
_UPDATE = opening(_ITEM, read("remote_strike", "casualties", killed=9, places=_PLACES))
_SUBJECT = subject(_UPDATE.story, _ITEM)

_HITS = [
    Filter(),
    Filter(signals=("remote_*",)),
    Filter(signals=("talks", "casualties")),
    Filter(min_severity=Severity.SEVERE),
    Filter(countries=("SY", "YE")),
    Filter(places=(Circle("near", 15.1, 45.0, 20),)),
    Filter(countries=("SY",), places=(Circle("near", 15.1, 45.0, 20),)),
    Filter(outlets=("herald.example",)),
    Filter(outlets=("*.example",)),
    Filter(languages=("en-GB",)),
    Filter(words=("PORT of Qaryat",)),
    Filter(words=("nothing", "dockers")),
    Filter(
        exclude_signals=("talks",), exclude_countries=("SY",), exclude_outlets=("x.example",), exclude_words=("cup",)
    ),
]
_MISSES = [
    (Filter(signals=("ceasefire_*",)), Reason.OTHER_SIGNALS),
    (Filter(min_severity=Severity.EXTREME), Reason.BELOW_SEVERITY),
    (Filter(min_certainty=Certainty.LIKELY), Reason.BELOW_CERTAINTY),
    (Filter(countries=("SY",)), Reason.OUTSIDE),
    (Filter(places=(Circle("far", 25.0, 45.0, 20),)), Reason.OUTSIDE),
    (Filter(outlets=("other.example",)), Reason.OTHER_WORDS),
    (Filter(languages=("fr",)), Reason.OTHER_WORDS),
    (Filter(words=("por",)), Reason.OTHER_WORDS),
    (Filter(words=("",)), Reason.OTHER_WORDS),
    (Filter(exclude_signals=("remote_*",)), Reason.EXCLUDED),
    (Filter(exclude_countries=("YE",)), Reason.EXCLUDED),
    (Filter(exclude_outlets=("herald.example",)), Reason.EXCLUDED),
    (Filter(exclude_words=("drone strike",)), Reason.EXCLUDED),
]


@pytest.mark.parametrize("asked", _HITS)
def test_hit(asked: Filter) -> None:
    """Each of these filters asks for the story."""
    assert match(asked, _SUBJECT) == Match()


@pytest.mark.parametrize(("asked", "reason"), _MISSES)
def test_miss(asked: Filter, reason: Reason) -> None:
    """Each of these filters misses it, for a named reason that says what was there."""
    missed = match(asked, _SUBJECT)
    assert isinstance(missed, Miss)
    assert missed.reason is reason
    assert missed.detail
    assert missed.distance > 0


def test_country_partly_excluded() -> None:
    """A story in two countries is not excluded by one of them."""
    both = replace(_UPDATE.story, countries=("YE", "SA"))
    assert match(Filter(exclude_countries=("YE",)), subject(both, _ITEM)) == Match()


def test_chinese_words_are_found_inside_text() -> None:
    """Chinese has no spaces: a word is found anywhere in the text."""
    one = item("港口遭无人机袭击九人死亡")
    update = opening(one, read("remote_strike"))
    assert match(Filter(words=("无人机",)), subject(update.story, one)) == Match()


def test_place_without_coordinates_is_in_no_circle() -> None:
    """Unknown coordinates are infinitely far away, not at zero."""
    assert distance_km(Circle("null island", 0, 0, 100), Where("somewhere", "YE")) == float("inf")


def test_distance_over_the_date_line() -> None:
    """Distances are great circles: 179°E and 179°W are neighbours."""
    assert distance_km(Circle("c", 0, 179.5, 1), Where("w", "FJ", 0, -179.5)) == pytest.approx(111.2, abs=0.5)


def test_nearest_rule() -> None:
    """The nearest rule is the one that misses by least."""
    far = Rule("far", Filter(signals=("talks",), countries=("SY",), min_severity=Severity.EXTREME))
    near = Rule("near", Filter(min_severity=Severity.EXTREME))
    found = nearest([far, near, Rule("hit", Filter())], _SUBJECT)
    assert found is not None
    assert found[0].name == "near"


@settings(deadline=None)
@given(st.text("ab*", max_size=8), st.text("ab", max_size=12))
def test_glob_agrees_with_its_definition(pattern: str, name: str) -> None:
    """A glob matches as a plain recursive reading of it does."""

    def slow(p: str, n: str) -> bool:
        if not p:
            return not n
        if p[0] == "*":
            return any(slow(p[1:], n[k:]) for k in range(len(n) + 1))
        return bool(n) and n[0] == p[0] and slow(p[1:], n[1:])

    assert glob(pattern, name) == slow(pattern, name)


def test_hostile_patterns_take_no_time() -> None:
    """Patterns made to make a matcher back-track are answered at once (X24)."""
    long = item("a" * 20_000, "a " * 20_000)
    of = subject(opening(long, read("talks")).story, long)
    started = time.perf_counter()
    match(Filter(words=(("a " * 200) + "b",), outlets=("*a" * 200 + "b",)), of)
    glob("*a" * 500 + "b", "a" * 20_000)
    assert time.perf_counter() - started < 1.0


@settings(deadline=None)
@given(st.text(max_size=30), st.text(max_size=60))
def test_any_words_any_text(phrase: str, text: str) -> None:
    """No phrase and no text makes matching fail; a phrase is found in a text that is that phrase."""
    one = item(text or "x")
    assert isinstance(match(Filter(words=(phrase,)), subject(opening(one, read("talks")).story, one)), Match | Miss)
    itself = item(phrase or "x")
    if any(c.isalnum() and c.isascii() for c in phrase):
        assert match(Filter(words=(phrase,)), subject(opening(itself, read("talks")).story, itself)) == Match()
