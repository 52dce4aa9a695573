"""Surges: what is far above a country's own rate is seen, and nothing else is."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.stories.rates import Rates, Sighting, chance

START = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
OUTLETS = [f"outlet{n}.example" for n in range(8)]


def local_rate(a_day: float, swing: float, at: datetime) -> float:
    """Reports a day at this hour: the day swings around its mean."""
    return a_day * (1 + swing * math.sin(2 * math.pi * (at.hour + at.minute / 60) / 24))


def steady(chance_of: random.Random, country: str, a_day: float, days: float, swing: float = 0.0) -> Iterator[Sighting]:
    """A Poisson stream of reports from many outlets (thinned from one at the highest rate)."""
    highest, at = a_day * (1 + swing), START
    while True:
        at += timedelta(days=chance_of.expovariate(highest))
        if at >= START + timedelta(days=days):
            return
        if chance_of.random() * highest <= local_rate(a_day, swing, at):
            yield Sighting(at, chance_of.choice(OUTLETS), (country,))


def everything_else(days: float, a_day: int = 300, since: datetime = START) -> Iterator[Sighting]:
    """Ordinary news, evenly."""
    for n in range(int(days * a_day)):
        yield Sighting(since + timedelta(days=n / a_day), "daily.example")


def alarms(rates: Rates, sightings: list[Sighting]) -> int:
    """How many separate surges a stream causes, half a day apart or more."""
    last: dict[str, datetime] = {}
    count = 0
    for one in sorted(sightings, key=lambda one: one.at):
        rates.add([one])
        for country in one.countries:
            if rates.surge(country, one.at):
                count += one.at - last.get(country, START - timedelta(days=9)) > timedelta(hours=12)
                last[country] = one.at
        rates.prune(one.at)
    return count


def burst(country: str, reports: int, end: datetime, span: timedelta = timedelta(hours=2.8)) -> list[Sighting]:
    """Reports evenly over a span that ends now."""
    return [Sighting(end - span * (n / reports), OUTLETS[n % 8], (country,)) for n in range(reports)]


def learnt(a_day: float = 4.0, days: float = 10, seed: int = 1, swing: float = 0.0) -> Rates:
    """Rates after some days of a steady stream about one country, among ordinary news."""
    rates = Rates()
    rates.add(everything_else(days))
    rates.add(steady(random.Random(seed), "SD", a_day, days, swing))
    return rates


def test_steady_streams_raise_less_than_one_alarm_in_a_thousand_country_days() -> None:
    """A hundred countries with 0.3 to 60 reports a day, swinging with the hours, over a fortnight: one alarm at most."""
    source = random.Random(11)
    streams = (steady(source, f"C{n}", 0.3 * 200 ** (n / 99), 14, swing=0.7) for n in range(100))
    assert alarms(Rates(), [*everything_else(14), *chain.from_iterable(streams)]) <= 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 120), st.floats(0, 0.9))
def test_a_steady_stream_is_no_surge(seed: int, a_day: float, swing: float) -> None:
    """Whatever a country's rate and its day's shape, a steady stream alone raises no alarm in eight days."""
    stream = [*everything_else(8), *steady(random.Random(seed), "SD", a_day, 8, swing)]
    assert alarms(Rates(), stream) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.2, 120), st.floats(0, 0.8), st.floats(4, 20))
def test_a_tenfold_burst_is_always_seen(seed: int, a_day: float, swing: float, days: float) -> None:
    """Ten times the hour's own rate over three hours, if that makes fifteen reports at all, is a surge."""
    rates = learnt(a_day, days, seed, swing)
    end = START + timedelta(days=days)
    reports = max(15, math.ceil(10 * local_rate(a_day, swing, end - timedelta(hours=1.5)) / 8))
    rates.add(burst("SD", reports, end))
    surge = rates.surge("SD", end)
    assert surge is not None
    assert surge.factor >= 4
    assert rates.surge("TD", end) is None


def test_the_same_hour_of_the_day_is_what_counts() -> None:
    """Reports that come every morning are no surge in the morning, and are one at night."""
    rates = Rates()
    for day in range(10):
        morning = START + timedelta(days=day, hours=9)
        rates.add(everything_else(1, since=START + timedelta(days=day)))
        rates.add(burst("SD", 12, morning) if day < 9 else [])
    assert rates.surge("SD", START + timedelta(days=9, hours=9)) is None
    rates.add(burst("SD", 12, START + timedelta(days=9, hours=9)))
    assert rates.surge("SD", START + timedelta(days=9, hours=9)) is None
    rates.add(burst("SD", 12, START + timedelta(days=9, hours=22)))
    assert rates.surge("SD", START + timedelta(days=9, hours=22)) is not None


def test_one_day_of_war_is_an_outlier_and_two_are_the_new_usual() -> None:
    """A single great day long ago does not hide a burst; two great days just before do."""
    end = START + timedelta(days=12, hours=9)
    great = [
        *burst("SD", 60, START + timedelta(days=3, hours=9)),
        *burst("SD", 60, START + timedelta(days=3, hours=15)),
    ]
    once = learnt(2, 12.5)
    once.add([*great, *burst("SD", 15, end)])
    assert once.surge("SD", end) is not None
    twice = learnt(2, 12.5)
    for day in (10, 11):
        for hours in range(24):
            twice.add(burst("SD", 6, START + timedelta(days=day, hours=hours), timedelta(hours=1)))
    twice.add(burst("SD", 15, end))
    assert twice.surge("SD", end) is None


@pytest.mark.parametrize("days", [0.5, 1, 2.5])
def test_too_little_history_says_nothing(days: float) -> None:
    """Before three days are known there is no usual, hence no surge."""
    rates = learnt(4, days)
    end = START + timedelta(days=days)
    rates.add(burst("SD", 80, end))
    assert rates.surge("SD", end) is None


def test_one_outlet_is_no_surge() -> None:
    """Forty items of one outlet's live page are not forty reports."""
    rates, end = learnt(), START + timedelta(days=10)
    rates.add([Sighting(one.at, "live.example", one.countries) for one in burst("SD", 40, end)])
    assert rates.surge("SD", end) is None


def test_new_feeds_are_no_surge_of_every_country() -> None:
    """Where everything rises alike, because feeds were added, no country surges."""
    rates, end = learnt(16), START + timedelta(days=10)
    rates.add(everything_else(0.2, 300 * 12, end - timedelta(days=0.2)))
    rates.add(burst("SD", 20, end))
    assert rates.surge("SD", end) is None


def test_days_without_the_daemon_are_no_quiet_days() -> None:
    """Five days that nobody watched do not lower what is usual."""
    rates, end = Rates(), START + timedelta(days=14)
    for day in (0, 1, 2, 3, 9, 10, 11, 12, 13):
        since = START + timedelta(days=day)
        rates.add(everything_else(1, since=since))
        for hours in range(0, 24, 2):
            rates.add(burst("SD", 5, since + timedelta(hours=hours), timedelta(hours=1.5)))
    rates.add(burst("SD", 22, end))
    assert rates.surge("SD", end) is None


_sightings = st.builds(
    Sighting,
    st.integers(0, 6 * 86_400).map(lambda s: START + timedelta(seconds=s)),
    st.sampled_from(OUTLETS),
    st.lists(st.sampled_from(("SD", "YE", "UA")), max_size=2).map(tuple),
)


LEARNT = learnt(6, 6).dump()


@settings(max_examples=50, deadline=None)
@given(st.lists(_sightings, max_size=60))
def test_what_is_kept_comes_back(sightings: list[Sighting]) -> None:
    """Writing and reading gives the same counts, and the same answers."""
    rates, now = Rates.load(LEARNT), START + timedelta(days=6)
    rates.add(sightings)
    rates.prune(now)
    again = Rates.load(rates.dump())
    assert again.dump() == rates.dump()
    for country in ("SD", "YE", "UA"):
        assert again.surge(country, now) == rates.surge(country, now)


@settings(max_examples=50)
@given(st.lists(_sightings, max_size=20), st.lists(_sightings, max_size=20))
def test_what_was_not_recorded_is_taken_back(before: list[Sighting], undone: list[Sighting]) -> None:
    """Counting and taking back leaves no trace."""
    rates = Rates()
    rates.add(before)
    kept = rates.dump()
    rates.add(undone)
    rates.add(undone, times=-1)
    assert rates.dump() == kept


def test_memory_is_bounded() -> None:
    """Two months of every country of the world, and a flood of outlets and of made-up countries, stay under 150 kB."""
    rates, now = Rates(), START
    for n in range(60 * 250):
        now = START + timedelta(minutes=n * 5.76)
        rates.add([Sighting(now, f"o{n}.example", (f"{n % 250}", f"x{n}"))])
        if n % 50 == 0:
            rates.prune(now)
    rates.add(Sighting(now, f"flood{n}.example", ("SD",)) for n in range(5000))
    rates.prune(now)
    assert len(rates.dump()) < 150_000


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"version":9}', '{"version":1,"hours":[1,-2],"reports":[],"all":{},"countries":{}}',
     '{"version":1,"hours":[Infinity],"reports":[],"all":{},"countries":{}}',
     '{"version":1,"hours":[],"reports":[],"all":{"days":[],"steps":{"1":[]}},"countries":{}}'],
)  # fmt: skip
def test_other_text_is_refused(text: str) -> None:
    """What is no kept state is a ValueError, never a half-read state."""
    with pytest.raises(ValueError, match=r"."):
        Rates.load(text)


@given(st.integers(1, 200), st.floats(0.01, 100))
def test_the_bound_is_one(count: int, expected: float) -> None:
    """Chernoff's bound is never below the true Poisson tail."""
    terms = (math.exp(-expected + k * math.log(expected) - math.lgamma(k + 1)) for k in range(count, count + 400))
    assert chance(count, expected) >= min(1.0, sum(terms)) - 1e-9
