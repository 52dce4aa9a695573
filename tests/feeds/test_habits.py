"""Habits of feeds: far too long a silence is seen, and what a feed always does is none."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feeds.habits import Habits

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
TICK = timedelta(minutes=5)


def lived(habits: Habits, source: random.Random, a_day: float, days: float, *, nights: bool = False) -> int:
    """Poll for so many days a feed that publishes at random (with ``nights`` not between 22 and 6, nor on Sundays).

    How many silences were seen.
    """
    silences, silent, now = 0, False, START
    for n in range(int(days * 288)):
        now = START + n * TICK
        asleep = nights and (now.hour < 6 or now.hour >= 22 or now.weekday() == 6)
        habits.answered(now)
        if n == 0 or (not asleep and source.random() < a_day / 288):
            habits.arrived(["feed"], now)
            silent = False
        elif n % 6 == 0 and not silent and habits.silence("feed", now):
            silences, silent = silences + 1, True
    return silences


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.floats(1, 150), st.booleans())
def test_what_a_feed_always_does_is_no_silence(seed: int, a_day: float, nights: bool) -> None:
    """Five weeks of random news, with quiet nights and Sundays or without, trip nothing."""
    assert lived(Habits(), random.Random(seed), a_day, 35, nights=nights) == 0


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.floats(12, 150), st.booleans())
def test_a_regular_feed_that_stops_is_seen_and_comes_back(seed: int, a_day: float, nights: bool) -> None:
    """A feed with a dozen items a day or more that stops is silent within five days, and no more once it brings one."""
    habits = Habits()
    lived(habits, random.Random(seed), a_day, 21, nights=nights)
    stopped = START + timedelta(days=21)
    assert habits.silence("feed", stopped + timedelta(hours=5)) is None
    found = habits.silence("feed", stopped + timedelta(days=5))
    assert found is not None
    assert found.since <= stopped
    habits.arrived(["feed"], stopped + timedelta(days=5))
    assert habits.silence("feed", stopped + timedelta(days=5, hours=6)) is None


def test_a_quick_feed_is_missed_within_a_working_day() -> None:
    """A feed that brings something every quarter of an hour is reported after six hours, not before."""
    habits = Habits()
    for n in range(21 * 96):
        habits.arrived(["feed"], START + n * timedelta(minutes=15))
    last = START + (21 * 96 - 1) * timedelta(minutes=15)
    assert habits.silence("feed", last + timedelta(hours=5.9)) is None
    found = habits.silence("feed", last + timedelta(hours=6.1))
    assert found is not None
    assert found.since == last
    assert found.gap == pytest.approx(timedelta(minutes=15), abs=timedelta(seconds=30))


@pytest.mark.parametrize(("a_day", "days"), [(100, 6), (0.5, 30), (2, 8)])
def test_new_and_quiet_feeds_have_no_habit(a_day: float, days: float) -> None:
    """In its first week, and with less than thirty items, a feed may be silent for a month."""
    habits = Habits()
    lived(habits, random.Random(3), a_day, days)
    assert habits.silence("feed", START + timedelta(days=days + 30)) is None
    assert habits.silence("unknown", START) is None


def test_time_without_any_answer_counts_for_nobody() -> None:
    """Three days in which the daemon was down, or offline, make no feed silent, and lengthen nobody's habit."""
    habits = Habits()
    lived(habits, random.Random(5), 100, 14)
    back = START + timedelta(days=17)
    habits.answered(back)
    assert habits.silence("feed", back) is None
    habits.arrived(["feed"], back + TICK)
    assert habits.silence("feed", back + timedelta(days=1)) is not None


def test_a_silence_that_was_seen_does_not_hide_the_next() -> None:
    """A month's silence counts in the habit as a long gap, not as a month."""
    habits = Habits()
    lived(habits, random.Random(5), 100, 14)
    for n in range(1, 31 * 24):
        habits.answered(START + timedelta(days=14, hours=n))
    again = START + timedelta(days=45)
    habits.arrived(["feed"], again)
    assert habits.silence("feed", again + timedelta(days=2)) is not None


@settings(max_examples=30)
@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "region:Ост"]), st.integers(0, 40 * 86_400)), max_size=50),
    st.sets(st.text(st.characters(codec="utf-8"), max_size=5)),
)
def test_what_is_kept_comes_back(arrivals: list[tuple[str, int]], told: set[str]) -> None:
    """Writing and reading gives the same habits, in whatever order news came."""
    habits = Habits()
    habits.told = frozenset(told)
    for key, seconds in arrivals:
        habits.answered(START + timedelta(seconds=seconds))
        habits.arrived([key], START + timedelta(seconds=seconds))
    again = Habits.load(habits.dump())
    assert again.dump() == habits.dump()
    assert again.told == told


def test_memory_is_bounded() -> None:
    """A feed costs under 160 bytes however long it is watched; keys beyond the bound, and unwatched feeds, are left out."""
    habits = Habits()
    lived(habits, random.Random(1), 200, 60)
    assert len(habits.dump()) < 160
    habits.arrived((str(n) for n in range(30_000)), START)
    assert len(habits.dump()) < 20_000 * 100
    habits.keep_only(["feed"])
    assert len(habits.dump()) < 160


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version":2}', '{"version":1,"heard":1,"told":[],"habits":{"1":[1,2,3]}}',
     '{"version":1,"heard":Infinity,"told":[],"habits":{}}', '{"version":1,"heard":1,"told":[],"habits":{"1":["a"]}}'],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    """What is no kept state is a ValueError, never a half-read state."""
    with pytest.raises(ValueError, match=r"."):
        Habits.load(text)
