"""When each feed, and each region's feeds together, usually bring something new, and which is silent against that.

A habit is a rate for each three hours of working days and of weekends, learnt from the moments at which something new
came. Silence is measured in what should have come since: an hour of the night weighs little, one of the morning much.
It must be many times what the habit's own longest gaps weighed. Bounded, and no clock is read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_VERSION = 1
_MOST = 20_000
"""Habits kept at most."""
_CELL_H = 3
_A_DAY = 24 // _CELL_H
_WORKDAYS, _WEEKEND = 5, 2
_CELL_S = _CELL_H * 3600
_MERGED_S = 300
"""What comes within this time of the last arrival is the same arrival."""
_DARK_S = 2 * 3600
"""Without any feed's answer for so long, the time counts for nobody: the daemon, or its line, was down."""
_BEFOREHAND_H = 6.0
"""Hours at the mean rate that every cell is credited with."""
_REMEMBERED_S = 28 * 86_400
_LEARN_S = 7 * 86_400
_LEARN_ARRIVALS = 30
_HALF_S = 28 * 86_400
"""A longest gap fades by half in so long: a feed that rests on Sundays must be known by its Sundays."""
_MOST_MISSED = 64.0
"""No gap counts for more."""


@dataclass(frozen=True, slots=True)
class SilencePolicy:
    """What is far longer than a habit. Of a Poisson stream's gaps a share of exp(-missed) is that long."""

    missed: float = 16.0
    """So many arrivals must have failed to come …"""
    beyond: float = 2.5
    """… and so many times what failed to come in the longest gap that is remembered …"""
    least: timedelta = timedelta(hours=6)
    """… and so much time must have passed."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing new has come for far too long."""

    since: datetime
    gap: timedelta
    """The mean time between two arrivals."""


class _Habit:
    """One habit: whole seconds since 1970, arrivals by cell, and the longest gap in arrivals that failed to come."""

    __slots__ = ("cells", "last", "longest", "since")

    def __init__(self, since: int) -> None:
        self.since = since
        self.last = since
        self.longest = 0.0
        self.cells = [0] * (2 * _A_DAY)

    @property
    def arrivals(self) -> int:
        return sum(self.cells)

    def arrive(self, at: int, policy: SilencePolicy) -> None:
        gap = at - self.last
        if gap >= _MERGED_S:
            missed, silent = self.missed(at), self.learnt and self.is_silent(at, policy)
            fallen = self.longest * 0.5 ** (gap / _HALF_S)
            # What was a silence is no habit: its time does not count, and it lengthens the habit by little.
            self.longest = round(max(fallen, min(missed, policy.missed if silent else _MOST_MISSED)), 4)
            self.since += gap * silent
            self.cells[_cell(at)] += 1
            self._forget(at)
        self.last = max(self.last, at)

    def is_silent(self, now: int, policy: SilencePolicy) -> bool:
        """Whether far more failed to come than in any gap that is remembered."""
        return self.missed(now) >= max(policy.missed, policy.beyond * self.longest)

    @property
    def learnt(self) -> bool:
        return self.last - self.since >= _LEARN_S and self.arrivals >= _LEARN_ARRIVALS

    def missed(self, now: int) -> float:
        """How many arrivals the habit expects between the last one and now."""
        per_hour = self._rates()
        total, at = 0.0, self.last
        while at < now:
            end = min(now, at - at % _CELL_S + _CELL_S)
            total += per_hour[_cell(at)] * (end - at) / 3600
            at = end
        return total

    def gap_s(self) -> float:
        return (self.last - self.since) / max(1, self.arrivals)

    def shift(self, by: int) -> None:
        self.since += by
        self.last += by

    def _rates(self) -> list[float]:
        hours = max(1.0, (self.last - self.since) / 3600)
        mean = self.arrivals / hours
        lived = [hours * days / 7 / _A_DAY for days in (_WORKDAYS, _WEEKEND) for _ in range(_A_DAY)]
        return [(n + mean * _BEFOREHAND_H) / (h + _BEFOREHAND_H) for n, h in zip(self.cells, lived, strict=True)]

    def _forget(self, at: int) -> None:
        """Half of what is known, once it reaches back over four weeks."""
        if at - self.since > _REMEMBERED_S:
            self.since = at - (at - self.since) // 2
            self.cells = [count // 2 for count in self.cells]


class Habits:
    """Habits by key: a feed's, a region's. ``told`` names the silences that operators know of; it is kept with them."""

    def __init__(self, policy: SilencePolicy = SilencePolicy()) -> None:
        self.policy = policy
        self.told: frozenset[str] = frozenset()
        self._habits: dict[str, _Habit] = {}
        self._heard = 0

    def answered(self, now: datetime) -> None:
        """Some feed answered. Time in which none did is taken out of every habit."""
        at = int(now.timestamp())
        dark = at - self._heard
        if self._heard and dark > _DARK_S:
            for habit in self._habits.values():
                habit.shift(dark)
        self._heard = max(self._heard, at)

    def arrived(self, keys: Iterable[str], now: datetime) -> None:
        """Something new came."""
        at = int(now.timestamp())
        for key in keys:
            if key not in self._habits:
                if len(self._habits) >= _MOST:
                    continue
                self._habits[key] = _Habit(at)
            self._habits[key].arrive(at, self.policy)

    def silence(self, key: str, now: datetime, *, least: timedelta | None = None) -> Silence | None:
        """The silence that a key is in; None where its habit allows it, or is not known yet.

        ``least`` stands in for the policy's where it is given.
        """
        habit, at = self._habits.get(key), int(now.timestamp())
        if habit is None or not habit.learnt or at - habit.last < (least or self.policy.least).total_seconds():
            return None
        if not habit.is_silent(at, self.policy):
            return None
        return Silence(datetime.fromtimestamp(habit.last, UTC), timedelta(seconds=habit.gap_s()))

    def keep_only(self, keys: Iterable[str]) -> None:
        """Forget all others: their feeds are no longer watched."""
        kept = set(keys)
        self._habits = {key: habit for key, habit in self._habits.items() if key in kept}

    def dump(self) -> str:
        """Everything as compact JSON."""
        rows = {key: [h.since, h.last, h.longest, *h.cells] for key, h in sorted(self._habits.items())}
        body = {"version": _VERSION, "heard": self._heard, "told": sorted(self.told), "habits": rows}
        return json.dumps(body, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def load(cls, text: str, policy: SilencePolicy = SilencePolicy()) -> Habits:
        """What :meth:`dump` wrote. Raises ValueError where it is something else."""
        habits = cls(policy)
        try:
            body = json.loads(text)
            if body["version"] != _VERSION:
                raise ValueError(f"version {body['version']} is not known")
            habits._heard = int(body["heard"])
            habits.told = frozenset(str(key) for key in body["told"])
            habits._habits = {str(key): _habit(row) for key, row in body["habits"].items()}
        except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
            raise ValueError(f"kept habits cannot be read: {type(error).__name__}") from None
        return habits


def _habit(row: list[float]) -> _Habit:
    since, last, longest, *cells = row
    if len(cells) != 2 * _A_DAY or not 0 <= since <= last or longest < 0 or min(cells) < 0:
        raise ValueError("no habit")
    habit = _Habit(int(since))
    habit.last, habit.longest, habit.cells = int(last), float(longest), [int(count) for count in cells]
    return habit


def _cell(at: int) -> int:
    weekend = (at // 86_400 + 3) % 7 >= _WORKDAYS
    return _A_DAY * weekend + at % 86_400 // _CELL_S
