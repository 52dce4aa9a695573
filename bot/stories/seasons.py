"""How hours of the day and days of the week differ from the mean, learnt robustly from few days. All times are UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean

from .counts import day_of

_HOURS = 24
_BEFOREHAND = 6.0
"""Reports of an even day that every hour is credited with: few counts move the shape little."""
_HOUR_BOUNDS = (0.3, 3.0)
_DAY_BOUNDS = (0.5, 2.0)
_WEEKS = 2
"""Weekdays are told apart once each was seen so often."""
_CUT = 4
"""The highest of so many counts is left out: one great event makes no season."""


def hourly(days: Sequence[int], hours: Mapping[int, int]) -> tuple[float, ...]:
    """Factors of the 24 hours, around 1. ``hours`` counts by hours since 1970, ``days`` are those to use."""
    alone = [_trimmed([hours.get(day * _HOURS + hour, 0) for day in days]) for hour in range(_HOURS)]
    # An hour is much like its neighbours, and three hours hold three times the counts.
    usual = [fmean((alone[hour - 1], one, alone[(hour + 1) % _HOURS])) for hour, one in enumerate(alone)]
    mean, n = fmean(usual), len(days)
    return tuple(_bounded((n * one + _BEFOREHAND) / (n * mean + _BEFOREHAND), _HOUR_BOUNDS) for one in usual)


def weekly(daily: Mapping[int, int]) -> tuple[float, ...]:
    """Factors of the 7 weekdays, Monday first; all 1 until two weeks are known. ``daily`` counts by days since 1970."""
    found: list[list[int]] = [[] for _ in range(7)]
    for day, count in daily.items():
        found[weekday(day)].append(count)
    if min(len(counts) for counts in found) < _WEEKS:
        return (1.0,) * 7
    usual = [_trimmed(counts) for counts in found]
    mean = fmean(usual)
    if not mean:
        return (1.0,) * 7
    return tuple(
        _bounded((len(counts) * one / mean + 1) / (len(counts) + 1), _DAY_BOUNDS)
        for one, counts in zip(usual, found, strict=True)
    )


def season(by_hour: Sequence[float], by_weekday: Sequence[float], window: timedelta, now: datetime) -> float:
    """The mean factor over the window that ends now."""
    parts = max(1, round(window / timedelta(minutes=30)))
    times = [now - window * ((n + 0.5) / parts) for n in range(parts)]
    return fmean(by_hour[at.hour] * by_weekday[weekday(day_of(at))] for at in times)


def weekday(day: int) -> int:
    """Of a day since 1970; Monday is 0.

    >>> weekday(0)
    3
    """
    return (day + 3) % 7


def _trimmed(counts: Sequence[int]) -> float:
    kept = sorted(counts)[: len(counts) - len(counts) // _CUT]
    return fmean(kept) if kept else 0.0


def _bounded(value: float, bounds: tuple[float, float]) -> float:
    return min(max(value, bounds[0]), bounds[1])
