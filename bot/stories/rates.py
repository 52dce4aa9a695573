"""How many reports of conflict each country usually has, and whether it has far more right now.

Learnt from the very items that the daemon sees, by the time they were published, in bounded memory: four weeks of
daily counts for every country and of hourly counts for all of them together, and the last hours in small steps. What
is usual is robust: a day far above the others weighs no more than a busy one, and yet two days of a new war are the new
usual. No clock is read here: times are given.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean, median

from bot.model import Surge

from .counts import Series, day_of, dense, hour_of, sparse, step_of
from .seasons import hourly, season, weekday, weekly

_MOST_COUNTRIES = 400
_VERSION = 1
_SPREAD = 3.0
"""A day counts for no more than the median and so many spreads."""
_RECENT_DAYS = 2
_PRIOR = 0.5
"""Reports that a country is credited with beforehand: never having been in the news is no rate of zero."""
_ENOUGH = 20.0
"""From so many other items on, their own rise tells that everything rose (feeds were added, a busy hour)."""


@dataclass(frozen=True, slots=True)
class SurgePolicy:
    """What is far above a normal rate. On a steady Poisson stream ``doubt`` bounds each look's chance of an error."""

    windows: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(hours=3))
    least: int = 5
    """Fewer reports within a window are no surge …"""
    outlets: int = 3
    """… nor are those of fewer outlets …"""
    ratio: float = 4.0
    """… nor those that are not so many times the usual …"""
    doubt: float = 1e-5
    """… nor those that chance alone brings with a larger probability than this (Chernoff's bound)."""
    learn_days: int = 3
    """With fewer days of history nothing is said."""
    keep_days: int = 28


@dataclass(frozen=True, slots=True)
class Sighting:
    """One item as it counts: when it was published, by whom, and which countries' conflicts it reports."""

    at: datetime
    outlet: str
    countries: tuple[str, ...] = ()


class Rates:
    """Counts what comes, and knows what is usual. :meth:`add` with ``times=-1`` takes back what was not recorded."""

    def __init__(self, policy: SurgePolicy = SurgePolicy()) -> None:
        self.policy = policy
        self._all = Series()
        self._countries: dict[str, Series] = {}
        self._hours: dict[int, tuple[int, int]] = {}
        """(items, reports) of each hour since 1970."""
        self._usual: _Usual | None = None
        self._pruned = 0

    def add(self, sightings: Iterable[Sighting], *, times: int = 1) -> None:
        """Count items; those about no conflict name no countries."""
        for one in sightings:
            self._all.add(one.at, "", times)
            self._count_hour(hour_of(one.at), times, times * bool(one.countries))
            for country in dict.fromkeys(one.countries):
                self._count_country(country, one, times)

    def _count_hour(self, hour: int, items: int, reports: int) -> None:
        before = self._hours.pop(hour, (0, 0))
        if before[0] + items:
            self._hours[hour] = (before[0] + items, before[1] + reports)

    def _count_country(self, country: str, one: Sighting, times: int) -> None:
        series = self._countries.pop(country, None) or Series()
        if len(self._countries) < _MOST_COUNTRIES:
            series.add(one.at, one.outlet, times)
            if series.days or series.steps:
                self._countries[country] = series

    def surge(self, country: str, now: datetime) -> Surge | None:
        """The surge that a country is in, the steepest of the windows; None without one or without enough history."""
        series = self._countries.get(country)
        if series is None or not series.steps:
            return None
        usual = self._known(now)
        if usual.days < self.policy.learn_days:
            return None
        found = [surge for window in self.policy.windows if (surge := self._look(country, series, window, usual, now))]
        return max(found, key=lambda surge: surge.factor, default=None)

    def prune(self, now: datetime) -> None:
        """Forget what is too old to count. Call it as often as wanted."""
        first_step = step_of(now - max(self.policy.windows)) - 1
        if first_step <= self._pruned:
            return
        self._pruned = first_step
        first_day = day_of(now) - self.policy.keep_days
        self._hours = {hour: kept for hour, kept in self._hours.items() if hour >= first_day * 24 and kept[0]}
        for series in (self._all, *self._countries.values()):
            series.prune(first_day, first_step)
        self._countries = {name: series for name, series in self._countries.items() if series.days}

    def dump(self) -> str:
        """Everything as compact JSON, the same for the same counts."""
        body = {
            "version": _VERSION,
            "hours": dense({hour: items for hour, (items, _) in self._hours.items()}),
            "reports": dense({hour: reports for hour, (_, reports) in self._hours.items()}),
            "all": self._all.dump(),
            "countries": {name: series.dump() for name, series in sorted(self._countries.items())},
        }
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def load(cls, text: str, policy: SurgePolicy = SurgePolicy()) -> Rates:
        """What :meth:`dump` wrote. Raises ValueError where it is something else."""
        rates = cls(policy)
        try:
            body = json.loads(text)
            if body["version"] != _VERSION:
                raise ValueError(f"version {body['version']} is not known")
            items, reports = sparse(body["hours"]), sparse(body["reports"])
            rates._hours = {hour: (count, reports.get(hour, 0)) for hour, count in items.items()}
            rates._all = Series.load(body["all"])
            rates._countries = {str(name): Series.load(kept) for name, kept in body["countries"].items()}
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"kept rates cannot be read: {type(error).__name__}") from None
        return rates

    def _known(self, now: datetime) -> _Usual:
        """What is usual, worked out anew every hour."""
        if self._usual is None or self._usual.hour != hour_of(now):
            self._usual = _Usual(self._all.days, self._hours, self.policy.keep_days, now)
        return self._usual

    def _look(self, country: str, series: Series, window: timedelta, usual: _Usual, now: datetime) -> Surge | None:
        reports, outlets = series.within(window, now)
        if reports < self.policy.least or outlets < self.policy.outlets:
            return None
        level = usual.level(country, series.days)
        items, _ = self._all.within(window, now)
        expected = usual.expected(level, window, now) * usual.growth(items - reports, level, window, now)
        if reports < self.policy.ratio * expected or chance(reports, expected) > self.policy.doubt:
            return None
        return Surge(country, reports, expected, window / timedelta(hours=1))


class _Usual:
    """What is usual as of one hour: the days that count, and how the hours and weekdays differ."""

    def __init__(
        self, all_days: Mapping[int, int], hours: Mapping[int, tuple[int, int]], keep_days: int, now: datetime
    ) -> None:
        self.hour = hour_of(now)
        today = day_of(now)
        known = {day: count for day, count in all_days.items() if today - keep_days <= day < today}
        usual = median(known.values()) if known else 0.0
        # A day on which the daemon hardly ran says nothing about the world.
        self._days = sorted(day for day, count in known.items() if 2 * count >= usual)
        self._items = float(usual)
        self._by_hour = tuple(hourly(self._days, {h: pair[n] for h, pair in hours.items()}) for n in (0, 1))
        daily = {day: sum(hours.get(24 * day + h, (0, 0))[1] for h in range(24)) for day in self._days}
        self._by_weekday = weekly(daily)
        self._levels: dict[str, float] = {}

    @property
    def days(self) -> int:
        """Days of history."""
        return len(self._days)

    def level(self, country: str, days: Mapping[int, int]) -> float:
        """Reports about a country on a usual day; never below what the last two days had."""
        if country not in self._levels:
            counts = [days.get(day, 0) / self._by_weekday[weekday(day)] for day in self._days]
            self._levels[country] = max(robust_mean(counts), fmean(counts[-_RECENT_DAYS:]))
        return self._levels[country]

    def expected(self, level: float, window: timedelta, now: datetime) -> float:
        """Reports expected within a window of a country with that level."""
        return level * (window / timedelta(days=1)) * season(self._by_hour[1], self._by_weekday, window, now)

    def growth(self, others: int, level: float, window: timedelta, now: datetime) -> float:
        """By how much everything else has risen too, at least 1: new feeds are no surge of every country."""
        share = window / timedelta(days=1) * season(self._by_hour[0], self._by_weekday, window, now)
        usual = max(0.0, self._items - level) * share
        return max(1.0, others / usual) if usual >= _ENOUGH else 1.0


def robust_mean(counts: Sequence[float]) -> float:
    """The mean of daily counts in which outlying days weigh no more than a busy one; never quite zero."""
    middle = median(counts)
    spread = max(1.4826 * median(abs(count - middle) for count in counts), math.sqrt(middle), 1.0)
    return (sum(min(count, middle + _SPREAD * spread) for count in counts) + _PRIOR) / len(counts)


def chance(count: int, expected: float) -> float:
    """Chernoff's bound on the probability that a Poisson variable of this mean reaches a count above it.

    >>> chance(3, 3.0)
    1.0
    """
    if count <= expected:
        return 1.0
    return math.exp(count - expected - count * math.log(count / expected))
