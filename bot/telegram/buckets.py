"""A token bucket for each person, so that one who floods waits and nobody else does (T23)."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

_KEPT = 20_000


class Buckets:
    """``size`` at once, then one every ``refill_s`` seconds. Time is given."""

    def __init__(self, size: int, refill_s: float) -> None:
        self._size = size
        self._refill_s = refill_s
        self._levels: OrderedDict[int, tuple[float, datetime]] = OrderedDict()

    def admit(self, person: int, now: datetime) -> float:
        """What was in the bucket before this one was taken; below 1 it is refused, and nothing is taken."""
        level, at = self._levels.pop(person, (float(self._size), now))
        level = min(float(self._size), level + max(0.0, (now - at).total_seconds()) / self._refill_s)
        self._levels[person] = (level - 1 if level >= 1 else level, now)
        if len(self._levels) > _KEPT:
            self._levels.popitem(last=False)
        return level
