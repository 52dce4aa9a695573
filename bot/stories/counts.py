"""Counts over time in bounded memory: by day for weeks, by small steps with their outlets for hours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

STEP_S = 600
_MOST_OUTLETS = 16
"""Outlets remembered for one step: more than are ever asked for."""
_LONGEST = 24 * 400
"""A written row of counts that reaches over more hours than this is not one of ours."""

_K = TypeVar("_K")


class Series:
    """Counts of one thing: by day, and by step with the outlets."""

    __slots__ = ("days", "steps")

    def __init__(self) -> None:
        self.days: dict[int, int] = {}
        self.steps: dict[int, tuple[int, dict[str, int]]] = {}

    def add(self, at: datetime, outlet: str, times: int) -> None:
        """Count something ``times`` times; negative takes it back."""
        _bump(self.days, day_of(at), times)
        step = step_of(at)
        count, outlets = self.steps.get(step, (0, {}))
        if outlet and (outlet in outlets or (times > 0 and len(outlets) < _MOST_OUTLETS)):
            _bump(outlets, outlet, times)
        if count + times:
            self.steps[step] = (count + times, outlets)
        else:
            del self.steps[step]

    def within(self, window: timedelta, now: datetime) -> tuple[int, int]:
        """(count, different outlets) of the window that ends now."""
        last = step_of(now)
        found = [self.steps[n] for n in range(last - _steps(window) + 1, last + 1) if n in self.steps]
        return sum(count for count, _ in found), len({outlet for _, outlets in found for outlet in outlets})

    def prune(self, first_day: int, first_step: int) -> None:
        """Forget what is older."""
        self.days = {day: count for day, count in self.days.items() if day >= first_day}
        self.steps = {step: kept for step, kept in self.steps.items() if step >= first_step}

    def dump(self) -> dict[str, object]:
        """As JSON values."""
        steps = {str(step): [count, dict(sorted(outlets.items()))] for step, (count, outlets) in self.steps.items()}
        return {"days": dense(self.days), "steps": dict(sorted(steps.items()))}

    @classmethod
    def load(cls, body: Mapping[str, object]) -> Series:
        """What :meth:`dump` gave. Raises KeyError, TypeError, ValueError and their kin where it is something else."""
        series, steps = cls(), body["steps"]
        series.days = sparse(body["days"])
        if not isinstance(steps, dict):
            raise TypeError("steps are no object")
        for step, (count, outlets) in steps.items():
            series.steps[int(step)] = (int(count), {str(name): int(times) for name, times in outlets.items()})
        return series


def day_of(at: datetime) -> int:
    """Days since 1970, UTC."""
    return int(at.timestamp()) // 86_400


def hour_of(at: datetime) -> int:
    """Hours since 1970, UTC."""
    return int(at.timestamp()) // 3600


def step_of(at: datetime) -> int:
    """Steps of ten minutes since 1970."""
    return int(at.timestamp()) // STEP_S


def dense(counts: Mapping[int, int]) -> list[int]:
    """Counts by number as a row: the first number, then one count for each number from there on.

    >>> dense({7: 2, 9: 1})
    [7, 2, 0, 1]
    """
    return [min(counts), *(counts.get(n, 0) for n in range(min(counts), max(counts) + 1))] if counts else []


def sparse(row: object) -> dict[int, int]:
    """What :func:`dense` made a row of; zeros are left out. Raises TypeError or ValueError for what is no such row."""
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) > _LONGEST:
        raise TypeError("no row of counts")
    numbers = [int(count) for count in row]
    if min(numbers, default=0) < 0:
        raise ValueError("a negative count")
    return {numbers[0] + n: count for n, count in enumerate(numbers[1:]) if count}


def _steps(window: timedelta) -> int:
    return math.ceil(window.total_seconds() / STEP_S)


def _bump(counts: dict[_K, int], key: _K, by: int) -> None:
    counts[key] = counts.get(key, 0) + by
    if not counts[key]:
        del counts[key]
